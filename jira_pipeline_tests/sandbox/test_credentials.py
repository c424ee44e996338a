"""Credentials are required, and dead ones look as misleading as on the real thing."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
import requests

from jira_pipeline.sandbox import Sandbox

SEARCH = "/rest/api/3/search/jql"


def test_the_right_credentials_are_told_by_an_identity_header(cloud):
    answer = cloud.get("/rest/api/3/myself")
    assert answer.status_code == 200
    assert answer.headers["X-AACCOUNTID"] == answer.json()["accountId"]
    assert "X-Seraph-LoginReason" not in answer.headers


@pytest.mark.parametrize("path", ["myself", "field", "status", "project/search", "users/search", "issue/APP-1"])
def test_without_credentials_there_is_401(cloud, path):
    for base in (cloud, None):
        if base is None:
            answer = requests.get(f"{cloud.base}/rest/api/3/{path}", timeout=10)
        else:
            cloud.sign_in("wrong")
            answer = cloud.get(f"/rest/api/3/{path}")
        assert answer.status_code == 401
        assert "X-AACCOUNTID" not in answer.headers


def test_anybody_may_ask_for_server_info_and_cloud_id(cloud):
    info = requests.get(f"{cloud.base}/rest/api/3/serverInfo", timeout=10)
    assert info.json()["deploymentType"] == "Cloud"
    tenant = requests.get(f"{cloud.base}/_edge/tenant_info", timeout=10)
    assert tenant.json() == {"cloudId": cloud.sandbox.cloud_id}


def test_a_cloud_search_with_a_dead_token_answers_200_and_no_issues(cloud):
    assert cloud.search("project = APP").json()["issues"]
    cloud.sandbox.revoke_credentials()
    answer = cloud.search("project = APP")
    assert answer.status_code == 200
    assert answer.json() == {"issues": [], "isLast": True}
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert "X-AACCOUNTID" not in answer.headers
    cloud.sandbox.restore_credentials()
    assert cloud.search("project = APP").json()["issues"]


def test_a_data_center_search_with_a_dead_token_is_401_as_anonymous(datacenter):
    datacenter.sandbox.revoke_credentials()
    answer = datacenter.get("/rest/api/2/search", jql="project = APP")
    assert answer.status_code == 401
    assert answer.headers["X-AUSERNAME"] == "anonymous"
    assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"


def test_a_classic_token_does_not_work_through_the_gateway(cloud):
    gateway = f"{cloud.base}/ex/jira/{cloud.sandbox.cloud_id}/rest/api/3/myself"
    assert cloud.session.get(gateway).status_code == 401


def test_a_scoped_token_works_through_the_gateway_only(serve):
    client = serve("cloud", authentication="scoped_token")
    assert client.base == f"{client.sandbox.url}/ex/jira/{client.sandbox.cloud_id}"
    assert client.get("/rest/api/3/myself").status_code == 200
    assert client.session.get(f"{client.sandbox.url}/rest/api/3/myself").status_code == 401


def test_data_center_has_neither_scoped_tokens_nor_oauth(site):
    for authentication in ("scoped_token", "oauth"):
        with pytest.raises(ValueError, match="Data Center has no"):
            Sandbox(site, "datacenter", authentication=authentication)


class TestOAuth:
    """OAuth 2.0 (3LO) with refresh tokens that rotate."""

    @pytest.fixture
    def client(self, serve):
        return serve("cloud", authentication="oauth")

    def refresh(self, client, token=None, **changes):
        variables = client.sandbox.credentials
        body = {
            "grant_type": "refresh_token",
            "client_id": variables["JIRA_OAUTH_CLIENT_ID"],
            "client_secret": variables["JIRA_OAUTH_CLIENT_SECRET"],
            "refresh_token": token or variables["JIRA_OAUTH_REFRESH_TOKEN"],
        }
        return requests.post(variables["JIRA_OAUTH_TOKEN_URL"], json=body | changes, timeout=10)

    def myself(self, client, access):
        headers = {"Authorization": f"Bearer {access}"}
        return requests.get(f"{client.base}/rest/api/3/myself", headers=headers, timeout=10).status_code

    def test_a_refresh_gives_an_access_token_for_an_hour_and_a_new_refresh_token(self, client):
        old = client.sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"]
        pair = self.refresh(client).json()
        assert pair["expires_in"] == 3600
        assert pair["refresh_token"] == client.sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"] != old
        client.sandbox.now = client.sandbox.now
        assert self.myself(client, pair["access_token"]) == 200
        client.sandbox.advance(timedelta(minutes=61))
        assert self.myself(client, pair["access_token"]) == 401

    def test_an_access_token_can_expire_early(self, client):
        pair = self.refresh(client).json()
        client.sandbox.expire_access_tokens()
        assert self.myself(client, pair["access_token"]) == 401
        assert self.myself(client, self.refresh(client).json()["access_token"]) == 200

    def test_a_used_refresh_token_is_taken_again_within_ten_minutes(self, client):
        client.sandbox.now = client.sandbox.now
        first = client.sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"]
        self.refresh(client, first)
        client.sandbox.advance(timedelta(minutes=9))
        assert self.refresh(client, first).status_code == 200

    def test_later_reuse_revokes_the_whole_family(self, client):
        client.sandbox.now = client.sandbox.now
        first = client.sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"]
        pair = self.refresh(client, first).json()
        client.sandbox.advance(timedelta(minutes=11))
        answer = self.refresh(client, first)
        assert (answer.status_code, answer.json()["error"]) == (403, "invalid_grant")
        assert self.refresh(client, pair["refresh_token"]).status_code == 403
        assert self.myself(client, pair["access_token"]) == 401

    @pytest.mark.parametrize(
        "change", [{"client_secret": "wrong"}, {"refresh_token": "made-up"}, {"grant_type": "password"}]
    )
    def test_anything_wrong_is_an_invalid_grant(self, client, change):
        assert self.refresh(client, **change).status_code == 403


def test_the_credentials_of_a_sandbox_are_environment_variables(serve, monkeypatch):
    for options, names in (
        ({"flavour": "cloud"}, {"JIRA_SERVER", "JIRA_EMAIL", "JIRA_API_TOKEN"}),
        ({"flavour": "datacenter"}, {"JIRA_SERVER", "JIRA_PERSONAL_ACCESS_TOKEN"}),
    ):
        variables = serve(**options).sandbox.credentials
        assert variables.keys() == names
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
            assert os.environ[name] == value

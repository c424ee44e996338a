"""The JIRA_OAUTH_… variables: what is needed, what is assumed, what contradicts what."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.auth import Credentials, credentials_from
from jira_pipeline.jira.oauth import OAuthSettings
from jira_pipeline.resources import JiraResource

VARIABLES = {
    "JIRA_SERVER": "https://api.atlassian.com/ex/jira/0a1b",
    "JIRA_OAUTH_CLIENT_ID": "client",
    "JIRA_OAUTH_CLIENT_SECRET": "hidden-secret",
    "JIRA_OAUTH_REFRESH_TOKEN": "hidden-token\n",
}


def oauth_of(credentials: Credentials) -> OAuthSettings:
    assert credentials.oauth is not None
    return credentials.oauth


def test_without_further_variables_tokens_are_atlassians_and_kept_beside_the_database(tmp_path: Path) -> None:
    settings = oauth_of(credentials_from({**VARIABLES, "JIRA_PIPELINE_DATABASE": str(tmp_path / "x.duckdb")}))

    assert settings.token_file == tmp_path / "jira_oauth.json"
    assert settings.app.token_url == "https://auth.atlassian.com/oauth/token"
    assert settings.refresh_token == "hidden-token"
    assert oauth_of(credentials_from(VARIABLES)).token_file == Path("data/jira_oauth.json")


def test_both_can_be_elsewhere() -> None:
    settings = oauth_of(
        credentials_from(
            {**VARIABLES, "JIRA_OAUTH_TOKEN_FILE": "~/t.json", "JIRA_OAUTH_TOKEN_URL": "http://127.0.0.1:1/t"}
        )
    )

    assert settings.token_file == Path.home() / "t.json"
    assert settings.app.token_url == "http://127.0.0.1:1/t"


@pytest.mark.parametrize("missing", ["JIRA_OAUTH_CLIENT_ID", "JIRA_OAUTH_CLIENT_SECRET", "JIRA_OAUTH_REFRESH_TOKEN"])
def test_each_of_the_three_is_needed_to_begin_with(tmp_path: Path, missing: str) -> None:
    variables = {**VARIABLES, "JIRA_PIPELINE_DATABASE": str(tmp_path / "x.duckdb"), missing: " "}

    with pytest.raises(SettingsError, match=f"^{missing} is not set"):
        credentials_from(variables)


@pytest.mark.parametrize("other", ["JIRA_API_TOKEN", "JIRA_PERSONAL_ACCESS_TOKEN"])
def test_two_ways_to_sign_in_are_not_chosen_between(other: str) -> None:
    with pytest.raises(SettingsError, match=rf"OAuth \(JIRA_OAUTH_CLIENT_ID\) and {other} are set"):
        credentials_from({**VARIABLES, "JIRA_EMAIL": "a@example.com", other: "x"})


@pytest.mark.parametrize("url", ["auth.atlassian.com", "ftp://x/y", "https://user:hidden-password@x/token"])
def test_a_token_address_that_is_none_is_told_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="JIRA_OAUTH_TOKEN_URL is not") as caught:
        credentials_from({**VARIABLES, "JIRA_OAUTH_TOKEN_URL": url})

    assert "hidden" not in str(caught.value)


def test_the_dagster_resource_has_every_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection fails at the address of nobody, which shows that the settings have arrived."""
    monkeypatch.setenv("JIRA_PIPELINE_DATABASE", str(tmp_path / "data" / "jira.duckdb"))
    resource = JiraResource(
        server=VARIABLES["JIRA_SERVER"],
        oauth_client_id="client",
        oauth_client_secret="hidden-secret",
        oauth_refresh_token="hidden-token",
        oauth_token_url="ftp://nobody/token",
    )

    with pytest.raises(SettingsError, match="JIRA_OAUTH_TOKEN_URL is not"):
        resource.connect()
    assert "hidden" not in repr(resource)
    assert "hidden" not in str(resource)


def test_secrets_are_not_shown_by_objects(tmp_path: Path) -> None:
    credentials = credentials_from(VARIABLES)

    assert "client" in repr(credentials)
    assert "hidden" not in repr(credentials)

"""Data Center speaks its own dialect: offsets and totals, one API version, users by name and key, text sprints."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from jira_pipeline.sandbox import generate_site

PROJECT = "project = 10000 ORDER BY created ASC, key ASC"


def test_search_pages_have_a_start_a_size_and_a_total(datacenter):
    page = datacenter.get("/rest/api/2/search", jql=PROJECT, startAt=10, maxResults=20).json()
    assert (page["startAt"], page["maxResults"], len(page["issues"])) == (10, 20, 20)
    assert page["total"] == len(datacenter.ids("project = 10000")) > 100


def test_offsets_lead_through_every_issue_in_order(datacenter):
    found = []
    while True:
        page = datacenter.get("/rest/api/2/search", jql=PROJECT, startAt=len(found), maxResults=30, fields="id").json()
        found += [int(issue["id"]) for issue in page["issues"]]
        if not page["issues"]:
            break
    assert found == datacenter.ids(PROJECT)


def test_no_maximum_counts_only(datacenter):
    page = datacenter.get("/rest/api/2/search", jql=PROJECT, maxResults=0).json()
    assert page["issues"] == []
    assert page["total"] > 100


def test_a_page_is_capped_at_1000_and_says_so(serve):
    client = serve("datacenter", site=generate_site(issues=1100, projects=1, max_histories=1))
    page = client.get("/rest/api/2/search", jql="project = 10000", maxResults=5000, fields="id").json()
    assert page["maxResults"] == len(page["issues"]) == 1000
    assert page["total"] == 1100


def test_beyond_the_window_of_10000_the_search_fails(datacenter):
    assert datacenter.get("/rest/api/2/search", jql=PROJECT, startAt=9000, maxResults=1000).status_code == 200
    answer = datacenter.get("/rest/api/2/search", jql=PROJECT, startAt=9001, maxResults=1000)
    assert answer.status_code == 500
    assert answer.json()["errorMessages"][0].startswith("Search limit exceeded")


def test_fields_default_to_all(datacenter):
    issue = datacenter.get("/rest/api/2/search", jql=PROJECT, maxResults=1).json()["issues"][0]
    assert len(issue["fields"]) > 80


def test_expand_is_an_array_in_a_body(datacenter):
    body = {"jql": PROJECT, "maxResults": 1}
    assert datacenter.post("/rest/api/2/search", **body, expand=["changelog"]).json()["issues"][0]["changelog"]
    assert datacenter.post("/rest/api/2/search", **body, expand="changelog").status_code == 400
    assert datacenter.post("/rest/api/2/search", **body, nextPageToken="x").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/rest/api/2/search/jql", "/rest/api/2/project/search", "/rest/api/2/users/search", "/rest/api/3/serverInfo",
     "/rest/api/2/search/approximate-count", "/_edge/tenant_info"],
)  # fmt: skip
def test_what_only_cloud_has_is_not_there(datacenter, path):
    assert datacenter.get(path).status_code == 404


def test_the_version_named_latest_works(datacenter):
    assert datacenter.get("/rest/api/latest/search", jql=PROJECT).status_code == 200


def test_a_search_without_restriction_is_allowed(datacenter):
    page = datacenter.get("/rest/api/2/search", jql="", maxResults=0).json()
    assert page["total"] == len(datacenter.sandbox.issues())


def test_people_have_key_and_name_and_no_account_id(datacenter):
    people = [issue["fields"]["reporter"] for issue in datacenter.sandbox.issues()]
    assert all(person.keys() >= {"key", "name", "displayName"} and "accountId" not in person for person in people)
    assert any(person["key"] != person["name"] for person in people)


def test_the_account_is_told_by_header_and_myself(datacenter):
    answer = datacenter.get("/rest/api/2/myself")
    assert answer.headers["X-AUSERNAME"] == answer.json()["name"]
    assert "accountId" not in answer.json()


def test_server_info_says_server(datacenter):
    assert datacenter.get("/rest/api/2/serverInfo").json()["deploymentType"] == "Server"


def test_sprints_are_text_whose_names_hold_commas_and_brackets(datacenter):
    values = [text for issue in datacenter.sandbox.issues() for text in issue["fields"]["customfield_10020"] or []]
    assert all(
        re.fullmatch(r"com\.atlassian\.greenhopper\.service\.sprint\.Sprint@[0-9a-f]+\[id=\d+,.*\]", text)
        for text in values
    )
    names = {re.search(r",name=(.*),startDate=", text).group(1) for text in values}
    for character in ",[]=":
        assert any(character in name for name in names), character


def test_an_epic_is_named_by_its_key_in_the_epic_link(datacenter):
    issues = datacenter.sandbox.issues()
    keys = {issue["key"]: issue for issue in issues}
    links = [issue["fields"]["customfield_10014"] for issue in issues if issue["fields"]["customfield_10014"]]
    assert {keys[link]["fields"]["issuetype"]["name"] for link in links} == {"Epic"}


def test_users_are_listed_by_cursor(datacenter):
    seen, cursor = [], None
    while True:
        page = datacenter.get("/rest/api/2/user/list", maxResults=5, cursor=cursor).json()
        seen += [person["key"] for person in page["values"]]
        if page["isLast"]:
            break
        cursor = page["nextCursor"]
    assert len(seen) == len(set(seen)) > 12


def test_user_search_leaves_out_inactive_people_unless_asked(datacenter):
    def keys(**params):
        answer = datacenter.get("/rest/api/2/user/search", username=".", maxResults=1000, **params).json()
        return {person["key"] for person in answer if not person["active"]}

    assert keys() == set()
    assert len(keys(includeInactive="true")) >= 2


def test_archived_projects_are_listed_on_request_and_searched_in_vain(datacenter):
    datacenter.sandbox.archive_project("OPS")
    assert "OPS" not in [each["key"] for each in datacenter.get("/rest/api/2/project").json()]
    listed = {each["key"]: each for each in datacenter.get("/rest/api/2/project", includeArchived="true").json()}
    assert listed["OPS"]["archived"] is True
    assert datacenter.ids("project = OPS") == []


def test_the_index_knows_whole_seconds_only(datacenter):
    instant = datetime(2026, 11, 21, 12, 0, 0, 700_000, tzinfo=UTC)
    key = datacenter.sandbox.create_issue("APP", at=instant, summary="created at .700")
    milliseconds = int(instant.timestamp() * 1000)
    found = datacenter.ids(f"project = APP AND created >= {milliseconds + 200}")
    assert found == [int(datacenter.sandbox.issue(key)["id"])]


def test_a_context_path_is_part_of_every_address(serve):
    client = serve("datacenter", context_path="/jira")
    assert client.base.endswith("/jira")
    assert client.get("/rest/api/2/serverInfo").json()["baseUrl"] == client.base
    assert client.session.get(client.base.removesuffix("/jira") + "/rest/api/2/serverInfo").status_code == 404

"""Jira Cloud's search is as strict here as it is there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

PROJECT = "project = 10000 ORDER BY created ASC, key ASC"


def test_a_page_with_fields_holds_at_most_100_issues_whatever_is_asked(cloud):
    page = cloud.search(PROJECT, fields="summary", maxResults=5000).json()
    assert len(page["issues"]) == 100
    assert page["isLast"] is False


def test_a_page_with_ids_only_holds_up_to_5000(cloud):
    pages = cloud.walk(PROJECT, maxResults=5000)
    assert len(pages) == 1
    assert len(pages[0]) > 100


@pytest.mark.parametrize("fields", ["id", "key", "id,key"])
def test_asking_for_id_and_key_keeps_the_large_page(cloud, fields):
    (issues,) = cloud.walk(PROJECT, fields=fields, maxResults=5000)
    assert len(issues) > 100
    assert "fields" not in issues[0]


def test_expanding_changelogs_makes_the_page_small_again(cloud):
    assert len(cloud.search(PROJECT, expand="changelog", maxResults=5000).json()["issues"]) == 100


def test_without_fields_an_issue_is_its_id(cloud):
    issue = cloud.search(PROJECT).json()["issues"][0]
    assert issue.keys() == {"id"}


def test_the_default_page_size_is_50(cloud):
    assert len(cloud.search(PROJECT).json()["issues"]) == 50


def test_there_is_no_total_and_no_start(cloud):
    assert cloud.search(PROJECT).json().keys() == {"issues", "nextPageToken", "isLast"}


def test_the_last_page_has_no_token_at_all(cloud):
    page = cloud.search(PROJECT, maxResults=5000).json()
    assert page.keys() == {"issues", "isLast"}
    assert page["isLast"] is True


def test_tokens_lead_through_every_issue_once_and_in_order(cloud):
    pages = cloud.walk(PROJECT, maxResults=7, fields="created")
    found = [issue["id"] for page in pages for issue in page]
    truth = [issue for issue in cloud.sandbox.issues() if issue["fields"]["project"]["id"] == "10000"]
    truth.sort(key=lambda issue: (issue["fields"]["created"], int(issue["key"].split("-")[1])))
    assert len(pages) > 10
    assert found == [issue["id"] for issue in truth]


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_tokens_lead_through_issues_of_several_projects_created_at_one_instant(cloud, direction):
    instant = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    keys = [cloud.sandbox.create_issue(project, at=instant) for project in ("WEB", "APP", "OPS", "APP", "WEB", "OPS")]
    jql = f"project in (WEB, APP, OPS) AND created >= {int(instant.timestamp() * 1000)} ORDER BY created {direction}"
    for size in (1, 2, 3):
        found = [issue["key"] for page in cloud.walk(jql, maxResults=size, fields="key") for issue in page]
        assert found == sorted(keys, reverse=direction == "DESC")


def test_get_and_post_give_the_same(cloud):
    by_get = cloud.search(PROJECT, fields="summary,status", expand="changelog", maxResults=20).json()
    by_post = cloud.post(
        "/rest/api/3/search/jql", jql=PROJECT, fields=["summary", "status"], expand="changelog", maxResults=20
    ).json()
    assert by_get == by_post


@pytest.mark.parametrize("size", [0, -1, 5001])
def test_page_sizes_outside_1_to_5000_are_refused(cloud, size):
    assert cloud.search(PROJECT, maxResults=size).status_code == 400


@pytest.mark.parametrize("jql", ["", "ORDER BY key DESC", "order by created"])
def test_a_search_without_restriction_is_refused(cloud, jql):
    answer = cloud.search(jql)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == [
        "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
    ]


def test_the_token_is_checked_before_the_size_and_the_size_before_the_restriction(cloud):
    def message(**params):
        return cloud.search("order by key", **params).json()["errorMessages"][0]

    assert "token" in message(nextPageToken="nonsense", maxResults=0)
    assert "maxResults" in message(maxResults=0)
    assert "Unbounded" in message()


def test_a_token_that_was_not_given_out_is_refused(cloud):
    answer = cloud.search(PROJECT, nextPageToken="bm9uc2Vuc2U=")
    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == ["The provided next page token is invalid or expired."]


def test_a_token_belongs_to_its_query(cloud):
    token = cloud.search(PROJECT).json()["nextPageToken"]
    assert cloud.search("project = 10001 ORDER BY created ASC, key ASC", nextPageToken=token).status_code == 400


def test_a_token_can_be_used_again(cloud):
    token = cloud.search(PROJECT).json()["nextPageToken"]
    assert cloud.search(PROJECT, nextPageToken=token).json() == cloud.search(PROJECT, nextPageToken=token).json()


def test_an_empty_token_is_silently_page_one(cloud):
    first = cloud.search(PROJECT).json()
    assert cloud.search(PROJECT, nextPageToken="").json() == first
    assert cloud.post("/rest/api/3/search/jql", jql=PROJECT, nextPageToken=None).json() == first


def test_an_unknown_property_of_a_body_is_refused(cloud):
    assert cloud.post("/rest/api/3/search/jql", jql=PROJECT, startAt=0).status_code == 400


def test_expand_is_a_string_in_a_body_too(cloud):
    assert cloud.post("/rest/api/3/search/jql", jql=PROJECT, expand=["changelog"]).status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("version", ["2", "3", "latest"])
def test_the_old_search_is_gone(cloud, method, version):
    answer = cloud.session.request(method, f"{cloud.base}/rest/api/{version}/search", params={"jql": PROJECT})
    assert answer.status_code == 410
    assert "The requested API has been removed" in answer.json()["errorMessages"][0]


def test_unknown_field_ids_are_ignored(cloud):
    issue = cloud.search(PROJECT, fields="summary,customfield_99999").json()["issues"][0]
    assert issue["fields"].keys() == {"summary"}


def test_fields_can_be_left_out_of_all(cloud):
    fields = cloud.search(PROJECT, fields="*all,-description").json()["issues"][0]["fields"]
    assert "summary" in fields
    assert "description" not in fields


def test_descriptions_are_documents_in_version_3_and_text_in_version_2(cloud):
    jql = "project = 10000 AND description is not EMPTY ORDER BY key"
    document = cloud.search(jql, fields="description").json()["issues"][0]["fields"]["description"]
    text = cloud.get("/rest/api/2/search/jql", jql=jql, fields="description").json()["issues"][0]["fields"]
    assert document["type"] == "doc"
    lines = [part["content"][0]["text"] for part in document["content"] if part["content"]]
    assert lines == [line for line in text["description"].split("\n") if line]


def test_without_an_order_the_newest_come_first(cloud):
    (issues,) = cloud.walk("project = 10001", fields="id", maxResults=5000)
    assert [issue["id"] for issue in issues] == [
        issue["id"] for issue in cloud.walk("project = 10001 ORDER BY created DESC", maxResults=5000)[0]
    ]


def test_bare_words_are_a_text_search_that_finds_nothing(cloud):
    answer = cloud.search("this is not jql")
    assert answer.status_code == 200
    assert answer.json()["issues"] == []


def test_the_count_is_approximate_count(cloud):
    answer = cloud.post("/rest/api/3/search/approximate-count", jql="project = 10000")
    assert answer.json() == {"count": len(cloud.ids("project = 10000"))}
    assert cloud.post("/rest/api/3/search/approximate-count", jql="order by key").status_code == 400


def test_names_and_schema_come_with_expand(cloud):
    page = cloud.search(PROJECT, expand="names,schema", maxResults=1).json()
    assert page["names"]["customfield_10016"] == "Story point estimate"
    assert page["schema"]["customfield_10016"]["custom"] == "com.pyxis.greenhopper.jira:jsw-story-points"


def test_an_issue_that_changes_during_a_walk_by_update_time_comes_again_and_none_is_skipped(cloud):
    jql = "project = 10000 AND updated >= 0 ORDER BY updated ASC, key ASC"
    first = cloud.search(jql, maxResults=50, fields="key").json()
    moved = first["issues"][0]["key"]
    before = {issue["id"] for issue in cloud.sandbox.issues() if issue["fields"]["project"]["id"] == "10000"}
    cloud.sandbox.update_issue(moved, summary="changed while being read")
    rest = cloud.walk(jql, maxResults=50, fields="key", nextPageToken=first["nextPageToken"])
    seen = [issue["id"] for page in [first["issues"], *rest] for issue in page]
    assert seen.count(first["issues"][0]["id"]) == 2
    assert set(seen) == before

"""Histories come as each flavour and endpoint gives them: cut, split, in either order, with times as text or number."""

from __future__ import annotations

import itertools
import re

import pytest


def longest(client):
    """The issue with most histories."""
    return max(client.sandbox.issues(), key=lambda issue: issue["changelog"]["total"])


def bulk(client, issues, **body):
    """All pages of changelog/bulkfetch."""
    pages = []
    while True:
        page = client.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=issues, **body).json()
        pages.append(page["issueChangeLogs"])
        if "nextPageToken" not in page:
            return pages
        body["nextPageToken"] = page["nextPageToken"]


def test_a_cloud_search_holds_the_40_newest_newest_first_and_tells_the_total(cloud):
    truth = longest(cloud)
    assert truth["changelog"]["total"] > 100
    (issue,) = cloud.search(f"id = {truth['id']}", expand="changelog", fields="summary").json()["issues"]
    newest = [history["id"] for history in truth["changelog"]["histories"]][:-41:-1]
    assert [history["id"] for history in issue["changelog"]["histories"]] == newest
    assert issue["changelog"]["total"] == truth["changelog"]["total"]
    assert issue["changelog"]["maxResults"] == 40


def test_a_short_history_is_whole_in_a_cloud_search(cloud):
    truth = {issue["id"]: issue["changelog"]["histories"] for issue in cloud.sandbox.issues()}
    compared = 0
    for page in cloud.walk("project = 10000", expand="changelog", fields="summary", maxResults=100):
        for issue in page:
            if issue["changelog"]["total"] <= 40:
                compared += 1
                assert issue["changelog"]["histories"] == truth[issue["id"]][::-1]
    assert compared > 50


def test_a_single_cloud_issue_holds_the_100_newest(cloud):
    truth = longest(cloud)
    changelog = cloud.get(f"/rest/api/3/issue/{truth['key']}", expand="changelog").json()["changelog"]
    assert changelog["histories"] == truth["changelog"]["histories"][:-101:-1]
    assert changelog["total"] == truth["changelog"]["total"] > 100


def test_the_changelog_of_an_issue_is_paged_oldest_first_with_at_most_100(cloud):
    truth = longest(cloud)
    first = cloud.get(f"/rest/api/3/issue/{truth['id']}/changelog", maxResults=1000).json()
    second = cloud.get(f"/rest/api/3/issue/{truth['id']}/changelog", startAt=100).json()
    assert len(first["values"]) == first["maxResults"] == 100
    assert (first["isLast"], second["isLast"]) == (False, True)
    assert first["total"] == truth["changelog"]["total"]
    assert first["values"] + second["values"] == truth["changelog"]["histories"]


def test_data_center_sends_the_whole_history_oldest_first(datacenter):
    truth = longest(datacenter)
    page = datacenter.get("/rest/api/2/search", jql=f"id = {truth['id']}", expand="changelog").json()
    assert page["issues"][0]["changelog"]["histories"] == truth["changelog"]["histories"]
    assert truth["changelog"]["total"] > 100


@pytest.mark.parametrize("path", ["/rest/api/2/issue/APP-1/changelog", "/rest/api/2/changelog/bulkfetch"])
def test_data_center_has_no_endpoint_for_changelogs(datacenter, path):
    assert datacenter.get(path).status_code == 404


def test_bulkfetch_gives_every_history_once_oldest_first(cloud):
    truth = {issue["id"]: issue["changelog"]["histories"] for issue in cloud.sandbox.issues()}
    pages = bulk(cloud, list(truth), maxResults=500)
    assert len(pages) > 3
    found: dict[str, list[str]] = {}
    times = []
    for page in pages:
        for entry in page:
            found.setdefault(entry["issueId"], []).extend(history["id"] for history in entry["changeHistories"])
        times.append(sorted(history["created"] for entry in page for history in entry["changeHistories"]))
    assert found == {key: [each["id"] for each in histories] for key, histories in truth.items() if histories}
    assert all(earlier[-1] <= later[0] for earlier, later in itertools.pairwise(times))


def test_a_bulkfetch_page_that_holds_exactly_what_is_left_is_the_last(cloud):
    truth = longest(cloud)
    total = truth["changelog"]["total"]
    page = cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=[truth["id"]], maxResults=total).json()
    assert page.keys() == {"issueChangeLogs"}
    assert len(bulk(cloud, [truth["id"]], maxResults=total - 1)) == 2


def test_bulkfetch_pages_split_issues(cloud):
    keys = [issue["id"] for issue in cloud.sandbox.issues()]
    pages = bulk(cloud, keys, maxResults=100)
    appearances = [entry["issueId"] for page in pages for entry in page]
    assert len(appearances) > len(set(appearances))


def test_bulkfetch_leaves_out_issues_without_histories(cloud):
    key = cloud.sandbox.create_issue("APP", summary="nothing happened yet")
    assert bulk(cloud, [key]) == [[]]


def test_bulkfetch_leaves_out_unknown_issues(cloud):
    (page,) = bulk(cloud, ["APP-1", "APP-99999", "NOPE-1"], maxResults=1000)
    assert len(page) == 1


def test_bulkfetch_writes_created_as_epoch_milliseconds(cloud):
    truth = longest(cloud)
    (page,) = bulk(cloud, [truth["key"]])
    created = page[0]["changeHistories"][0]["created"]
    assert isinstance(created, int)
    assert created > 1e11


def test_bulkfetch_takes_1000_issues_and_refuses_1001(cloud):
    ids = [str(number) for number in range(1001)]
    assert cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=ids[:1000]).status_code == 200
    answer = cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=ids)
    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == [
        "You may only load changelogs for a maximum of 1,000 issues by ID or key at a time."
    ]


def test_bulkfetch_can_be_limited_to_ten_fields(cloud):
    truth = longest(cloud)
    (page,) = bulk(cloud, [truth["id"]], fieldIds=["status"])
    items = [item for history in page[0]["changeHistories"] for item in history["items"]]
    expected = [
        item for history in truth["changelog"]["histories"] for item in history["items"] if item["fieldId"] == "status"
    ]
    assert items == expected != []
    many = [f"customfield_{number}" for number in range(11)]
    assert cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=["1"], fieldIds=many).status_code == 400


@pytest.mark.parametrize("size", [0, 10_001])
def test_bulkfetch_pages_hold_1_to_10000_histories(cloud, size):
    answer = cloud.post("/rest/api/3/changelog/bulkfetch", issueIdsOrKeys=["APP-1"], maxResults=size)
    assert answer.status_code == 400


def test_only_cloud_items_have_a_field_id(cloud, datacenter):
    for client, present in ((cloud, True), (datacenter, False)):
        items = longest(client)["changelog"]["histories"][0]["items"]
        assert all(("fieldId" in item) == present for item in items)


def test_history_ids_are_unique_on_the_site_and_rise_with_time(cloud):
    histories = [each for issue in cloud.sandbox.issues() for each in issue["changelog"]["histories"]]
    histories.sort(key=lambda each: int(each["id"]))
    assert len({each["id"] for each in histories}) == len(histories) > 1000
    seconds = [re.sub(r"\.\d+", "", each["created"]) for each in histories]
    assert seconds == sorted(seconds)

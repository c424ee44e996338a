"""Ids by the thousand, and issues asked for by id, on both flavours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest

from jira_pipeline.jira.errors import SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Fault, Flavour, Sandbox, SiteData, generate_site
from jira_pipeline_tests.jira.connecting import sign_in

WINDOW = IssueWindow("10000")


@pytest.fixture(scope="module")
def large_site() -> SiteData:
    """One project with more issues than a page of Cloud's ids holds."""
    return generate_site(seed=2, issues=5_200, projects=1, max_histories=0)


@pytest.fixture(scope="module")
def small_site() -> SiteData:
    """Two projects; some histories are longer than the 40 that an answer carries on Cloud."""
    return generate_site(seed=8, issues=120, projects=2, max_histories=90)


@pytest.fixture(params=["cloud", "datacenter"])
def sandbox(request: pytest.FixtureRequest, small_site: SiteData) -> Iterator[Sandbox]:
    """The small site, served."""
    with Sandbox(small_site, cast(Flavour, request.param)) as running:
        yield running


@pytest.fixture
def cloud(small_site: SiteData) -> Iterator[Sandbox]:
    """The small site as a Cloud site."""
    with Sandbox(small_site, "cloud") as running:
        yield running


def ids_of(sandbox: Sandbox, project_id: str = WINDOW.project_id) -> set[int]:
    """The ids of a project's issues, in truth."""
    return {int(i["id"]) for i in sandbox.issues() if i["fields"]["project"]["id"] == project_id}


@pytest.mark.parametrize(("flavour", "requests"), [("cloud", 2), ("datacenter", 6)])
def test_ids_come_in_the_largest_pages_that_the_site_gives(
    large_site: SiteData, flavour: Flavour, requests: int
) -> None:
    with Sandbox(large_site, flavour) as sandbox:
        site, meter = sign_in(sandbox), Meter()
        found = site.issue_ids(WINDOW, meter=meter)
    assert found == {issue.id for issue in large_site.issues}
    assert meter.requests == requests
    assert meter.bytes_received < 1_500_000


def test_a_project_without_issues_has_no_ids(sandbox: Sandbox) -> None:
    for issue in sandbox.issues():
        sandbox.delete_issue(issue["key"])
    assert sign_in(sandbox).issue_ids(WINDOW, meter=Meter()) == set()


def test_short_pages_are_not_the_end(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("short_page", size=7), times=4)
    meter = Meter()
    assert sign_in(sandbox).issue_ids(WINDOW, meter=meter) == ids_of(sandbox)
    assert meter.requests == 5


@pytest.mark.parametrize("kind", ["expired_token", "repeated_token"])
def test_a_walk_whose_tokens_fail_begins_anew(cloud: Sandbox, kind: str) -> None:
    site, meter = sign_in(cloud), Meter()
    cloud.faults.add(Fault("short_page", size=7))
    cloud.faults.add(Fault(kind))  # type: ignore[arg-type]
    assert site.issue_ids(WINDOW, meter=meter) == ids_of(cloud)
    assert meter.requests == 3


def test_a_walk_whose_tokens_always_fail_is_no_result(cloud: Sandbox) -> None:
    site = sign_in(cloud)
    cloud.faults.add(Fault("short_page", size=7), when=lambda request: b"nextPageToken" not in request.body, times=None)
    cloud.faults.add(Fault("expired_token"), times=None)
    with pytest.raises(SiteUnavailable, match="could not be read to their end in 3 walks"):
        site.issue_ids(WINDOW, meter=Meter())


def test_a_result_that_jira_says_is_cut_is_no_result(cloud: Sandbox) -> None:
    site = sign_in(cloud)
    cloud.faults.add(Fault("truncated_result"), path="/search/jql")
    with pytest.raises(SiteUnavailable, match=r"did not send all ids of project 10000; .*ingestion limit"):
        site.issue_ids(WINDOW, meter=Meter())


def test_issues_are_located_whether_the_index_knows_them_or_not(sandbox: Sandbox) -> None:
    first, second, third, fourth = sorted(ids_of(sandbox))[:4]
    keys = {int(issue["id"]): issue["key"] for issue in sandbox.issues()}
    sandbox.delete_issue(keys[second])
    sandbox.move_issue(keys[third], "OPS")
    sandbox.forget_issue(keys[fourth], seconds=600)
    found = sign_in(sandbox).locate_issues([first, second, third, fourth, 999_999], meter=Meter())
    assert found == {first: "10000", third: "10001", fourth: "10000"}


def test_issues_are_located_a_hundred_a_request(sandbox: Sandbox) -> None:
    every = sorted(ids_of(sandbox) | ids_of(sandbox, "10001"))
    meter = Meter()
    assert sign_in(sandbox).locate_issues(every, meter=meter).keys() == set(every)
    assert (len(every), meter.requests) == (120, 2)


def test_issues_of_a_project_that_is_not_shown_are_not_located(sandbox: Sandbox) -> None:
    every = sorted(ids_of(sandbox, "10001"))[:3]
    sandbox.forbid_project("OPS")
    assert sign_in(sandbox).locate_issues(every, meter=Meter()) == {}


def test_fetched_issues_are_whole_with_complete_histories(sandbox: Sandbox) -> None:
    truth = {int(issue["id"]): issue for issue in sandbox.issues()}
    hidden, gone, *_ = sorted(truth)
    sandbox.forget_issue(truth[hidden]["key"], seconds=600)
    sandbox.delete_issue(truth[gone]["key"])
    site = sign_in(sandbox)
    pages = list(site.fetch_issues(sorted(truth), meter=Meter()))
    issues = {issue.issue_id: issue for page in pages for issue in site.complete(page.issues, meter=Meter())}
    assert issues.keys() == truth.keys() - {gone}
    assert max(len(issue.history_ids) for issue in issues.values()) > 40
    for issue_id, issue in issues.items():
        assert sorted(issue.history_ids) == sorted(int(h["id"]) for h in truth[issue_id]["changelog"]["histories"])
        assert b'"summary"' in issue.payload


def test_an_issue_that_cannot_be_read_is_told_apart_from_one_that_is_not_there(sandbox: Sandbox) -> None:
    (first, *_), keys = sorted(ids_of(sandbox)), {int(i["id"]): i["key"] for i in sandbox.issues()}
    sandbox.spoil_issue(keys[first], "null_fields")
    site = sign_in(sandbox)
    assert site.locate_issues([first, 999_999], meter=Meter()).keys() == {first}
    pages = list(site.fetch_issues([first, 999_999], meter=Meter()))
    assert [bad.issue_id for page in pages for bad in page.unreadable] == [first]
    assert not any(page.issues for page in pages)

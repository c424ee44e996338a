"""Walking a Cloud site: every issue of a window once or more, with its whole history, whatever the page tokens do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from jira_pipeline.jira.errors import PageTokenRejected, RequestRefused, SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.sandbox.faults import Fault
from jira_pipeline_tests.jira.connecting import sign_in, walked

PROJECT = IssueWindow("10000")
SEARCH = "/search/jql"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    site = generate_site(seed=9, issues=260, projects=1, max_histories=6)
    with Sandbox(site, flavour="cloud") as running:
        yield running


def ids(sandbox: Sandbox) -> set[int]:
    return {int(issue["id"]) for issue in sandbox.issues()}


def found(sandbox: Sandbox) -> set[int]:
    return {issue.issue_id for page in walked(sign_in(sandbox), PROJECT) for issue in page.issues}


def searches(sandbox: Sandbox) -> int:
    return sum(request.path.endswith(SEARCH) for request in sandbox.requests)


def test_a_quiet_walk_costs_a_request_a_hundred_issues(sandbox: Sandbox) -> None:
    assert found(sandbox) == ids(sandbox)
    assert searches(sandbox) == 3


@pytest.mark.parametrize("kind", ["expired_token", "repeated_token"])
def test_a_token_that_is_refused_or_repeated_costs_a_new_beginning(sandbox: Sandbox, kind: str) -> None:
    sandbox.faults.add(kind, path=SEARCH)  # type: ignore[arg-type]

    assert found(sandbox) == ids(sandbox)
    assert [incident.kind for incident in sandbox.faults.incidents] == [kind]
    assert searches(sandbox) <= 6


def test_a_token_that_is_missing_before_the_end_does_not_end_the_walk(sandbox: Sandbox) -> None:
    sandbox.faults.add("missing_token", path=SEARCH, nth=2)

    assert found(sandbox) == ids(sandbox)
    assert searches(sandbox) <= 5


def test_empty_and_short_pages_do_not_end_the_walk(sandbox: Sandbox) -> None:
    sandbox.faults.add("empty_page", path=SEARCH, nth=2)
    sandbox.faults.add(Fault("short_page", size=7), path=SEARCH, nth=3)

    assert found(sandbox) == ids(sandbox)


def test_a_result_that_jira_says_it_cut_is_read_on(sandbox: Sandbox) -> None:
    sandbox.faults.add("truncated_result", path=SEARCH, nth=2)

    assert found(sandbox) == ids(sandbox)


def test_a_walk_gets_along_without_any_token_that_holds(sandbox: Sandbox) -> None:
    sandbox.faults.add("expired_token", path=SEARCH, times=None)

    assert found(sandbox) == ids(sandbox)
    assert searches(sandbox) <= 6


def test_more_issues_of_one_minute_than_a_page_holds_need_tokens_and_fail_without(sandbox: Sandbox) -> None:
    """A walk that cannot be finished must not look like one that was."""
    minute = datetime(2026, 11, 20, 12, tzinfo=UTC)
    for _ in range(130):
        sandbox.create_issue("APP", summary="imported", at=minute)
    assert found(sandbox) == ids(sandbox)

    sandbox.faults.add("expired_token", path=SEARCH, times=None)
    with pytest.raises((PageTokenRejected, SiteUnavailable)):
        found(sandbox)
    assert searches(sandbox) < 12


@pytest.mark.parametrize("split", [False, True])
def test_histories_beyond_forty_come_from_bulkfetch(split: bool) -> None:
    with Sandbox(generate_site(seed=2, issues=40, projects=1, max_histories=300), flavour="cloud") as sandbox:
        if split:
            sandbox.faults.add(Fault("split_histories", size=25), path="/changelog/bulkfetch", times=None)
        truth = {int(i["id"]): {int(h["id"]) for h in i["changelog"]["histories"]} for i in sandbox.issues()}
        assert max(map(len, truth.values())) > 200

        issues = [issue for page in walked(sign_in(sandbox), PROJECT) for issue in page.issues]

        assert {issue.issue_id: set(issue.history_ids) for issue in issues} == truth
        assert all(issue.history_complete for issue in issues)
        bulk = [request for request in sandbox.requests if request.path.endswith("/changelog/bulkfetch")]
        assert len(bulk) == 1 if not split else len(bulk) > 10


def test_the_directory_is_read_to_its_end_although_its_pages_come_short() -> None:
    with Sandbox(generate_site(seed=2, issues=5, projects=1), flavour="cloud") as sandbox:
        users = list(sign_in(sandbox).directory())

        assert len({user.accountId for user in users}) == len(users) > 5
        sandbox.forbid_user_directory(True)
        with pytest.raises(RequestRefused) as refused:
            list(sign_in(sandbox).directory())
        assert refused.value.status == 403


def test_what_a_walk_costs_is_counted(sandbox: Sandbox) -> None:
    meter = Meter()
    walked(sign_in(sandbox), PROJECT, meter)

    assert (meter.requests, meter.retries) == (3, 0)
    assert meter.bytes_received > 100_000

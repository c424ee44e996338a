"""Walking a Data Center site: a keyset on creation, because offsets shift while people work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.sandbox import Sandbox, api, generate_site
from jira_pipeline.sandbox.faults import Fault
from jira_pipeline_tests.jira.connecting import sign_in, walked

PROJECT = IssueWindow("10000")
MINUTE = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    site = generate_site(seed=9, issues=260, projects=1, max_histories=60)
    with Sandbox(site, flavour="datacenter") as running:
        yield running


def truth(sandbox: Sandbox) -> dict[int, set[int]]:
    return {int(i["id"]): {int(h["id"]) for h in i["changelog"]["histories"]} for i in sandbox.issues()}


def found(sandbox: Sandbox) -> dict[int, set[int]]:
    return {
        issue.issue_id: set(issue.history_ids) for page in walked(sign_in(sandbox), PROJECT) for issue in page.issues
    }


def test_every_issue_comes_with_its_whole_history(sandbox: Sandbox) -> None:
    assert found(sandbox) == truth(sandbox)
    assert max(map(len, truth(sandbox).values())) > 40


def test_a_minute_with_more_issues_than_a_page_is_read_by_offset(sandbox: Sandbox) -> None:
    for n in range(250):
        sandbox.create_issue("APP", summary=f"imported {n}", at=MINUTE)
    sandbox.create_issue("APP", summary="later", at=MINUTE + timedelta(minutes=3))

    assert found(sandbox) == truth(sandbox)
    offsets = {int(request.params["startAt"][0]) for request in sandbox.requests if "startAt" in request.params}
    assert max(offsets) >= 200
    assert all(offset == 0 or offset <= 300 for offset in offsets)


def test_issues_that_come_and_go_during_a_walk_hide_nobody(sandbox: Sandbox) -> None:
    before = truth(sandbox)
    gone = [issue["key"] for issue in sandbox.issues()][:30]
    # Everything behind them moves to the left between two pages: an offset would skip thirty issues.
    sandbox.faults.add(
        Fault("site_change", action=lambda: [sandbox.delete_issue(key) for key in gone]), path="/search", nth=2
    )

    assert set(before) - set(found(sandbox)) == set()


def test_pages_shorter_than_asked_for_do_not_end_a_walk(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault("short_page", size=3), path="/search", times=None)

    assert found(sandbox) == truth(sandbox)


def test_users_are_listed_by_versions_without_the_list_endpoint_too(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {user.user_id for user in sign_in(sandbox).directory()}
    assert len(listed) > 5
    assert sandbox.requests[-1].path.endswith("/user/list")

    older = [route for route in api._DATA_CENTER if "user/list" not in str(route)]
    assert len(older) < len(api._DATA_CENTER)
    monkeypatch.setattr(api, "_DATA_CENTER", older)
    with Sandbox(generate_site(seed=9, issues=10, projects=1), flavour="datacenter") as old:
        found_there = {user.user_id for user in sign_in(old).directory()}

    assert len(found_there) > 5
    assert old.requests[-1].path.endswith("/user/search")

"""Walking a Cloud site: every issue of a window once or more, with its whole history, whatever the page tokens do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from jira_pipeline.jira.client import connect
from jira_pipeline.jira.errors import PageTokenRejected, RequestRefused, SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.sandbox.faults import Fault
from jira_pipeline_tests.jira.connecting import FAST, Reply, answering, bearer, sign_in, walked

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


@pytest.fixture
def long_histories() -> Iterator[Sandbox]:
    with Sandbox(generate_site(seed=5, issues=60, projects=1, max_histories=100), flavour="cloud") as sandbox:
        yield sandbox


def of_long_histories(sandbox: Sandbox) -> list[str]:
    """The ids of issues of which a search carries only a part."""
    return [issue["id"] for issue in sandbox.issues() if len(issue["changelog"]["histories"]) > 40]


def test_an_issue_that_is_deleted_before_its_history_is_complete_costs_that_issue_only(
    long_histories: Sandbox,
) -> None:
    deleted = of_long_histories(long_histories)[0]
    long_histories.faults.add(
        Fault("site_change", action=lambda: long_histories.delete_issue(deleted)), path="/changelog/bulkfetch"
    )

    assert found(long_histories) == ids(long_histories)
    assert int(deleted) not in ids(long_histories)


@pytest.mark.parametrize("status", [400, 404])
def test_an_issue_for_which_bulkfetch_refuses_all_others_is_read_by_itself(
    long_histories: Sandbox, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    site = sign_in(long_histories)
    long_ones = of_long_histories(long_histories)
    assert len(long_ones) > 3
    post = site.transport.post

    def refusing(path: str, body: dict[str, Any], **options: Any) -> Any:
        if path == "changelog/bulkfetch" and long_ones[0] in body["issueIdsOrKeys"]:
            raise RequestRefused("There is no such issue.", status=status)
        return post(path, body, **options)

    monkeypatch.setattr(site.transport, "post", refusing)
    issues = [issue for page in walked(site, PROJECT) for issue in page.issues]

    assert {issue.issue_id for issue in issues} == ids(long_histories)
    assert all(issue.history_complete for issue in issues)


def test_a_page_token_that_bulkfetch_refuses_costs_a_new_beginning(long_histories: Sandbox) -> None:
    long_histories.faults.add("expired_token", path="/changelog/bulkfetch")
    long_histories.faults.add(Fault("split_histories", size=25), path="/changelog/bulkfetch", times=None)

    issues = [issue for page in walked(sign_in(long_histories), PROJECT) for issue in page.issues]

    assert all(issue.history_complete for issue in issues)
    assert "expired_token" in {incident.kind for incident in long_histories.faults.incidents}


def test_a_site_without_archived_projects_may_say_so_with_a_404() -> None:
    """Atlassian documents a 404 of project/search for the case that nothing matches; sites send an empty page."""

    def answer(path: str, _: int) -> Reply:
        known = {"X-AACCOUNTID": "me"}
        if "myself" in path:
            return Reply(200, b'{"accountId": "me"}', known)
        if "serverInfo" in path:
            return Reply(200, b'{"deploymentType": "Cloud"}', known)
        if "status=archived" in path:
            return Reply(404, b'{"errorMessages": ["No projects were found."]}', known)
        return Reply(200, b'{"isLast": true, "values": [{"id": "1", "key": "APP"}]}', known)

    with answering(answer) as (server, _):
        assert [project.key for project in connect(bearer(server), policy=FAST).projects()] == ["APP"]


def test_the_directory_is_read_to_its_end_although_its_pages_come_short() -> None:
    with Sandbox(generate_site(seed=2, issues=5, projects=1), flavour="cloud") as sandbox:
        users = list(sign_in(sandbox).directory())

        assert len({user.accountId for user in users}) == len(users) > 5
        sandbox.forbid_user_directory(True)
        with pytest.raises(RequestRefused) as refused:
            list(sign_in(sandbox).directory())
        assert refused.value.status == 403


@pytest.mark.parametrize("bearable", [300, 0])
def test_a_directory_that_is_slow_is_read_in_smaller_pages(monkeypatch: pytest.MonkeyPatch, bearable: int) -> None:
    """users/search answers 409 when a page takes more than ten seconds."""
    with Sandbox(generate_site(seed=2, issues=5, projects=1), flavour="cloud") as sandbox:
        site = sign_in(sandbox)
        everybody = list(site.directory())
        get, asked = site.transport.get, []

        def slow(path: str, params: dict[str, Any], **options: Any) -> Any:
            asked.append(params["maxResults"])
            if params["maxResults"] > bearable:
                raise RequestRefused("It took more than ten seconds.", status=409)
            return get(path, params, **options)

        monkeypatch.setattr(site.transport, "get", slow)
        if bearable:
            assert list(site.directory()) == everybody
            assert asked == [1000, 500, 250, 250, 250]
        else:
            with pytest.raises(RequestRefused):
                list(site.directory())
            assert len(asked) < 10


def test_what_a_walk_costs_is_counted(sandbox: Sandbox) -> None:
    meter = Meter()
    walked(sign_in(sandbox), PROJECT, meter)

    assert (meter.requests, meter.retries) == (3, 0)
    assert meter.bytes_received > 100_000

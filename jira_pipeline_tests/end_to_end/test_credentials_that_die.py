"""Credentials that die while a run is under way: what has come is stored whole, nothing counts as complete, the run
says why, and the next one goes on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.jira.errors import AccessTokenUnavailable, CredentialsRejected
from jira_pipeline.jira.oauth import OAuthTokens
from jira_pipeline.sandbox import Fault, Sandbox, generate_site
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline_tests.end_to_end.pipeline import QUICK, TODAY, Pipeline

# Which issues are stored, with how many histories and changes.
STORED = """
    SELECT project_id, issue_id, history_count, count(issue_changes.history_id)
    FROM issues JOIN raw_issues USING (issue_id, project_id) LEFT JOIN issue_changes USING (issue_id)
    WHERE history_complete GROUP BY ALL ORDER BY issue_id
"""
MARKS = "SELECT project_id, synced_through FROM ops.tracked_projects ORDER BY project_id"
PAGE = 4  # issues
# Where a walk asks for its pages, and the kinds of credentials there are.
SEARCH = {"cloud": "/search/jql", "datacenter": "/search", "oauth": "/search/jql"}
KINDS = tuple(SEARCH)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def sandbox(kind: str) -> Iterator[Sandbox]:
    """Three projects of ten issues, of which a page has four, some with long histories."""
    site = generate_site(5, issues=30, projects=3, max_histories=90)
    flavour = "datacenter" if kind == "datacenter" else "cloud"
    with Sandbox(site, flavour, authentication="oauth" if kind == "oauth" else "token") as sandbox:
        sandbox.now = TODAY
        yield sandbox


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path) -> Pipeline:
    return Pipeline(sandbox, tmp_path, threads=1)


def truth(sandbox: Sandbox) -> list[tuple[str, int, int, int]]:
    rows = []
    for issue in sandbox.issues():
        histories = issue["changelog"]["histories"]
        items = sum(len(history["items"]) for history in histories)
        rows.append((issue["fields"]["project"]["id"], int(issue["id"]), len(histories), items))
    return rows


def marks(pipeline: Pipeline) -> dict[str, datetime | None]:
    return dict(pipeline.rows(MARKS))


def let_happen(sandbox: Sandbox, action: Callable[[], Any], *, path: str, nth: int) -> None:
    """At the nth request of a path, with pages so short that a project has several."""
    sandbox.faults.add(Fault("site_change", action=action), path=path, nth=nth)
    sandbox.faults.add(Fault("short_page", size=PAGE), times=None)


def synced_to_the_end(sandbox: Sandbox, pipeline: Pipeline) -> dict[str, ProjectOutcome]:
    """What the next sync says, which nothing befalls: everything is stored then."""
    sandbox.faults.clear()
    outcomes = pipeline.sync()
    assert pipeline.rows(STORED) == truth(sandbox)
    return outcomes


@pytest.mark.parametrize("kind", KINDS, indirect=True)
@pytest.mark.parametrize("page", [2, 5, 8])
def test_a_first_sync_stores_whole_what_came_before_and_the_next_one_the_rest(
    sandbox: Sandbox, pipeline: Pipeline, kind: str, page: int
) -> None:
    let_happen(sandbox, sandbox.revoke_credentials, path=SEARCH[kind], nth=page)

    with pytest.raises(CredentialsRejected) as caught:
        pipeline.sync()

    everything = truth(sandbox)
    assert set(pipeline.rows(STORED)) < set(everything)
    complete = {project_id for project_id, mark in marks(pipeline).items() if mark is not None}
    assert len(complete) < 3
    assert {row for row in everything if row[0] in complete} <= set(pipeline.rows(STORED))
    states = pipeline.rows("SELECT project_id, sync_status, last_sync_error FROM ops.tracked_projects")
    assert {state for state in states if state[0] not in complete} == {
        (project_id, "error", str(caught.value)) for project_id in marks(pipeline).keys() - complete
    }

    sandbox.restore_credentials()
    outcomes = synced_to_the_end(sandbox, pipeline)
    assert {each.error for each in outcomes.values()} == {None}
    assert None not in marks(pipeline).values()


@pytest.mark.parametrize("kind", KINDS, indirect=True)
def test_an_incremental_sync_moves_no_watermark_and_the_next_one_finds_the_changes(
    sandbox: Sandbox, pipeline: Pipeline, kind: str
) -> None:
    pipeline.sync()
    before = marks(pipeline)
    changed = [each["key"] for each in sandbox.issues()]
    for key in changed:
        sandbox.update_issue(key, summary=f"{key} has changed")
    let_happen(sandbox, sandbox.revoke_credentials, path=SEARCH[kind], nth=3)

    with pytest.raises(CredentialsRejected):
        pipeline.sync()

    assert marks(pipeline) == before

    sandbox.restore_credentials()
    outcomes = synced_to_the_end(sandbox, pipeline)
    assert {(each.mode, each.error) for each in outcomes.values()} == {("incremental", None)}
    assert pipeline.rows("SELECT count(*) FROM issues WHERE summary = issue_key || ' has changed'") == [(len(changed),)]


@pytest.mark.parametrize("kind", ["cloud", "oauth"], indirect=True)
def test_histories_that_could_not_be_completed_are_not_taken_for_whole(sandbox: Sandbox, pipeline: Pipeline) -> None:
    """Cloud's pages bring 40 changes of an issue, the rest is asked for elsewhere."""
    let_happen(sandbox, sandbox.revoke_credentials, path="/changelog/bulkfetch", nth=1)

    with pytest.raises(CredentialsRejected):
        pipeline.sync()

    assert set(pipeline.rows(STORED)) < set(truth(sandbox))
    assert None in marks(pipeline).values()

    sandbox.restore_credentials()
    synced_to_the_end(sandbox, pipeline)


@pytest.mark.parametrize("kind", ["oauth"], indirect=True)
def test_an_access_token_that_expires_on_the_way_is_renewed_without_anybody_noticing(
    sandbox: Sandbox, pipeline: Pipeline
) -> None:
    let_happen(sandbox, sandbox.expire_access_tokens, path=SEARCH["oauth"], nth=5)

    outcomes = pipeline.sync()

    assert [request.path for request in sandbox.requests].count("/oauth/token") == 2, "at sign-in and on the way"
    assert {each.error for each in outcomes.values()} == {None}
    assert pipeline.rows(STORED) == truth(sandbox)


@pytest.mark.parametrize("kind", ["oauth"], indirect=True)
def test_a_token_endpoint_that_is_down_ends_the_run_and_not_the_authorisation(
    sandbox: Sandbox, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OAuthTokens.__init__.__kwdefaults__, "policy", QUICK)
    let_happen(sandbox, sandbox.expire_access_tokens, path=SEARCH["oauth"], nth=5)
    sandbox.faults.add(Fault("server_error"), path="/oauth/token", nth=2, times=None)

    with pytest.raises(AccessTokenUnavailable):
        pipeline.sync()

    assert set(pipeline.rows(STORED)) < set(truth(sandbox))
    assert None in marks(pipeline).values()

    synced_to_the_end(sandbox, pipeline)

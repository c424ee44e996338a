"""Fetching many projects with a few threads: everything once, whatever fails."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from jira_pipeline.jira.answers import Answer
from jira_pipeline.jira.errors import CredentialsRejected, SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.jira.transport import Transport
from jira_pipeline.sandbox import Fault, Flavour, Sandbox, generate_site
from jira_pipeline.sandbox.http_server import Request
from jira_pipeline.sync import fetch as fetching
from jira_pipeline.sync.fetch import ProjectFetch, fetch_projects
from jira_pipeline.sync.plan import ProjectPlan
from jira_pipeline_tests.jira.connecting import sign_in

ISSUE_SEARCH: dict[Flavour, str] = {"cloud": "/search/jql", "datacenter": "/api/2/search"}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Recorded:
    """Progress that is remembered; called by several threads."""

    shows_totals = True

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def started(self, project_key: str, mode: str) -> None:
        self.calls.append(("started", project_key, mode))

    def expects(self, project_key: str, total: int) -> None:
        self.calls.append(("expects", project_key, total))

    def landed(self, project_key: str, issues: int) -> None:
        self.calls.append(("landed", project_key, issues))

    def finished(self, project_key: str, issues: int, error: str | None) -> None:
        self.calls.append(("finished", project_key, issues, error))


@pytest.fixture(scope="module", params=["cloud", "datacenter"])
def shared_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    flavour: Flavour = request.param
    with Sandbox(generate_site(7, issues=900, projects=2, max_histories=3), flavour) as sandbox:
        sandbox.now = NOW
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.faults.clear()
    shared_sandbox.restore_credentials()
    shared_sandbox.latency_seconds = 0.0


def plans(site: JiraSite, *extra: Project) -> list[ProjectPlan]:
    """A full sync of every project, after those in `extra`."""
    return [ProjectPlan(project, "full", IssueWindow(project.id), None) for project in (*extra, *site.projects())]


def fetch(
    site: JiraSite, planned: Sequence[ProjectPlan], directory: Path, at_once: int = 4, progress: Recorded | None = None
) -> dict[str, ProjectFetch]:
    found = fetch_projects(site, planned, directory, at_once=at_once, started_at=NOW, progress=progress or Recorded())
    return {each.plan.project.key: each for batch in found for each in batch if isinstance(each, ProjectFetch)}


def landed_files(directory: Path, fetched: ProjectFetch) -> list[Path]:
    return sorted(directory.glob(f"{fetched.plan.project.id}-*.heads.zst"))


def landed_heads(directory: Path, fetched: ProjectFetch) -> list[dict[str, Any]]:
    """What the landing files of a project say of its issues, as often as they are there."""
    heads = []
    for file in landed_files(directory, fetched):
        with zstandard.open(file, "rt", encoding="utf-8") as lines:
            heads += [json.loads(line) for line in lines]
    return heads


def landed(directory: Path, fetched: ProjectFetch) -> list[int]:
    """The ids in a project's landing files, as often as they are there."""
    return [head["issue_id"] for head in landed_heads(directory, fetched)]


def truth(sandbox: Sandbox) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for issue in sandbox.issues():
        found.setdefault(issue["fields"]["project"]["key"], []).append(int(issue["id"]))
    return found


@pytest.mark.parametrize("at_once", [1, 4])
def test_every_issue_of_every_project_lands(sandbox: Sandbox, tmp_path: Path, at_once: int) -> None:
    fetched = fetch(site := sign_in(sandbox), plans(site), tmp_path, at_once)

    for key, ids in truth(sandbox).items():
        assert sorted(set(landed(tmp_path, fetched[key]))) == ids
        assert fetched[key].error is None
        assert fetched[key].watermark is not None
        assert fetched[key].requests > 0
    assert len(truth(sandbox)) == 2


@pytest.mark.parametrize("at_once", [1, 4])
def test_as_many_requests_are_under_way_at_once_as_asked_for(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    sandbox.latency_seconds = 0.05
    send, under_way, most = Transport._send, 0, 0
    counting = threading.Lock()

    def counted(*arguments: Any) -> Answer:
        nonlocal under_way, most
        with counting:
            under_way += 1
            most = max(most, under_way)
        try:
            return send(*arguments)
        finally:
            with counting:
                under_way -= 1

    site = sign_in(sandbox)
    planned = plans(site)
    monkeypatch.setattr(Transport, "_send", counted)

    fetch(site, planned, tmp_path, at_once)

    assert most == at_once


def test_a_big_project_is_split_among_threads_without_losing_or_doubling_an_issue(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nor at the price of many more requests than one walk would take."""
    site = sign_in(sandbox)
    sandbox.latency_seconds = 0.03
    planned = [each for each in plans(site) if each.project.key == "APP"]

    fetched = fetch(site, planned, tmp_path, 4)["APP"]

    ids = truth(sandbox)["APP"]
    assert len(ids) > 500
    assert len({file.name[:10] for file in landed_files(tmp_path, fetched)}) > 1, "one walk did it all"
    counted = Counter(landed(tmp_path, fetched))
    assert sorted(counted) == ids
    if sandbox.flavour == "cloud":
        assert set(counted.values()) == {1}
    assert fetched.requests <= 3 * (len(ids) / 100) + 15


@pytest.mark.parametrize("at_once", [1, 4])
def test_histories_that_a_search_cuts_are_completed_for_many_pages_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(fetching, "_COMPLETED_TOGETHER", 8)
    with Sandbox(generate_site(5, issues=900, projects=1, max_histories=60), "cloud") as sandbox:
        site = sign_in(sandbox)
        (fetched,) = fetch(site, plans(site), tmp_path, at_once).values()
        heads = {head["issue_id"]: head for head in landed_heads(tmp_path, fetched)}
        asked = Counter(request.path.rpartition("/rest/api/2/")[2] for request in sandbox.requests)
        wanted = {int(issue["id"]): len(issue["changelog"]["histories"]) for issue in sandbox.issues()}

    assert {issue_id: head["history_count"] for issue_id, head in heads.items()} == wanted
    assert all(head["history_complete"] for head in heads.values())
    cut = sum(count > 40 for count in wanted.values())
    walks = len({file.name[:10] for file in landed_files(tmp_path, fetched)})
    assert cut == 21
    assert asked["changelog/bulkfetch"] <= cut // 8 + walks
    if at_once == 1:
        assert (asked["search/jql"], asked["changelog/bulkfetch"]) == (9, 3)


def test_a_project_that_fails_does_not_stop_the_others(sandbox: Sandbox, tmp_path: Path) -> None:
    site = sign_in(sandbox)
    gone = Project("99999", "GONE")

    fetched = fetch(site, plans(site, gone), tmp_path)

    assert "does not show this project" in str(fetched["GONE"].error)
    assert fetched["GONE"].watermark is None
    for key, ids in truth(sandbox).items():
        assert sorted(set(landed(tmp_path, fetched[key]))) == ids


def test_a_project_that_fails_half_way_keeps_its_watermark_and_what_had_landed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    site = sign_in(sandbox)
    old = NOW - timedelta(days=400)
    (app,) = [project for project in site.projects() if project.key == "APP"]
    sandbox.faults.add(Fault("server_error"), path=ISSUE_SEARCH[sandbox.flavour], nth=3, times=None)

    fetched = fetch(site, [ProjectPlan(app, "full", IssueWindow(app.id), old)], tmp_path, 1)["APP"]

    assert isinstance(fetched.error, SiteUnavailable)
    assert fetched.watermark == old
    assert 0 < len(landed(tmp_path, fetched)) < len(truth(sandbox)["APP"])


def test_a_fatal_error_stops_every_project_and_none_counts_as_complete(sandbox: Sandbox, tmp_path: Path) -> None:
    """Also one whose page has just arrived: what would have come after it is missing."""
    site = sign_in(sandbox)
    planned = plans(site)
    sandbox.faults.add("captcha", path=ISSUE_SEARCH[sandbox.flavour], nth=2, times=None)
    started = time.monotonic()

    fetched = fetch(site, planned, tmp_path, 2)

    assert set(fetched) == set(truth(sandbox))
    assert all(isinstance(each.error, CredentialsRejected) for each in fetched.values())
    assert all(each.watermark is None for each in fetched.values())
    assert time.monotonic() - started < 20


def test_a_page_that_arrives_after_the_end_of_all_does_not_complete_its_project(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """The first project's only page is held back until the second project has stopped the run."""
    site = sign_in(sandbox)
    planned = plans(site)
    stopped = threading.Event()
    stop = site.transport.limiter.stop

    def stop_and_tell() -> None:
        stop()
        stopped.set()

    site.transport.limiter.stop = stop_and_tell  # type: ignore[method-assign]
    first, second = (each.project.id.encode() for each in planned)

    def asks_for(project_id: bytes) -> Callable[[Request], bool]:
        return lambda request: b"project = " + project_id in _text(request)

    path = ISSUE_SEARCH[sandbox.flavour]
    sandbox.faults.add(Fault("site_change", action=lambda: stopped.wait(10)), path=path, when=asks_for(first))
    sandbox.faults.add("captcha", path=path, when=asks_for(second), times=None)

    fetched = fetch(site, planned, tmp_path, 2)

    assert stopped.is_set()
    assert all(isinstance(each.error, CredentialsRejected) for each in fetched.values())
    assert all(each.watermark is None for each in fetched.values())


def _text(request: Request) -> bytes:
    return request.body or (request.parameter("jql") or "").encode()


def test_no_thread_is_left_when_the_fetch_is_over_or_abandoned(sandbox: Sandbox, tmp_path: Path) -> None:
    site = sign_in(sandbox)
    fetch(site, plans(site), tmp_path)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("jira-fetch")]

    abandoned = fetch_projects(site, plans(site), tmp_path, at_once=2, started_at=NOW, progress=Recorded())
    next(abandoned)
    abandoned.close()  # type: ignore[attr-defined]

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("jira-fetch")]


def test_progress_is_told_of_every_issue_and_of_each_projects_beginning_and_end(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    progress = Recorded()
    site = sign_in(sandbox)

    fetched = fetch(site, plans(site), tmp_path, 2, progress)

    for key, each in fetched.items():
        mine = [call for call in progress.calls if call[1] == key]
        assert mine[0] == ("started", key, "full")
        assert mine[-1] == ("finished", key, each.issues_fetched, None)
        assert (
            sum(call[2] for call in mine if call[0] == "landed") == each.issues_fetched == len(landed(tmp_path, each))
        )
        assert [call[0] for call in mine].count("started") == [call[0] for call in mine].count("finished") == 1


def test_nothing_planned_asks_nothing(sandbox: Sandbox, tmp_path: Path) -> None:
    site = sign_in(sandbox)

    assert fetch(site, [], tmp_path) == {}
    assert sandbox.requests == []

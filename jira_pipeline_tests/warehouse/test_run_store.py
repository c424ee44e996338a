"""What has landed is stored together, whatever projects it is of, and each project fails by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.pages import IssueRecord
from jira_pipeline.jira.site import Project
from jira_pipeline.sync.fetch import Landed, ProjectFetch
from jira_pipeline.sync.landing import LandingFile, LandingWriter
from jira_pipeline.sync.plan import ProjectPlan
from jira_pipeline.warehouse import load, run_store
from jira_pipeline.warehouse.operations import TrackedState, store_tracked_projects
from jira_pipeline.warehouse.run_store import ProjectOutcome, RunStore
from jira_pipeline_tests.warehouse.loading import DAY, Store, history, issue, item, record

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
APP, OPS, WEB = projects = [Project(id=str(10_000 + n), key=key) for n, key in enumerate(("APP", "OPS", "WEB"))]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many landing files each load took."""
    sizes: list[int] = []
    load_issues = run_store.load_issues

    def noted(connection: Any, files: Sequence[LandingFile], **parameters: Any) -> Any:
        sizes.append(len(files))
        return load_issues(connection, files, **parameters)

    monkeypatch.setattr(run_store, "load_issues", noted)
    return sizes


def issues_of(project: Project) -> list[IssueRecord]:
    """As many issues as the last digit of the project's id and one more, each with two changes."""
    count = int(project.id) % 10 + 1
    place = {"id": project.id, "key": project.key}
    changes = [history(n, item("status", "1", str(n))) for n in (1, 2)]
    return [
        record(issue(issue_id=int(project.id) * 10 + n, key=f"{project.key}-{n}", histories=changes, project=place))
        for n in range(count)
    ]


def ended(project: Project, error: Exception | None = None) -> ProjectFetch:
    plan = ProjectPlan(project, "full", IssueWindow(project.id), None)
    return ProjectFetch(plan, (), int(project.id) % 10 + 1, NOW, NOW, 1, 0, 1, error)


def land(store: RunStore, directory: Path) -> dict[str, LandingFile]:
    landed = {}
    for order, project in enumerate(projects):
        with LandingWriter(directory, project, order=order) as writer:
            writer.write(issues_of(project))
        (landed[project.key],) = writer.take_files()
        store.add(Landed(ended(project).plan, landed[project.key]))
    return landed


def finished(warehouse: Store, store: RunStore, *fetches: ProjectFetch) -> dict[str, ProjectOutcome]:
    with warehouse.warehouse.transaction() as connection:
        states = [TrackedState(project.id, project.key, project.key, None, True) for project in projects]
        store_tracked_projects(connection, states)
    with warehouse.warehouse.connection(whole_issues=True) as connection:
        return {outcome.project_key: outcome for outcome in store.store(connection, fetches)}


def stored(warehouse: Store) -> list[tuple[Any, ...]]:
    return warehouse.rows(
        "SELECT project_key, count(*), (SELECT count(*) FROM issue_changes JOIN raw_issues AS r USING (issue_id) "
        "WHERE r.project_key = raw_issues.project_key) FROM raw_issues GROUP BY project_key ORDER BY project_key"
    )


@pytest.fixture
def run(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path, run_id="run", partition_date=DAY)


def test_small_projects_are_loaded_at_once_and_counted_apart(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int]
) -> None:
    files = land(run, tmp_path)

    outcomes = finished(store, run, *map(ended, projects))

    assert loads == [3]
    assert stored(store) == [("APP", 1, 2), ("OPS", 2, 4), ("WEB", 3, 6)]
    counted = {key: (o.issues_created, o.issues_updated, o.changes_written, o.error) for key, o in outcomes.items()}
    assert counted == {"APP": (1, 0, 2, None), "OPS": (2, 0, 4, None), "WEB": (3, 0, 6, None)}
    assert store.rows("SELECT project_key, issues_created FROM ops.sync_runs ORDER BY project_key") == [
        ("APP", 1),
        ("OPS", 2),
        ("WEB", 3),
    ]
    assert store.rows("SELECT DISTINCT sync_status, synced_through FROM ops.tracked_projects") == [("complete", NOW)]
    assert not any(path.exists() for file in files.values() for path in file.paths)


def test_one_that_cannot_be_stored_takes_no_other_with_it(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int]
) -> None:
    land(run, tmp_path)["OPS"].payloads.write_bytes(b"")

    outcomes = finished(store, run, *map(ended, projects))

    assert loads == [3, 1, 1, 1]
    assert stored(store) == [("APP", 1, 2), ("WEB", 3, 6)]
    assert {key for key, outcome in outcomes.items() if outcome.error is None} == {"APP", "WEB"}
    assert "What was fetched of OPS could not be stored" in str(outcomes["OPS"].error)
    assert store.rows("SELECT project_key FROM ops.tracked_projects WHERE synced_through IS NULL") == [("OPS",)]


def test_how_each_fetch_ended_is_noted_with_its_issues(store: Store, run: RunStore, tmp_path: Path) -> None:
    land(run, tmp_path)

    outcomes = finished(store, run, ended(APP), ended(OPS, ValueError("half of it")), ended(WEB))

    assert str(outcomes["OPS"].error) == "half of it"
    assert store.rows("SELECT project_key, sync_status, last_sync_error FROM ops.tracked_projects ORDER BY 1") == [
        ("APP", "complete", None),
        ("OPS", "error", "half of it"),
        ("WEB", "complete", None),
    ]
    assert len(stored(store)) == 3


def test_no_more_projects_are_stored_together_than_are_a_batch(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = land(run, tmp_path)
    monkeypatch.setattr(load, "_BATCH_BYTES", files["APP"].json_bytes + files["OPS"].json_bytes)

    outcomes = finished(store, run, *map(ended, projects))

    assert loads == [2, 1]
    assert [outcome.error for outcome in outcomes.values()] == [None, None, None]


def test_what_waits_is_enough_when_all_of_it_is_a_batch(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not run.has_enough
    files = land(run, tmp_path)
    assert not run.has_enough
    monkeypatch.setattr(load, "_BATCH_BYTES", sum(file.json_bytes for file in files.values()))
    assert run.has_enough

    assert finished(store, run) == {}

    assert loads == [3]
    assert stored(store) == [("APP", 1, 2), ("OPS", 2, 4), ("WEB", 3, 6)]
    assert store.rows("SELECT project_key FROM ops.tracked_projects WHERE synced_through IS NOT NULL") == []
    assert not run.has_enough
    assert not any(path.exists() for file in files.values() for path in file.paths)


def test_a_transaction_takes_no_more_than_a_batch_however_much_waits(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = land(run, tmp_path)
    monkeypatch.setattr(load, "_BATCH_BYTES", files["APP"].json_bytes)

    finished(store, run)

    assert loads == [1, 1, 1]
    assert stored(store) == [("APP", 1, 2), ("OPS", 2, 4), ("WEB", 3, 6)]


def test_a_project_that_ends_takes_along_what_waits_of_others_and_counts_its_own(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int]
) -> None:
    land(run, tmp_path)

    first = finished(store, run, ended(OPS))
    rest = finished(store, run, ended(APP), ended(WEB))

    assert loads == [3, 0]
    assert stored(store) == [("APP", 1, 2), ("OPS", 2, 4), ("WEB", 3, 6)]
    created = {key: outcome.issues_created for key, outcome in (first | rest).items()}
    assert created == {"OPS": 2, "APP": 1, "WEB": 3}


def test_what_could_not_be_stored_while_a_project_was_fetched_fails_it_at_its_end(
    store: Store, run: RunStore, tmp_path: Path, loads: list[int]
) -> None:
    files = land(run, tmp_path)
    files["WEB"].histories.write_bytes(b"")

    first = finished(store, run, ended(OPS))
    rest = finished(store, run, ended(APP), ended(WEB))

    assert loads == [3, 1, 1, 1, 0]
    assert not files["WEB"].heads.exists()
    assert stored(store) == [("APP", 1, 2), ("OPS", 2, 4)]
    assert [outcome.error for outcome in (first["OPS"], rest["APP"])] == [None, None]
    assert "What was fetched of WEB could not be stored" in str(rest["WEB"].error)
    assert store.rows("SELECT project_key FROM ops.tracked_projects WHERE synced_through IS NULL") == [("WEB",)]

"""What is told of the tracked projects is what the last run recorded, published or not, and holds no run up."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.states import project_states
from jira_pipeline_tests.warehouse.loading import Store

ERROR = "Jira has rejected the credentials."


def told(warehouse: Warehouse) -> list[tuple[str, str | None]]:
    return [(state.sync_status, state.last_sync_error) for state in project_states(warehouse)]


@pytest.fixture
def stopped(store: Store) -> Warehouse:
    """A project was synced and published; then a run stopped before it could publish anything."""
    with store.warehouse.transaction() as connection:
        connection.execute(
            "INSERT INTO ops.tracked_projects (project_key, configured_key, is_active, sync_status) "
            "VALUES ('P', 'P', true, 'complete')"
        )
    store.warehouse.publish()
    assert told(store.warehouse) == [("complete", None)]
    with store.warehouse.transaction() as connection:
        connection.execute("UPDATE ops.tracked_projects SET sync_status = 'error', last_sync_error = ?", [ERROR])
    return store.warehouse


def test_an_error_that_ended_a_run_is_told(stopped: Warehouse) -> None:
    assert told(stopped) == [("error", ERROR)]


def test_an_error_that_ended_the_first_run_is_told(stopped: Warehouse) -> None:
    stopped.published.unlink()
    assert told(stopped) == [("error", ERROR)]


def test_while_a_run_is_writing_the_published_state_is_told_at_once(stopped: Warehouse) -> None:
    with stopped.connection():
        assert told(stopped) == [("complete", None)]
        stopped.published.unlink()
        assert told(stopped) == []


def test_whoever_may_only_read_the_published_file_is_told_what_is_there(
    stopped: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(path: Path, *arguments: object, **settings: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("jira_pipeline.warehouse.database.FileLock.acquire", forbidden)
    assert told(stopped) == [("complete", None)]


def test_nothing_is_told_and_nothing_made_before_the_first_run(tmp_path: Path) -> None:
    assert told(Warehouse(tmp_path / "jira.duckdb")) == []
    assert list(tmp_path.iterdir()) == []

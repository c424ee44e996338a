"""ops.tracked_projects follows the configuration and the site, and forgets nothing."""

from __future__ import annotations

from jira_pipeline.warehouse.operations import TrackedState, known_project_ids, store_tracked_projects
from jira_pipeline_tests.warehouse.loading import Store


def tracked(project_id: str | None, key: str = "APP") -> TrackedState:
    return TrackedState(
        project_id=project_id,
        project_key=key,
        configured_key=key,
        name="App" if project_id else None,
        is_active=True,
    )


def rows(store: Store, *states: TrackedState) -> list[tuple[object, ...]]:
    with store.warehouse.transaction() as connection:
        store_tracked_projects(connection, states)
        return connection.execute(
            "SELECT project_id, project_key, is_active FROM ops.tracked_projects ORDER BY project_id"
        ).fetchall()


def test_a_project_known_by_key_alone_gets_its_id_when_jira_shows_it(store: Store) -> None:
    assert rows(store, tracked(None)) == [(None, "APP", True)]
    assert rows(store, tracked("10000")) == [("10000", "APP", True)]
    assert rows(store, tracked("10000")) == [("10000", "APP", True)]


def test_a_key_that_now_belongs_to_another_project_gets_a_row_of_its_own(store: Store) -> None:
    rows(store, tracked("10000"))

    assert rows(store, tracked("10007")) == [("10000", "APP", False), ("10007", "APP", True)]
    with store.warehouse.transaction() as connection:
        assert known_project_ids(connection) == {"APP": "10007"}


def test_a_project_that_is_no_longer_tracked_stays_inactive(store: Store) -> None:
    rows(store, tracked("10000"))

    assert rows(store, tracked("10001", "OPS")) == [("10000", "APP", False), ("10001", "OPS", True)]

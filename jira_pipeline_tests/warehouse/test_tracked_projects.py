"""What ops.tracked_projects keeps when a project gets another key."""

from __future__ import annotations

from typing import Any

from jira_pipeline.warehouse.operations import TrackedState, store_tracked_projects, watermarks
from jira_pipeline_tests.warehouse.loading import Store


def remember(store: Store, key: str, name: str | None = "Mobile App") -> None:
    with store.warehouse.transaction() as connection:
        store_tracked_projects(connection, [TrackedState("10000", key, "APP", name, True)])


def synced_through(store: Store) -> dict[str, Any]:
    with store.warehouse.transaction() as connection:
        return dict(watermarks(connection))


def sync_to_the_end(store: Store) -> None:
    remember(store, "APP")
    store.rows("UPDATE ops.tracked_projects SET synced_through = '2026-11-02 10:00:00+00' RETURNING 1")
    assert "10000" in synced_through(store)


def test_a_project_with_a_new_key_is_fetched_whole_again(store: Store) -> None:
    """All its issues have new keys then, and none of them a newer update that a search could find it by."""
    sync_to_the_end(store)

    remember(store, "MOBILE")

    assert synced_through(store) == {}
    assert store.rows("SELECT project_key, configured_key FROM ops.tracked_projects") == [("MOBILE", "APP")]


def test_a_new_name_is_no_reason_to_fetch_a_project_again(store: Store) -> None:
    sync_to_the_end(store)

    remember(store, "APP", "Mobile")

    assert "10000" in synced_through(store)
    assert store.rows("SELECT name FROM ops.tracked_projects") == [("Mobile",)]


def test_a_renamed_project_that_is_out_of_sight_keeps_its_key_and_its_watermark(store: Store) -> None:
    remember(store, "APP")
    remember(store, "MOBILE")
    store.rows("UPDATE ops.tracked_projects SET synced_through = '2026-11-02 10:00:00+00' RETURNING 1")

    remember(store, "APP", name=None)  # only the configuration still names it

    assert store.rows("SELECT project_key, name FROM ops.tracked_projects") == [("MOBILE", "Mobile App")]
    remember(store, "MOBILE")
    assert "10000" in synced_through(store)

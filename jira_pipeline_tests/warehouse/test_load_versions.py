"""raw_issues: one row an issue, the newest version wins, and loading twice changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from jira_pipeline.warehouse.load import LoadCounts
from jira_pipeline_tests.warehouse.loading import Store, history, issue, item

OLDER, NEWER = "2026-11-01T10:00:00.000+0000", "2026-11-05T10:00:00.000+0000"
ONE, TWO = history(1, item("status", "a", "b")), history(2, item("status", "b", "c"))


def stored_summaries(store: Store) -> list[str]:
    return [row[0] for row in store.rows("SELECT payload ->> '$.fields.summary' FROM raw_issues ORDER BY issue_id")]


def test_an_issue_is_stored_as_jira_sent_it_without_its_changelog(store: Store) -> None:
    store.load(issue(7, histories=[ONE], customfield_1={"odd": [1, None]}))

    row = store.row("SELECT * FROM raw_issues")

    assert {name: row[name] for name in ("issue_id", "issue_key", "project_id", "project_key")} == {
        "issue_id": 7,
        "issue_key": "APP-7",
        "project_id": "10000",
        "project_key": "APP",
    }
    assert row["created_at"] == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert row["updated_at"] == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert (row["history_count"], row["history_complete"]) == (1, True)
    assert row["partition_date"] == date(2026, 11, 2)
    assert (row["removed_at"], row["removal_reason"]) == (None, None)
    assert store.value("SELECT payload -> '$.fields.customfield_1' FROM raw_issues") == '{"odd":[1,null]}'
    assert store.value("SELECT json_exists(payload, '$.changelog') FROM raw_issues") is False


def test_a_newer_version_replaces_the_stored_one(store: Store) -> None:
    store.load(issue(1, summary="old"))

    counts = store.load(issue(1, summary="new", updated=NEWER))

    assert counts == LoadCounts(issues_created=0, issues_updated=1)
    assert stored_summaries(store) == ["new"]


def test_an_older_version_is_dropped(store: Store) -> None:
    store.load(issue(1, summary="now", histories=[ONE, TWO]))

    counts = store.load(issue(1, summary="before", updated=OLDER, histories=[ONE]))

    assert counts == LoadCounts()
    assert stored_summaries(store) == ["now"]
    assert store.value("SELECT count(*) FROM issue_changes") == 2


def test_other_content_with_the_same_update_replaces_the_stored_version(store: Store) -> None:
    """A renamed project or sprint shows in the issue without moving `updated`."""
    store.load(issue(1, project={"id": "10000", "key": "OLD"}))

    store.load(issue(1, key="NEW-1", project={"id": "10000", "key": "NEW"}))

    assert store.rows("SELECT issue_key, project_key FROM raw_issues") == [("NEW-1", "NEW")]


def test_loading_the_same_files_again_changes_no_row_of_any_table(store: Store) -> None:
    files = store.land(issue(1, histories=[ONE, TWO]), issue(2, assignee={"accountId": "a1", "displayName": "Ana"}))
    store.load_files(files)
    tables = ("raw_issues", "issue_changes", "users", "statuses")
    before = {table: store.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables}
    assert all(before.values())

    counts = store.load_files(files, partition_date=date(2026, 11, 9), synced_at=datetime(2026, 11, 10, tzinfo=UTC))

    assert counts == LoadCounts()
    assert {table: store.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables} == before


def test_an_issue_that_comes_twice_in_one_fetch_is_stored_once_in_its_newest_version(store: Store) -> None:
    counts = store.load(
        issue(1, summary="first", histories=[ONE]),
        issue(1, summary="last", updated=NEWER, histories=[ONE, TWO]),
        issue(1, summary="first", histories=[ONE]),
    )

    assert counts == LoadCounts(issues_created=1, changes_written=2)
    assert stored_summaries(store) == ["last"]


def test_a_cut_history_does_not_replace_a_whole_one_of_the_same_version(store: Store) -> None:
    store.load(issue(1, histories=[ONE, TWO]))

    counts = store.load(issue(1, histories=[TWO], total=2))

    assert counts == LoadCounts()
    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(2, True)]
    assert store.value("SELECT count(*) FROM issue_changes") == 2


def test_a_whole_history_replaces_a_cut_one_of_the_same_version(store: Store) -> None:
    store.load(issue(1, histories=[TWO], total=2))
    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(2, False)]

    store.load(issue(1, histories=[ONE, TWO]))

    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(2, True)]
    assert store.value("SELECT count(*) FROM issue_changes") == 2


def test_of_two_copies_in_one_fetch_the_one_with_the_whole_history_counts(store: Store) -> None:
    store.load(issue(1, histories=[ONE, TWO]), issue(1, histories=[TWO], total=2))

    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(2, True)]


def test_a_newer_version_with_a_cut_history_is_stored_and_says_so(store: Store) -> None:
    store.load(issue(1, histories=[ONE]))

    store.load(issue(1, updated=NEWER, histories=[TWO], total=2))

    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(2, False)]


def test_a_removed_issue_that_comes_back_is_there_again(store: Store) -> None:
    files = store.land(issue(1))
    store.load_files(files)
    store.rows("UPDATE raw_issues SET removed_at = now(), removal_reason = 'not_visible'")

    store.load_files(files)

    assert store.rows("SELECT removed_at, removal_reason FROM raw_issues") == [(None, None)]


def test_keys_stay_unique_whatever_is_loaded_in_whatever_order(store: Store) -> None:
    versions = [
        store.land(*(issue(n, updated=at, histories=[history(n * 10 + k, item("status")) for k in range(n)])
                     for n in numbers))
        for at, numbers in ((OLDER, (1, 2, 3)), (NEWER, (2, 3, 4)), (OLDER, (4, 5)))
    ]  # fmt: skip
    for files in (*versions, *reversed(versions)):
        store.load_files(files)

    assert store.rows("SELECT issue_id FROM raw_issues ORDER BY issue_id") == [(n,) for n in (1, 2, 3, 4, 5)]
    assert store.value("SELECT count(*) FROM issue_changes") == 1 + 2 + 3 + 4 + 5
    assert store.value("SELECT count(DISTINCT (issue_id, history_id, item_index)) FROM issue_changes") == 15


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-02T10:00:00.000+0000",
        "2026-11-02T10:00:00.000Z",
        "2026-11-02T12:00:00.000+02:00",
        "2026-11-02T03:00:00.000-0700",
        "2026-11-02T15:45:00.000+0545",
        "2026-11-02T10:00:00+00:00",
    ],
)
def test_every_offset_means_the_same_instant(store: Store, written: str) -> None:
    row = store.typed(
        issue(
            created=written, updated=written, resolutiondate=written, histories=[history(1, item("x"), created=written)]
        )
    )

    instant = datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert (row["created_at"], row["updated_at"], row["resolved_at"]) == (instant, instant, instant)
    assert store.value("SELECT changed_at FROM issue_changes") == instant

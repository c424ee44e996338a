"""ops.quarantined_issues: what cannot be read is set aside once, with its payload, and leaves when it is read well."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from jira_pipeline.jira.pages import UnreadableIssue, read_issue
from jira_pipeline_tests.warehouse.loading import SYNCED_AT, Json, Store, issue

LATER = datetime(2026, 11, 20, tzinfo=UTC)


def unreadable(raw: Json) -> UnreadableIssue:
    entry = read_issue(json.dumps(raw).encode())
    assert isinstance(entry, UnreadableIssue)
    return entry


def broken(issue_id: int = 5, **fields: Any) -> UnreadableIssue:
    return unreadable(issue(issue_id, **{"created": None, **fields}))


def test_an_unreadable_issue_is_kept_with_its_payload_and_the_reason(store: Store) -> None:
    entry = broken(5)
    store.load(issue(1), unreadable=[entry])

    row = store.row("SELECT * FROM ops.quarantined_issues")

    assert (row["issue_id"], row["issue_key"], row["project_key"]) == (5, "APP-5", "APP")
    assert "created" in row["error"]
    assert json.loads(row["payload"]) == json.loads(entry.payload)
    assert row["first_seen_at"] == row["last_seen_at"] == SYNCED_AT
    assert store.rows("SELECT issue_id FROM raw_issues") == [(1,)]


def test_meeting_it_again_only_moves_last_seen(store: Store) -> None:
    store.load(unreadable=[broken(5)])

    store.load_files((), unreadable=[broken(5), broken(5)], synced_at=LATER)

    assert store.rows("SELECT first_seen_at, last_seen_at FROM ops.quarantined_issues") == [(SYNCED_AT, LATER)]


def test_its_latest_payload_is_the_one_that_is_kept(store: Store) -> None:
    store.load(unreadable=[broken(5, summary="first")])

    store.load(unreadable=[broken(5, summary="second")])

    assert store.rows("SELECT payload ->> '$.fields.summary' FROM ops.quarantined_issues") == [("second",)]


def test_it_leaves_when_a_later_sync_reads_it_well(store: Store) -> None:
    store.load(unreadable=[broken(5), broken(6)])

    store.load(issue(5))

    assert store.rows("SELECT issue_id FROM ops.quarantined_issues") == [(6,)]
    assert store.rows("SELECT issue_id FROM raw_issues") == [(5,)]


def test_one_whose_id_could_not_be_read_leaves_by_its_key(store: Store) -> None:
    without_id = issue(5)
    without_id["id"] = "unknown"
    store.load(unreadable=[unreadable(without_id)])
    assert store.rows("SELECT issue_id, issue_key FROM ops.quarantined_issues") == [(None, "APP-5")]

    store.load(issue(5))

    assert store.rows("SELECT issue_key FROM ops.quarantined_issues") == []


@pytest.mark.parametrize("raw", [None, 7, "text", [], {}, {"id": []}, {"id": "x1", "key": "APP-1"}], ids=json.dumps)
def test_what_is_no_issue_at_all_is_set_aside_as_it_is(store: Store, raw: Any) -> None:
    for _ in range(2):
        store.load(unreadable=[unreadable(raw)])

    assert [json.loads(row[0]) for row in store.rows("SELECT payload FROM ops.quarantined_issues")] == [raw]


@pytest.mark.parametrize(
    "number", [2**63, 10**30, -(2**63) - 1], ids=["one more than fits", "huge", "one less than fits"]
)
def test_an_id_that_is_no_64_bit_number_is_set_aside_and_holds_nobody_up(store: Store, number: int) -> None:
    by_issue = issue(1)
    by_issue["id"] = str(number)
    by_history = issue(2, histories=[{"id": str(number), "items": []}])
    by_total = issue(3, histories=[], total=abs(number))

    store.load(issue(4), unreadable=[unreadable(each) for each in (by_issue, by_history, by_total)])

    assert store.value("SELECT count(*) FROM ops.quarantined_issues") == 3
    assert store.rows("SELECT issue_id FROM raw_issues") == [(4,)]

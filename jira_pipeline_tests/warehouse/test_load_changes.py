"""issue_changes: one row a changelog item, complete, whatever form Jira gives it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from jira_pipeline_tests.warehouse.loading import Store, history, issue, item

NEWER = "2026-11-05T10:00:00.000+0000"


def test_a_changelog_item_becomes_a_row(store: Store) -> None:
    moved = {"field": "status", "fieldId": "status", "from": "1", "fromString": "To Do", "to": "3", "toString": "Doing"}
    store.load(issue(5, histories=[history(900, moved, author={"accountId": "a1", "displayName": "Ana"})]))

    assert store.row("SELECT * FROM issue_changes") == {
        "issue_id": 5,
        "history_id": 900,
        "item_index": 0,
        "changed_at": datetime(2026, 11, 2, 10, tzinfo=UTC),
        "author_id": "a1",
        "field": "status",
        "field_id": "status",
        "from_value": "1",
        "from_string": "To Do",
        "to_value": "3",
        "to_string": "Doing",
        "load_id": 1,
    }


def test_the_same_field_twice_in_one_history_gives_two_rows(store: Store) -> None:
    store.load(issue(histories=[history(1, item("Fix Version", "1.0", None), item("Fix Version", None, "2.0"))]))

    rows = store.rows("SELECT history_id, item_index, from_string, to_string FROM issue_changes ORDER BY item_index")

    assert rows == [(1, 0, "1.0", None), (1, 1, None, "2.0")]


def test_history_ids_are_numbers(store: Store) -> None:
    """As texts, 9 would come after 10."""
    store.load(issue(histories=[history("10", item("x")), history("9", item("x")), {"id": 11, "items": [item("x")]}]))

    assert store.rows("SELECT history_id FROM issue_changes ORDER BY history_id") == [(9,), (10,), (11,)]


def test_a_newer_version_rewrites_all_changes_of_its_issue_and_no_other(store: Store) -> None:
    store.load(
        issue(1, histories=[history(1, item("a")), history(2, item("b"))]), issue(2, histories=[history(3, item("c"))])
    )

    store.load(issue(1, updated=NEWER, histories=[history(1, item("a")), history(4, item("d"))]))

    assert store.rows("SELECT issue_id, history_id FROM issue_changes ORDER BY ALL") == [(1, 1), (1, 4), (2, 3)]


def test_all_changes_of_an_issue_have_the_load_of_their_issue(store: Store) -> None:
    """The flow metrics look for the changes of a changed issue only in what that load and later ones have written."""
    store.load(issue(1, histories=[history(1, item("a"))]), issue(2, histories=[history(3, item("c"))]))
    store.load(issue(1, updated=NEWER, histories=[history(1, item("a")), history(4, item("d"))]))

    loads = store.rows("SELECT issue_id, load_id FROM raw_issues ORDER BY ALL")

    assert loads == [(1, 2), (2, 1)]
    assert store.rows("SELECT DISTINCT issue_id, load_id FROM issue_changes ORDER BY ALL") == loads


def test_a_history_without_readable_items_gives_no_row_and_spoils_nothing(store: Store) -> None:
    odd: list[dict[str, Any]] = [
        {"items": each} for each in (None, [], "none", 7, {"field": "status"}, [None], ["status"], [[]])
    ]
    entries = [{"id": str(n), "created": NEWER, **each} for n, each in enumerate(odd, start=1)]
    entries.append({"id": "100"})
    store.load(
        *(issue(n, histories=[entry, history(1000 + n, item("status"))]) for n, entry in enumerate(entries)),
        issue(999, histories=[history(9999, item("status"))]),
    )

    assert store.rows("SELECT issue_id, history_id FROM issue_changes ORDER BY ALL") == [
        *((n, 1000 + n) for n in range(len(entries))),
        (999, 9999),
    ]
    assert store.rows("SELECT DISTINCT history_count, history_complete FROM raw_issues WHERE issue_id <> 999") == [
        (2, True)
    ]


def test_the_instant_of_a_change_is_read_in_every_form_that_jira_uses(store: Store) -> None:
    """ISO in an issue, epoch milliseconds in changelog/bulkfetch, epoch seconds in the documentation of the latter."""
    second, millisecond = datetime(2026, 11, 2, 10, tzinfo=UTC), datetime(2026, 11, 2, 10, 0, 0, 123000, UTC)
    instants: list[tuple[Any, datetime]] = [
        ("2026-11-02T10:00:00.123+0000", millisecond),
        ("2026-11-02T10:00:00Z", second),
        (1793613600123, millisecond),
        (1793613600, second),
        ("1793613600123", millisecond),
    ]
    others = (10**17 - 1, 1 - 10**17, "2026-11-02T10:00:00", "yesterday", None, [], {}, 1.5, True)
    cases = instants + [(each, None) for each in others]
    store.load(
        *(issue(n, histories=[history(n, item("status"), created=written)]) for n, (written, _) in enumerate(cases))
    )

    read = [row[0] for row in store.rows("SELECT changed_at FROM issue_changes ORDER BY issue_id")]

    assert [(written, instant) for (written, _), instant in zip(cases, read, strict=True)] == cases


def test_a_change_without_a_readable_author_is_kept(store: Store) -> None:
    authors: list[Any] = [None, "ana", 7, True, [], {}, {"accountId": None}]
    store.load(
        issue(100, histories=[history(100, item("status", "a", "b"))]),
        *(issue(n, histories=[history(n, item("status", "a", "b"), author=each)]) for n, each in enumerate(authors)),
    )

    assert store.rows("SELECT author_id, to_value FROM issue_changes") == [(None, "b")] * (len(authors) + 1)


@pytest.mark.parametrize("value", [5, 1.5, True, ["a"], {"id": 1}], ids=json.dumps)
def test_a_value_of_a_surprising_type_is_kept_as_its_text(store: Store, value: Any) -> None:
    changed = {"field": "x", "from": value, "fromString": value, "to": value, "toString": value}
    store.load(issue(histories=[history(1, changed)]))

    ((kept, shown),) = store.rows("SELECT from_value, to_string FROM issue_changes")

    assert json.loads(kept) == value
    assert json.loads(shown) == value


def test_a_history_of_three_hundred_entries_is_kept_whole(store: Store) -> None:
    store.load(issue(histories=[history(n, item("status"), item("assignee")) for n in range(1, 301)]))

    assert store.rows("SELECT count(*), count(DISTINCT history_id), max(item_index) FROM issue_changes") == [
        (600, 300, 1)
    ]


def test_an_issue_whose_changelog_is_null_has_no_changes(store: Store) -> None:
    store.load({**issue(), "changelog": None})

    assert store.rows("SELECT history_count, history_complete FROM raw_issues") == [(0, True)]
    assert store.value("SELECT count(*) FROM issue_changes") == 0

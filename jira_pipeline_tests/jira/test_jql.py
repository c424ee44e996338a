"""JQL for windows: epoch milliseconds, floored to the minute, in an order that updates do not disturb."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from jira_pipeline.jira.jql import IssueWindow, epoch_milliseconds, floor_minute

NOON = datetime(2026, 11, 2, 12, 34, 56, 789000, UTC)
NOON_MS = 1793622840000


def test_a_whole_project_is_asked_for_by_its_number() -> None:
    """A key may be a reserved word, and may change."""
    assert IssueWindow("10000").jql() == "project = 10000 ORDER BY created ASC, key ASC"


def test_bounds_are_unquoted_epoch_milliseconds_of_the_minute() -> None:
    """A quoted date would be read in the time zone of the account's profile."""
    window = IssueWindow("1", updated_from=NOON, updated_before=NOON, created_from=NOON, created_before=NOON)

    assert window.jql() == (
        f"project = 1 AND updated >= {NOON_MS} AND updated < {NOON_MS} "
        f"AND created >= {NOON_MS} AND created < {NOON_MS} "
        "ORDER BY created ASC, key ASC"
    )


def test_the_newest_can_come_first() -> None:
    assert IssueWindow("1").jql(newest_first=True).endswith("ORDER BY created DESC, key DESC")


def test_the_rest_of_a_window_keeps_its_other_bounds() -> None:
    window = IssueWindow("1", updated_from=NOON, created_before=NOON + timedelta(days=1))

    assert window.from_creation(NOON) == IssueWindow(
        "1", updated_from=NOON, created_from=floor_minute(NOON), created_before=NOON + timedelta(days=1)
    )


def test_an_instant_of_any_zone_is_the_same_bound() -> None:
    nepal = timezone(timedelta(hours=5, minutes=45))

    assert epoch_milliseconds(NOON) == epoch_milliseconds(NOON.astimezone(nepal)) == NOON_MS
    assert floor_minute(NOON.astimezone(nepal)) == datetime(2026, 11, 2, 12, 34, tzinfo=UTC)


def test_instants_before_1970_are_floored_too() -> None:
    assert epoch_milliseconds(datetime(1969, 12, 31, 23, 59, 30, tzinfo=UTC)) == -60_000

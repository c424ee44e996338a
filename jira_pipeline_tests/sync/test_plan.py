"""Which window a run fetches of a project, and where its watermark stands afterwards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.site import Project
from jira_pipeline.sync.plan import PartitionWindow, ProjectPlan, next_watermark, plan_project

APP = Project("10000", "APP")
OVERLAP = timedelta(hours=12)
OLD_DAY = PartitionWindow(date(2026, 11, 5), date(2026, 11, 6), is_newest=False)
NEWEST = PartitionWindow(date(2026, 11, 20), date(2026, 11, 20), is_newest=True)
STARTED = datetime(2026, 11, 21, 2, tzinfo=UTC)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def plan(partitions: PartitionWindow, watermark: datetime | None, *, full: bool = False) -> ProjectPlan:
    return plan_project(APP, watermark=watermark, partitions=partitions, overlap=OVERLAP, full=full)


def test_a_project_without_a_watermark_is_fetched_whole_whatever_the_partition() -> None:
    for partitions in (OLD_DAY, NEWEST):
        assert plan(partitions, None) == ProjectPlan(APP, "full", IssueWindow("10000"), None)


def test_a_full_refresh_has_no_bounds_and_keeps_the_watermark() -> None:
    assert plan(NEWEST, at(20), full=True) == ProjectPlan(APP, "full", IssueWindow("10000"), at(20))


def test_the_window_begins_an_overlap_before_the_partition_when_nothing_was_missed() -> None:
    """Jira's index lags, so what was seen last may not have been all there was."""
    planned = plan(NEWEST, at(20, 15))

    assert planned.mode == "incremental"
    assert planned.window.updated_from == at(20) - OVERLAP


def test_the_window_begins_an_overlap_before_the_watermark_when_days_were_missed() -> None:
    assert plan(NEWEST, at(11, 15)).window.updated_from == at(11, 15) - OVERLAP


def test_the_newest_partition_has_no_upper_bound() -> None:
    """An issue that keeps changing would never be inside one."""
    assert plan(NEWEST, at(20)).window.updated_before is None


def test_an_older_partition_ends_with_its_last_day() -> None:
    window = plan(OLD_DAY, at(20)).window

    assert (window.updated_from, window.updated_before) == (at(5) - OVERLAP, at(7))


def test_no_window_is_cut_by_creation() -> None:
    window = plan(NEWEST, at(20)).window

    assert (window.created_from, window.created_before) == (None, None)


def moved(planned: ProjectPlan, newest_update: datetime | None) -> datetime | None:
    return next_watermark(planned, newest_update=newest_update, started_at=STARTED)


def test_the_watermark_moves_to_the_newest_update_seen() -> None:
    assert moved(plan(NEWEST, at(19)), at(20, 15)) == at(20, 15)
    assert moved(plan(NEWEST, None), at(20, 15)) == at(20, 15)


def test_the_watermark_does_not_pass_the_beginning_of_the_walk() -> None:
    """An issue fetched early and changed during the walk is stored in its old form."""
    assert moved(plan(NEWEST, at(19)), STARTED + timedelta(minutes=5)) == STARTED


def test_the_watermark_does_not_pass_the_end_of_an_older_partition() -> None:
    assert moved(plan(OLD_DAY, at(4)), at(9)) == at(7)


def test_an_empty_answer_does_not_move_the_watermark() -> None:
    assert moved(plan(NEWEST, at(19)), None) == at(19)
    assert moved(plan(NEWEST, None), None) is None


def test_the_watermark_never_moves_back() -> None:
    assert moved(plan(OLD_DAY, at(20)), at(6)) == at(20)
    assert moved(plan(NEWEST, at(20)), at(3)) == at(20)

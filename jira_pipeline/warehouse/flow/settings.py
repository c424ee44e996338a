"""What a team may decide about its flow metrics. Built from jira_pipeline.yaml; every default works without one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Keys of `WorkingCalendar.week`, in the order of `date.weekday()`."""

WITHDRAWN_RESOLUTIONS = (
    "Won't Do", "Won't Fix", "Won't Done", "Duplicate", "Cannot Reproduce", "Declined", "Invalid", "Not A Problem",
    "Not A Bug", "Abandoned", "Incomplete", "Rejected", "Obsolete",
)  # fmt: skip
"""Resolutions of Jira's default and Apache's schemes that end an issue without delivering it."""


@dataclass(frozen=True)
class ProjectWorkflow:
    """The statuses of one project where they differ from the site's. None: as in `FlowSettings`.

    The project is named as in the configuration, by its id or by a key that it may have had when it was first synced.
    """

    project_key: str | None
    started: tuple[str, ...] | None = None
    done: tuple[str, ...] | None = None
    waiting: tuple[str, ...] | None = None
    project_id: str | None = None


@dataclass(frozen=True)
class WorkingCalendar:
    """When work is done: spans of local time, `("09:00", "17:00")`, `"24:00"` for the end of a day.

    `week` holds the spans of each weekday (`mon` to `sun`; absent: none), `days` those of single dates, which win: a
    holiday is a date without spans. `time_zone` is the calendar's own; None: the reporting one.
    """

    week: Mapping[str, tuple[tuple[str, str], ...]]
    days: Mapping[date, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    time_zone: str | None = None


@dataclass(frozen=True)
class FlowSettings:
    """How flow is measured.

    `time_zone` is the IANA zone in which days begin. `cycle_time_from` (`created`, `started`) and `cycle_time_to`
    (`resolved`, `done`) are the headline clock. `started`, `done` and `waiting` name statuses by id or by name, case
    and surrounding space ignored: those that start the clock (empty: every status of category In Progress), those that
    stop it (empty: every status of category Done), and the queues between two steps of work (empty: not known).

    `excluded_types` are left out of the flow population; `withdrawn_resolutions` are done but not delivered;
    `bug_types` are the types of the bug queue. `sle_days` is the service level expectation in inclusive days (None:
    what `sle_percentile` percent of the last year's issues took). Open work is stale after `stale_days` without update.
    """

    time_zone: str = "UTC"
    cycle_time_from: str = "created"
    cycle_time_to: str = "resolved"
    started: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    project_workflows: tuple[ProjectWorkflow, ...] = ()
    excluded_types: tuple[str, ...] = ()
    withdrawn_resolutions: tuple[str, ...] = WITHDRAWN_RESOLUTIONS
    bug_types: tuple[str, ...] = ("Bug",)
    calendar: WorkingCalendar | None = None
    sle_days: int | None = None
    sle_percentile: int = 85
    stale_days: int = 10

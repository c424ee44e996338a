"""Which window of a project a run has to fetch.

A daily partition is a run window, not a slice of the table: materialising day D makes sure that every change of day D
is stored. The rules (docs/architecture.md, decisions 1 to 4):

* from the earlier of the partition's start and the project's watermark, less an overlap for Jira's lagging index, so
  missed days heal themselves;
* without an upper bound at the live edge, because an issue that keeps changing would never be inside one;
* a project without a watermark is fetched whole, whatever the partition.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.site import Project

Mode = Literal["full", "incremental"]


@dataclass(frozen=True)
class PartitionWindow:
    """The daily partitions of one run, both ends included. Days are UTC days, like the partitions' keys."""

    first: date
    last: date
    is_newest: bool

    @property
    def starts_at(self) -> datetime:
        """The first instant of the window."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends_at(self) -> datetime | None:
        """The first instant after the window; None at the live edge, which has no upper bound."""
        return None if self.is_newest else datetime.combine(self.last + timedelta(days=1), time(), UTC)


@dataclass(frozen=True)
class ProjectPlan:
    """What one run fetches of one project. `watermark` is what was stored before: everything updated before it.
    `set_aside` are ids of issues that an earlier run could not read: they are asked for again whatever the window."""

    project: Project
    mode: Mode
    window: IssueWindow
    watermark: datetime | None
    set_aside: tuple[int, ...] = ()


def plan_project(
    project: Project,
    *,
    watermark: datetime | None,
    partitions: PartitionWindow,
    overlap: timedelta,
    full: bool,
    set_aside: tuple[int, ...] = (),
) -> ProjectPlan:
    """Decide the window of one project from its watermark, the run's partitions and the overlap."""
    if full or watermark is None:
        return ProjectPlan(project, "full", IssueWindow(project.id), watermark)  # which holds those set aside, too
    window = IssueWindow(
        project.id,
        updated_from=min(partitions.starts_at, watermark) - overlap,
        updated_before=partitions.ends_at,
    )
    return ProjectPlan(project, "incremental", window, watermark, set_aside)


def next_watermark(plan: ProjectPlan, *, newest_update: datetime | None, started_at: datetime) -> datetime | None:
    """The watermark after every issue of the plan's window has been stored.

    Never the local clock, and never because of an empty answer: it moves to the newest update seen, and at most to the
    site's clock when the walk began, because an issue fetched early and changed during the walk is stored in its old
    form. It never moves back.
    """
    if newest_update is None:
        return plan.watermark
    reached = min(newest_update, started_at, *([plan.window.updated_before] if plan.window.updated_before else []))
    return reached if plan.watermark is None else max(plan.watermark, reached)

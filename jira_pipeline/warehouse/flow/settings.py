"""What a team may decide about its flow metrics. Built from jira_pipeline.yaml; every default works without one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProjectWorkflow:
    """The statuses of one project where they differ from the site's. None: as in `FlowSettings`."""

    project_key: str
    started: tuple[str, ...] | None = None
    done: tuple[str, ...] | None = None
    waiting: tuple[str, ...] | None = None


@dataclass(frozen=True)
class FlowSettings:
    """How flow is measured.

    `time_zone` is the IANA zone in which days begin. `cycle_time_from` (`created`, `started`) and `cycle_time_to`
    (`resolved`, `done`) are the headline clock. `started`, `done` and `waiting` name statuses by id or by name, case
    and surrounding space ignored: those that start the clock (empty: every status of category In Progress), those that
    stop it (empty: every status of category Done), and the queues between two steps of work (empty: not known).
    """

    time_zone: str = "UTC"
    cycle_time_from: str = "created"
    cycle_time_to: str = "resolved"
    started: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    project_workflows: tuple[ProjectWorkflow, ...] = ()

"""What `jira_pipeline.yaml` says, as validated and frozen values. Every default of the file is here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

ClockStart = Literal["created", "started"]
ClockStop = Literal["resolved", "done"]


@dataclass(frozen=True)
class TrackedProject:
    """A Jira project to keep in sync, named by key, by id, or by both; at least one is given.

    `key` is in capital letters, as Jira writes it. An inactive project keeps its rows and is not synced.
    `story_points_field` is a field id such as `customfield_10016`; None lets the pipeline discover the field.
    """

    key: str | None = None
    id: str | None = None
    active: bool = True
    story_points_field: str | None = None


@dataclass(frozen=True)
class TeamMember:
    """A person of the roster. `aliases`: more e-mail addresses, account ids or user names, never display names."""

    name: str
    email: str | None = None
    team: str | None = None
    jira_account_id: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class CycleTimeClock:
    """The two ends of the headline cycle time: when its clock starts and when it stops."""

    start: ClockStart = "created"
    stop: ClockStop = "resolved"


@dataclass(frozen=True)
class Workflow:
    """Statuses, by id or name, that play another part than their category says; empty means that the category decides.

    `started` start the clock, `done` stop it, `waiting` are queues (for flow efficiency).
    """

    started: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class SyncSettings:
    """How issues are fetched: `overlap_hours` before the watermark are read again, in `concurrency` threads."""

    overlap_hours: float = 12
    concurrency: int = 8


@dataclass(frozen=True)
class PipelineConfig:
    """The whole file. `start_date` is the first daily partition, `time_zone` the IANA zone in which days begin."""

    path: Path
    start_date: date
    tracked_projects: tuple[TrackedProject, ...]
    time_zone: str = "UTC"
    team_members: tuple[TeamMember, ...] = ()
    cycle_time: CycleTimeClock = field(default_factory=CycleTimeClock)
    workflow: Workflow = field(default_factory=Workflow)
    sync: SyncSettings = field(default_factory=SyncSettings)

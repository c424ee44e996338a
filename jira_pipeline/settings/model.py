"""What `jira_pipeline.yaml` says, as validated and frozen values. Every default of the file is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

ClockStart = Literal["created", "started"]
ClockStop = Literal["resolved", "done"]


@dataclass(frozen=True)
class Workflow:
    """Statuses, by id or name, that play another part than their category says; empty means that the category decides.

    `started` start the clock, `done` stop it, `waiting` are queues (for flow efficiency).
    """

    started: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrackedProject:
    """A Jira project to keep in sync, named by key, by id, or by both; at least one is given.

    `key` is in capital letters, as Jira writes it. An inactive project keeps its rows and is not synced.
    `story_points_field` is a field id such as `customfield_10016`; None lets the pipeline discover the field.
    `workflow` replaces that of the whole file for this project; None: the same.
    """

    key: str | None = None
    id: str | None = None
    active: bool = True
    story_points_field: str | None = None
    workflow: Workflow | None = None


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
class FlowOptions:
    """What counts in flow metrics. `excluded_types` are issue types left out; `withdrawn_resolutions` end an issue
    without delivering it (None: a built-in list of Jira's usual ones); `bug_types` are the types of the bug queue.
    `sle_days` is the service level expectation in days at `sle_percentile` (None: what that share of the last
    year's issues took). Open work is stale after `stale_days` without update."""

    excluded_types: tuple[str, ...] = ()
    withdrawn_resolutions: tuple[str, ...] | None = None
    bug_types: tuple[str, ...] = ("Bug",)
    sle_days: int | None = None
    sle_percentile: int = 85
    stale_days: int = 10


Spans = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Calendar:
    """When work is done, as spans of local time (`("09:00", "17:00")`): `week` by weekday (`mon` to `sun`; absent:
    none), `days` by single dates, which win; a holiday is a date without spans. `time_zone` None: that of the file."""

    week: Mapping[str, Spans]
    days: Mapping[date, Spans] = field(default_factory=dict)
    time_zone: str | None = None


@dataclass(frozen=True)
class SyncSettings:
    """How issues are fetched: from `overlap_hours` before the watermark, by `concurrency` requests at once."""

    overlap_hours: float = 12
    concurrency: int = 8


@dataclass(frozen=True)
class ScheduleSettings:
    """When the two jobs run: cron expressions, read in `time_zone`."""

    daily_sync: str = "0 2 * * *"
    reconcile: str = "0 4 * * *"
    time_zone: str = "UTC"


@dataclass(frozen=True)
class EmailAlerts:
    """A mail server and who gets alerts through it. `password_env` names the variable that holds the password."""

    smtp_host: str
    sender: str
    recipients: tuple[str, ...]
    smtp_port: int = 587
    username: str | None = None
    password_env: str | None = None


@dataclass(frozen=True)
class Alerts:
    """Who is told that a run has failed: an address that takes Slack's `{"text": …}` (a secret, in the file or in the
    variable that `webhook_env` names), mail, a program that reads the text from its standard input."""

    webhook: str | None = field(default=None, repr=False)
    webhook_env: str | None = None
    email: EmailAlerts | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class PipelineConfig:
    """The whole file. `start_date` is the first daily partition, `time_zone` the IANA zone in which days begin.
    `matching_coverage` is the per cent of assigned issues that should be a team member's; `owners` are those of all
    assets, as Dagster has them."""

    path: Path
    start_date: date
    tracked_projects: tuple[TrackedProject, ...]
    time_zone: str = "UTC"
    team_members: tuple[TeamMember, ...] = ()
    cycle_time: CycleTimeClock = field(default_factory=CycleTimeClock)
    workflow: Workflow = field(default_factory=Workflow)
    flow: FlowOptions = field(default_factory=FlowOptions)
    calendar: Calendar | None = None
    sync: SyncSettings = field(default_factory=SyncSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    alerts: Alerts = field(default_factory=Alerts)
    matching_coverage: int = 80
    owners: tuple[str, ...] = ()

"""When the schedule runs next, as the Dagster instance of DAGSTER_HOME has it."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jira_pipeline.cli.home import dagster_home

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class NextRun:
    """What is to be expected of `daily_sync_schedule`.

    `is_on` is None when the instance cannot be asked; `error` then says why. `next_run_at` is given only while the
    schedule is on; nothing starts before `daemon_is_running`, too.
    """

    is_on: bool | None
    daemon_is_running: bool
    next_run_at: datetime | None
    error: str | None = None


def next_run(now: datetime | None = None) -> NextRun:
    """Ask the instance whether the schedule is on and the Dagster daemon alive, and work out the next tick."""
    if not (dagster_home() / "dagster.yaml").exists():
        return NextRun(is_on=False, daemon_is_running=False, next_run_at=None)
    # Imported late: Dagster takes seconds to import.
    os.environ["DAGSTER_HOME"] = str(dagster_home().resolve())
    warnings.filterwarnings("ignore", module="dagster")
    import dagster as dg

    from jira_pipeline.schedules import daily_sync_schedule as schedule

    try:
        with dg.DagsterInstance.get() as instance:
            states = [state for state in instance.all_instigator_state() if state.name == schedule.name]
            daemon = instance.get_daemon_statuses(["SCHEDULER"])["SCHEDULER"]
    # The instance's storage may be any database with any driver's errors, and everything else is still to be told.
    except Exception as error:
        return NextRun(
            is_on=None,
            daemon_is_running=False,
            next_run_at=None,
            error=f"The Dagster instance in {dagster_home()} could not be asked ({type(error).__name__}): "
            "check dagster.yaml and the storage that it names.",
        )
    is_on = any(state.is_running for state in states) or (
        not states and schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    )
    return NextRun(
        is_on=is_on,
        daemon_is_running=bool(daemon.healthy),
        next_run_at=_next_tick(schedule, now or datetime.now(UTC)) if is_on else None,
    )


def _next_tick(schedule: dg.ScheduleDefinition, now: datetime) -> datetime:
    import dagster as dg

    crons = [schedule.cron_schedule] if isinstance(schedule.cron_schedule, str) else schedule.cron_schedule
    windows = [
        dg.TimeWindowPartitionsDefinition(
            start=now - timedelta(days=1),
            fmt="%Y-%m-%d %H:%M",
            cron_schedule=cron,
            timezone=schedule.execution_timezone,
        ).get_next_partition_window(now, respect_bounds=False)
        for cron in crons
    ]
    return min(window.start for window in windows if window is not None).astimezone(UTC)

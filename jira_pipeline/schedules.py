"""Schedules: one run a day that also makes up for days that were missed, and after it one for what has gone."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg

from jira_pipeline.jobs import daily_sync, reconcile
from jira_pipeline.loaded_settings import settings_at_load
from jira_pipeline.partitions import DAILY, newest_partition
from jira_pipeline.retries import RETRIED
from jira_pipeline.settings import ScheduleSettings

_RAW_ISSUES = dg.AssetKey("raw_issues")
_GAPS_OF_DAYS = 30
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# A run whose process was killed stays "started" for good unless run monitoring ends it. It must not stop the schedule
# for good as well; should it be alive after all, the lock on the database makes the new one wait for it.
_DEAD_AFTER = timedelta(hours=24)


def daily_sync_schedule_of(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """The schedule of `daily_sync` as the settings have it."""

    @dg.schedule(
        name="daily_sync_schedule",
        job=daily_sync,
        cron_schedule=settings.daily_sync,
        execution_timezone=settings.time_zone,
        # Off until somebody switches it on, as Dagster does; in the demo there is nobody to ask first.
        default_status=dg.DefaultScheduleStatus.RUNNING
        if os.environ.get("JIRA_PIPELINE_DEMO")
        else dg.DefaultScheduleStatus.STOPPED,
        description="Yesterday, and every day of the last 30 that is not materialised yet. "
        "When: schedule.daily_sync in jira_pipeline.yaml.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """One range run from the oldest gap to the last complete day (UTC). Dagster itself catches up at most the last
        missed ticks."""
        return _range_run(context, daily_sync.name, begins_at=partial(_oldest_gap, context))

    return schedule


def reconcile_schedule_of(settings: ScheduleSettings) -> dg.ScheduleDefinition:
    """The schedule of `reconcile` as the settings have it."""

    @dg.schedule(
        name="reconcile_schedule",
        job=reconcile,
        # By default daily and not weekly, because issues that are gone count in every metric until then, and a request
        # lists 5,000 ids (1,000 on Data Center). After the daily sync, so that what is new is not fetched one by one.
        cron_schedule=settings.reconcile,
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Which issues were deleted or moved since the last time. "
        "When: schedule.reconcile in jira_pipeline.yaml.",
    )
    def schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        """One run on the newest partition; missed ones are not made up for, since a census looks at everything."""
        return _range_run(context, reconcile.name, begins_at=lambda keys: keys[-1])

    return schedule


def _oldest_gap(context: dg.ScheduleEvaluationContext, keys: Sequence[str]) -> str:
    done = context.instance.get_materialized_partitions(_RAW_ISSUES)
    newest = newest_partition(context.scheduled_execution_time.astimezone(UTC))
    oldest = (newest - timedelta(days=_GAPS_OF_DAYS)).isoformat()
    return min([keys[-1], *(key for key in keys if key >= oldest and key not in done)])


def _range_run(
    context: dg.ScheduleEvaluationContext, job: str, *, begins_at: Callable[[Sequence[str]], str]
) -> dg.RunRequest | dg.SkipReason:
    """A run up to the last complete day, from the one that `begins_at` chooses of them all; none while one is under
    way."""
    keys = DAILY.get_partition_keys(current_time=context.scheduled_execution_time)
    if not keys:
        return dg.SkipReason("There is no complete day since start_date yet.")
    unfinished = context.instance.get_run_records(
        dg.RunsFilter(job_name=job, statuses=_UNFINISHED, created_after=datetime.now(UTC) - _DEAD_AFTER)
    )
    if unfinished:
        run = unfinished[0].dagster_run
        return dg.SkipReason(
            f"Run {run.run_id} of {job} is still {run.status.value.lower().replace('_', ' ')}: "
            "what it does not fetch, the next one does."
        )
    # The key is the tick, so that one that is evaluated twice starts one run.
    tags = {"dagster/asset_partition_range_start": begins_at(keys), "dagster/asset_partition_range_end": keys[-1]}
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat(), tags={**tags, **RETRIED})


daily_sync_schedule = daily_sync_schedule_of(settings_at_load().schedule)
reconcile_schedule = reconcile_schedule_of(settings_at_load().schedule)

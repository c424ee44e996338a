"""Schedules: one run a day that also makes up for days that were missed, and after it one for what has gone."""

import os
from datetime import timedelta

import dagster as dg

from jira_pipeline.jobs import daily_sync, reconcile
from jira_pipeline.partitions import DAILY, newest_partition

_RAW_ISSUES = dg.AssetKey("raw_issues")
_GAPS_OF_DAYS = 30


@dg.schedule(
    job=daily_sync,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    # Off until somebody switches it on, as Dagster does; in the demo there is nobody to ask first.
    default_status=dg.DefaultScheduleStatus.RUNNING
    if os.environ.get("JIRA_PIPELINE_DEMO")
    else dg.DefaultScheduleStatus.STOPPED,
    description="Every day at 02:00 UTC: yesterday, and every day of the last 30 that is not materialised yet.",
)
def daily_sync_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One range run from the oldest gap to yesterday. Dagster itself catches up at most the last missed ticks."""
    now = context.scheduled_execution_time
    keys = DAILY.get_partition_keys(current_time=now)
    if not keys:
        return dg.SkipReason("There is no complete day since start_date yet.")
    done = context.instance.get_materialized_partitions(_RAW_ISSUES)
    oldest = (newest_partition(now) - timedelta(days=_GAPS_OF_DAYS)).isoformat()
    first = min([keys[-1], *(key for key in keys if key >= oldest and key not in done)])
    return dg.RunRequest(
        run_key=f"{keys[-1]}",
        tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": keys[-1]},
    )


@dg.schedule(
    job=reconcile,
    # Daily and not weekly, because issues that are gone count in every metric until then, and a request lists 5,000 ids
    # (1,000 on Data Center). After the daily sync, so that what is new is not fetched one by one.
    cron_schedule="0 4 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every day at 04:00 UTC: which issues were deleted or moved since the last time.",
)
def reconcile_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run on the newest partition; missed ones are not made up for, since a census looks at everything anyway."""
    keys = DAILY.get_partition_keys(current_time=context.scheduled_execution_time)
    if not keys:
        return dg.SkipReason("There is no complete day since start_date yet.")
    return dg.RunRequest(
        run_key=keys[-1],
        tags={"dagster/asset_partition_range_start": keys[-1], "dagster/asset_partition_range_end": keys[-1]},
    )

"""The daily partitions: run windows of one UTC day each, from `start_date` of the configuration on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from jira_pipeline.loaded_settings import settings_at_load
from jira_pipeline.sync.plan import PartitionWindow

# Loading a month at a time keeps a backfill restartable; a run writes one event a partition, some 50 ms each.
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=31)


def newest_partition(now: datetime | None = None) -> date:
    """The last complete UTC day: its window is open-ended, so it takes today's changes too."""
    return (now or datetime.now(UTC)).date() - timedelta(days=1)


# Whoever begins today has no complete day yet, and still wants to see something today.
DAILY = dg.DailyPartitionsDefinition(
    start_date=min(settings_at_load().start_date, newest_partition()).isoformat(), timezone="UTC"
)


def partition_window(keys: list[str], now: datetime | None = None) -> PartitionWindow:
    """The window of a run from the partition keys it materialises."""
    days = sorted(date.fromisoformat(key) for key in keys)
    return PartitionWindow(first=days[0], last=days[-1], is_newest=days[-1] >= newest_partition(now))

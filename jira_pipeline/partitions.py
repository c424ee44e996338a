"""The daily partitions: run windows of one UTC day each, from `start_date` of the configuration on."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import config_path_from, load_config
from jira_pipeline.sync.plan import PartitionWindow

# Loading a month at a time keeps a backfill restartable; a run writes one event a partition, some 50 ms each.
BACKFILL = dg.BackfillPolicy.multi_run(max_partitions_per_run=31)
_WITHOUT_CONFIGURATION = date(2026, 1, 1)


def newest_partition(now: datetime | None = None) -> date:
    """The last complete UTC day: its window is open-ended, so it takes today's changes too."""
    return (now or datetime.now(UTC)).date() - timedelta(days=1)


def _start_date() -> date:
    # The code location has to load without a valid configuration, so that the UI can show what is wrong with it: every
    # run reads it again and says so.
    try:
        start = load_config(config_path_from(os.environ)).start_date
    except SettingsError:
        return _WITHOUT_CONFIGURATION
    # Whoever begins today has no complete day yet, and still wants to see something today.
    return min(start, newest_partition())


DAILY = dg.DailyPartitionsDefinition(start_date=_start_date().isoformat(), timezone="UTC")


def partition_window(keys: list[str], now: datetime | None = None) -> PartitionWindow:
    """The window of a run from the partition keys it materialises."""
    days = sorted(date.fromisoformat(key) for key in keys)
    return PartitionWindow(first=days[0], last=days[-1], is_newest=days[-1] >= newest_partition(now))

"""The daily schedule: yesterday, and what has been missed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from jira_pipeline import schedules

START = date(2025, 12, 1)
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(autouse=True)
def _partitions_of_a_winter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "DAILY", dg.DailyPartitionsDefinition(start_date=START.isoformat(), timezone="UTC"))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def materialize(instance: dg.DagsterInstance, days: Sequence[date]) -> None:
    for day in days:
        instance.report_runless_asset_event(dg.AssetMaterialization("raw_issues", partition=day.isoformat()))


def days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def tick(instance: dg.DagsterInstance, at: datetime) -> dg.RunRequest | dg.SkipReason:
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    found = schedules.daily_sync_schedule(context)
    assert isinstance(found, dg.RunRequest | dg.SkipReason)
    return found


def asked_for(instance: dg.DagsterInstance, at: datetime) -> tuple[str, str]:
    request = tick(instance, at)
    assert isinstance(request, dg.RunRequest)
    return request.tags[FIRST], request.tags[LAST]


def test_a_tick_asks_for_yesterday(instance: dg.DagsterInstance) -> None:
    materialize(instance, days(START, date(2025, 12, 9)))

    assert asked_for(instance, datetime(2025, 12, 11, 2, tzinfo=UTC)) == ("2025-12-10", "2025-12-10")


def test_the_new_year_is_a_day_like_any_other(instance: dg.DagsterInstance) -> None:
    materialize(instance, days(START, date(2025, 12, 30)))

    assert asked_for(instance, datetime(2026, 1, 1, 2, tzinfo=UTC)) == ("2025-12-31", "2025-12-31")


def test_missed_days_are_asked_for_with_it_in_one_range(instance: dg.DagsterInstance) -> None:
    materialize(instance, [*days(START, date(2025, 12, 4)), *days(date(2025, 12, 7), date(2025, 12, 9))])

    assert asked_for(instance, datetime(2025, 12, 13, 2, tzinfo=UTC)) == ("2025-12-05", "2025-12-12")


def test_gaps_of_more_than_thirty_days_ago_are_left_to_a_backfill(instance: dg.DagsterInstance) -> None:
    materialize(instance, days(date(2025, 12, 5), date(2026, 3, 8)))

    assert asked_for(instance, datetime(2026, 3, 10, 2, tzinfo=UTC)) == ("2026-03-09", "2026-03-09")


def test_a_tick_for_a_day_that_is_there_asks_for_it_again_under_the_same_run_key(
    instance: dg.DagsterInstance,
) -> None:
    """Dagster starts no second run for a run key that it has seen."""
    at = datetime(2025, 12, 11, 2, tzinfo=UTC)
    first = tick(instance, at)
    materialize(instance, days(START, date(2025, 12, 10)))
    second = tick(instance, at)

    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.run_key == second.run_key == "2025-12-10"


def test_before_the_first_complete_day_there_is_nothing_to_do(instance: dg.DagsterInstance) -> None:
    assert isinstance(tick(instance, datetime(2025, 12, 1, 2, tzinfo=UTC)), dg.SkipReason)


def test_ticks_are_in_utc_so_no_day_is_skipped_or_doubled_when_clocks_change() -> None:
    assert schedules.daily_sync_schedule.execution_timezone == "UTC"
    assert schedules.daily_sync_schedule.cron_schedule == "0 2 * * *"

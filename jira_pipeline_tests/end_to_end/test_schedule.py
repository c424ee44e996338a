"""The daily schedule: yesterday, and what has been missed, once at a time, at the hour that the settings name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from jira_pipeline import schedules
from jira_pipeline.settings import ScheduleSettings
from jira_pipeline_tests.dagster_connections import keep_connections

START = date(2025, 12, 1)
FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(autouse=True)
def _partitions_of_a_winter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "DAILY", dg.DailyPartitionsDefinition(start_date=START.isoformat(), timezone="UTC"))


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an instance without runs, made once because that takes longer than any tick."""
    home = tmp_path_factory.mktemp("home")
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        instance.get_run_records()
    return home


@pytest.fixture
def instance(empty_home: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    keep_connections()
    shutil.copytree(empty_home, tmp_path, dirs_exist_ok=True)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def materialize(instance: dg.DagsterInstance, days: Sequence[date]) -> None:
    for day in days:
        instance.report_runless_asset_event(dg.AssetMaterialization("raw_issues", partition=day.isoformat()))


def create_run(instance: dg.DagsterInstance, job: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    """A run of a job of this name, which for once does nothing: a run of the real one notes what it is going to do."""

    @dg.job(name=job)
    def nothing() -> None: ...

    return instance.create_run_for_job(nothing, status=status)


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
    materialize(instance, days(date(2026, 2, 7), date(2026, 3, 8)))

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
    assert first.run_key == second.run_key


def test_each_tick_of_a_day_has_a_run_of_its_own(instance: dg.DagsterInstance) -> None:
    """So that a schedule that ticks every hour syncs every hour."""
    keys = set()
    for hour in (2, 3):
        request = tick(instance, datetime(2025, 12, 11, hour, tzinfo=UTC))
        assert isinstance(request, dg.RunRequest)
        keys.add(request.run_key)
    assert len(keys) == 2


def test_before_the_first_complete_day_there_is_nothing_to_do(instance: dg.DagsterInstance) -> None:
    assert isinstance(tick(instance, datetime(2025, 12, 1, 2, tzinfo=UTC)), dg.SkipReason)


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED])
def test_while_a_run_of_the_job_is_under_way_no_other_is_started(
    instance: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    run = create_run(instance, "daily_sync", status)

    skipped = tick(instance, datetime(2025, 12, 11, 2, tzinfo=UTC))

    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message
    assert f"Run {run.run_id} of daily_sync is still {status.value.lower()}" in skipped.skip_message


def test_neither_an_ended_run_nor_one_of_the_other_job_holds_the_schedule_up(instance: dg.DagsterInstance) -> None:
    create_run(instance, "daily_sync", dg.DagsterRunStatus.FAILURE)
    create_run(instance, "reconcile", dg.DagsterRunStatus.STARTED)

    assert isinstance(tick(instance, datetime(2025, 12, 11, 2, tzinfo=UTC)), dg.RunRequest)


def test_a_run_whose_process_died_long_ago_does_not_hold_the_schedule_up(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_run(instance, "daily_sync", dg.DagsterRunStatus.STARTED)
    monkeypatch.setattr(schedules, "_DEAD_AFTER", timedelta(0))

    assert isinstance(tick(instance, datetime(2025, 12, 11, 2, tzinfo=UTC)), dg.RunRequest)


def test_without_settings_ticks_are_at_two_in_utc() -> None:
    assert schedules.daily_sync_schedule.execution_timezone == "UTC"
    assert schedules.daily_sync_schedule.cron_schedule == "0 2 * * *"


def ticks(cron: str, zone: str, after: datetime, number: int) -> list[datetime]:
    """The next ticks of a schedule with these settings, as Dagster's scheduler works them out."""
    definition = schedules.daily_sync_schedule_of(ScheduleSettings(daily_sync=cron, time_zone=zone))
    assert isinstance(definition.cron_schedule, str)
    found = schedule_execution_time_iterator(
        after.timestamp(), definition.cron_schedule, definition.execution_timezone, ascending=True
    )
    return [at.astimezone(UTC) for at in islice(found, number)]


@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "59 2 * * *"])
@pytest.mark.parametrize("before", [datetime(2026, 10, 23, tzinfo=UTC), datetime(2027, 3, 26, tzinfo=UTC)])
def test_when_clocks_change_there_is_one_tick_a_day_at_the_hour_of_the_zone(cron: str, before: datetime) -> None:
    """Of the hour that comes twice on 25 October 2026, the second; instead of the one that is left out on 28 March
    2027, its end."""
    minute = int(cron.split()[0])
    local = [at.astimezone(ZoneInfo("Europe/Berlin")) for at in ticks(cron, "Europe/Berlin", before, 5)]

    assert [at.date() for at in local] == days(before.date(), before.date() + timedelta(days=4))
    for at in local:
        is_left_out = at.date() == date(2027, 3, 28)
        assert (at.hour, at.minute) == ((3, 0) if is_left_out else (2, minute))
        if at.date() == date(2026, 10, 25):
            assert at.utcoffset() == timedelta(hours=1)


def test_the_last_complete_day_is_one_of_utc_whatever_the_zone_of_the_schedule(instance: dg.DagsterInstance) -> None:
    """02:30 in Auckland is still the day before in UTC."""
    (at,) = ticks("30 2 * * *", "Pacific/Auckland", datetime(2025, 12, 10, 12, tzinfo=UTC), 1)
    materialize(instance, days(START, date(2025, 12, 8)))

    local = at.astimezone(ZoneInfo("Pacific/Auckland"))
    assert local.date() == date(2025, 12, 11)
    assert asked_for(instance, local) == ("2025-12-09", "2025-12-09")

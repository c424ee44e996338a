"""The census in Dagster's terms: what the jobs materialise, in which order, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import dagster as dg

from jira_pipeline.assets.census import ISSUE_CENSUS
from jira_pipeline.definitions import defs
from jira_pipeline.partitions import DAILY
from jira_pipeline.schedules import reconcile_schedule

DERIVED = {"issues", "matched_assignees", "status_intervals", "cycle_times", "cycle_time_metrics", "published_database"}


def tables_of(job: str) -> set[str]:
    """The assets that a job materialises."""
    keys = defs.resolve_job_def(job).asset_layer.executable_asset_keys
    return {key.to_user_string() for key in keys}


def test_the_census_is_followed_by_everything_that_depends_on_which_issues_there_are() -> None:
    assert tables_of("reconcile") >= {"issue_census", *DERIVED}


def test_the_census_fetches_nothing_that_a_sync_fetches() -> None:
    assert not tables_of("reconcile") & {"projects", "raw_issues", "issue_changes", "users"}


def test_the_daily_sync_takes_no_census() -> None:
    assert "issue_census" not in tables_of("daily_sync")
    assert tables_of("daily_sync") >= DERIVED


def test_issues_are_typed_after_the_census() -> None:
    graph = defs.resolve_asset_graph()
    assert ISSUE_CENSUS in graph.get(dg.AssetKey("issues")).parent_keys


def test_the_schedule_is_off_until_switched_on_and_comes_after_the_daily_sync() -> None:
    assert reconcile_schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    at = [str(schedule.cron_schedule).split()[1] for schedule in (defs.schedules or []) if schedule.name]
    assert len(at) >= 2
    assert int(str(reconcile_schedule.cron_schedule).split()[1]) == max(map(int, at))


def test_the_schedule_asks_for_the_newest_partition() -> None:
    at = datetime(2026, 11, 25, 4, tzinfo=UTC)
    with dg.instance_for_test() as instance:
        context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
        request = cast(dg.RunRequest, reconcile_schedule(context))
    newest = DAILY.get_partition_keys(current_time=at)[-1]
    assert request.tags["dagster/asset_partition_range_start"] == newest
    assert request.tags["dagster/asset_partition_range_end"] == newest

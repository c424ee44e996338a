"""The daily figures of a project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jira_pipeline.warehouse.flow import FlowSettings
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, EDGE_CASES, FlowWarehouse, open_flow_warehouse


def put_every_case(warehouse: FlowWarehouse) -> None:
    for number, case in enumerate(EDGE_CASES["cases"], start=1):
        warehouse.put_issue({**case["issue"], "issue_id": number}, case["changes"])


@pytest.fixture(scope="module")
def every_case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    """The issues of all edge cases, derived."""
    warehouse = open_flow_warehouse(tmp_path_factory.mktemp("every_case") / "work.duckdb")
    put_every_case(warehouse)
    warehouse.derive()
    yield warehouse
    warehouse.close()


def series(warehouse: FlowWarehouse, *columns: str) -> dict[date, tuple[object, ...]]:
    rows = warehouse.rows(f"SELECT metric_date, {', '.join(columns)} FROM cycle_time_metrics ORDER BY metric_date")
    return {row[0]: row[1:] for row in rows}


def test_there_is_a_row_for_every_day_from_the_first_issue_to_the_last_complete_day(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("plain")
    warehouse.derive()
    days = list(series(warehouse, "project_key"))
    assert days == [date(2024, 6, day) for day in range(3, 30)]


def test_the_last_complete_day_is_the_reporting_zones(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("plain")
    last = {}
    for zone in ("UTC", "Pacific/Auckland", "America/New_York"):
        warehouse.derive(FlowSettings(time_zone=zone), as_of=datetime(2024, 6, 30, 1, tzinfo=UTC))
        last[zone] = max(series(warehouse, "project_key"))
    assert last == {
        "UTC": date(2024, 6, 29),
        "Pacific/Auckland": date(2024, 6, 29),
        "America/New_York": date(2024, 6, 28),
    }


def test_a_project_without_a_complete_day_has_no_rows(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("plain")
    warehouse.derive(as_of=datetime(2024, 6, 3, 20, tzinfo=UTC))
    assert series(warehouse, "project_key") == {}


def test_a_reopened_issue_is_done_on_its_last_day_only_but_was_not_open_in_between(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("reopened-closed")
    warehouse.derive()
    days = series(
        warehouse, "created_issues", "started_issues", "done_issues", "reopened_issues", "open_issues", "wip_issues"
    )
    assert days[date(2024, 6, 3)] == (1, 0, 0, 0, 1, 0)
    assert days[date(2024, 6, 4)] == (0, 1, 0, 0, 1, 1)
    assert days[date(2024, 6, 6)] == (0, 0, 0, 0, 0, 1)
    assert days[date(2024, 6, 10)] == (0, 0, 0, 1, 1, 1)
    assert days[date(2024, 6, 11)] == (0, 0, 1, 0, 0, 0)


def test_an_issue_reopened_later_leaves_the_day_on_which_it_was_done(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("plain")
    warehouse.derive()
    assert series(warehouse, "done_issues")[date(2024, 6, 6)] == (1,)
    warehouse.put_case("reopened-open")
    warehouse.derive()
    assert {done for (done,) in series(warehouse, "done_issues").values()} == {0}


def test_points_and_percentiles_belong_to_the_day_the_clock_stopped(warehouse: FlowWarehouse) -> None:
    case = EDGE_CASES["cases"][0]
    for number in range(1, 11):
        resolved = datetime(2024, 6, 6, 16, tzinfo=UTC)
        created = datetime(2024, 6, 6, 16 - number, tzinfo=UTC)
        points = None if number == 10 else 2.0
        columns = {
            "issue_id": number,
            "created_at": created,
            "resolved_at": resolved,
            "updated_at": resolved,
            "story_points": points,
        }
        warehouse.put_issue(
            {**case["issue"], **columns}, [[1, 0, resolved, "status", "status", "2", "To Do", "7", "Done"]]
        )
    warehouse.derive()
    columns = [f"cycle_time_hours_{name}" for name in ("mean", "p50", "p70", "p85", "p95")]
    days = series(warehouse, "story_points_done", "cycle_time_issues", *columns)
    assert days[date(2024, 6, 6)] == (18.0, 10, 5.5, 5.0, 7.0, 9.0, 10.0)
    assert days[date(2024, 6, 7)] == (0.0, 0, None, None, None, None, None)


def test_daily_counts_sum_to_the_issues_themselves(every_case: FlowWarehouse) -> None:
    daily = every_case.rows(
        """
        SELECT sum(created_issues), sum(started_issues), sum(done_issues), sum(resolved_issues), sum(cycle_time_issues)
        FROM cycle_time_metrics
        """
    )
    issues = every_case.rows(
        """
        SELECT count(*), count(started_at), count(done_at), count(resolved_at), count(cycle_time_hours)
        FROM cycle_times
        """
    )
    assert daily == issues
    assert issues[0][0] == len(EDGE_CASES["cases"])


def test_open_at_the_last_day_end_is_what_is_not_done_now(warehouse: FlowWarehouse) -> None:
    put_every_case(warehouse)
    incomplete = {**EDGE_CASES["cases"][0]["issue"], "issue_id": 900}
    warehouse.put_issue(incomplete, history_complete=False)
    warehouse.put_issue(
        {**incomplete, "issue_id": 901, "status_category": "new", "resolved_at": None}, history_complete=False
    )
    warehouse.derive()
    ended = warehouse.rows(
        "SELECT sum(open_issues), sum(wip_issues) FROM cycle_time_metrics WHERE metric_date = DATE '2024-06-29'"
    )
    now = warehouse.rows(
        """
        SELECT count(*) FILTER (CASE WHEN history_incomplete THEN resolved_at IS NULL ELSE done_at IS NULL END),
               count(*) FILTER (started_at IS NOT NULL AND done_at IS NULL)
        FROM cycle_times
        """
    )
    assert ended == now
    assert ended[0][0] > 5


def test_work_in_progress_days_equal_the_days_that_issues_resided(every_case: FlowWarehouse) -> None:
    (wip_days,) = every_case.rows("SELECT sum(wip_issues) FROM cycle_time_metrics")[0]
    residence = every_case.rows(
        "SELECT sum(coalesce(done_date, DATE '2024-06-30') - started_date) FROM cycle_times WHERE started_at NOT NULL"
    )
    assert wip_days == residence[0][0] > 0


def test_the_same_instant_gives_the_same_tables(every_case: FlowWarehouse, tmp_path: Path) -> None:
    warehouse = every_case.copied_to(tmp_path / "work.duckdb")
    before = [warehouse.table(name) for name in ("status_intervals", "cycle_times", "cycle_time_metrics")]
    warehouse.derive(as_of=AS_OF)
    assert [warehouse.table(name) for name in ("status_intervals", "cycle_times", "cycle_time_metrics")] == before
    warehouse.close()

"""Every query that the documentation offers runs on real tables, and answers the question above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse, open_flow_warehouse

COOKBOOK = Path(__file__).resolve().parents[3] / "docs" / "cookbook.md"
QUERIES = re.findall(r"^## ([^\n]+)\n.*?```sql\n(.*?)```", COOKBOOK.read_text(encoding="utf-8"), re.S | re.M)
MONDAY = datetime(2024, 1, 1, 9, tzinfo=UTC)


def day(number: float) -> datetime:
    return MONDAY + timedelta(days=number)


def put(
    warehouse: FlowWarehouse, issue_id: int, started: float | None = None, done: float | None = None, **columns: object
) -> None:
    """An issue of APP, created on day 0, that was started and done on the given days."""
    moves: list[list[object]] = []
    if started is not None:
        moves.append([1, 0, day(started), "status", "status", "2", "To Do", "3", "In Progress"])
    if done is not None:
        before = ("2", "To Do") if started is None else ("3", "In Progress")
        moves.append([2, 0, day(done), "status", "status", *before, "7", "Done"])
    status_id, status = ("2", "To Do") if started is None else ("3", "In Progress")
    if done is not None:
        status_id, status = "7", "Done"
    warehouse.put_issue(
        {
            "issue_id": issue_id, "issue_key": f"APP-{issue_id}", "project_key": "APP", "created_at": day(0),
            "updated_at": max(day(number) for number in (0, started, done) if number is not None),
            "status_id": status_id, "status": status, "resolution": None if done is None else "Done", **columns,
        },
        moves,
    )  # fmt: skip


def answer(warehouse: FlowWarehouse, title: str) -> list[dict[str, Any]]:
    """What the query under a heading that begins so says, row by row, by column name."""
    (query,) = [query for heading, query in QUERIES if heading.startswith(title)]
    cursor = warehouse.connection.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path_factory.mktemp("cookbook") / "work.duckdb")
    opened.put_every_edge_case()
    opened.connection.execute("UPDATE issues SET project_key = 'APP', issue_key = replace(issue_key, 'P-', 'APP-')")
    opened.derive_all()
    yield opened
    opened.close()


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=lambda text: text[:20])
def test_query_of_the_cookbook_runs(filled: FlowWarehouse, title: str, query: str) -> None:
    rows = filled.rows(query)
    needs_other_data = title.startswith(("2.", "8.", "9."))  # recent bugs, closed sprints, work done last month
    assert rows or needs_other_data


def test_the_cookbook_answers_at_least_ten_questions() -> None:
    assert len(QUERIES) >= 10


def test_bugs_of_a_project_that_finishes_few_have_a_figure_all_the_same(warehouse: FlowWarehouse) -> None:
    """Fewer than ten in 90 days give no 85 %."""
    for number in range(1, 13):
        put(warehouse, number, 1, 1 + number, issue_type="Bug")
    put(warehouse, 20, 98, 99, issue_type="Bug")
    warehouse.derive_for("cycle_time_percentiles", as_of=day(110))
    told = [(row["period"], row["issues"], row["days_p85"]) for row in answer(warehouse, "2.")]
    assert told == [("last_90_days", 1, None), ("all", 13, 12)]


def test_the_trend_of_a_rolling_window_ends_with_the_percentiles_of_the_last_90_days(warehouse: FlowWarehouse) -> None:
    """Ten that took 21 days each, later ten of 3: a month after those the old ones still count, and then no longer."""
    for number in range(10):
        put(warehouse, number, number, number + 20)
        put(warehouse, 20 + number, 80 + number, 82 + number)
    warehouse.derive_all(as_of=day(130))

    trend = {row.pop("metric_date"): row for row in answer(warehouse, "11.")}

    assert min(trend) == date(2024, 1, 30), "the day on which the tenth was done"
    assert trend[date(2024, 1, 30)] == {"issues": 10, "days_p50": 21, "days_p85": 21}
    assert trend[date(2024, 4, 1)] == {"issues": 20, "days_p50": 3, "days_p85": 21}
    assert trend[max(trend)] == {"issues": 10, "days_p50": 3, "days_p85": 3}
    ((*last, issues, p50, p85),) = warehouse.rows(
        "SELECT period_start + 89, issues, days_p50, days_p85 FROM cycle_time_percentiles "
        "WHERE period = 'last_90_days' AND project_key = 'APP' AND issue_type IS NULL"
    )
    assert (last, trend[max(trend)]) == ([max(trend)], {"issues": issues, "days_p50": p50, "days_p85": p85})


def test_weeks_are_whole_and_what_is_finished_had_been_started(warehouse: FlowWarehouse) -> None:
    """Else a week reads as if more were finished than started, while more and more is in progress."""
    for number, started in enumerate([85, 92, 93, 94], start=1):
        put(warehouse, number, started)
    put(warehouse, 10, 85, 92)
    for number in range(11, 16):
        put(warehouse, number, None, 95)
    warehouse.derive_for("daily_flow", as_of=day(101))
    rows = answer(warehouse, "5.")
    assert rows[-1]["week"] == date(2024, 4, 1), "the week of day 101 is not over"
    assert all(row["started"] - row["finished"] == row["more_in_progress"] for row in rows)
    assert [row["in_progress_at_week_end"] for row in rows[-2:]] == [2, 4]
    assert [(row["started"], row["finished"]) for row in rows[-2:]] == [(2, 0), (3, 1)]


def test_a_status_that_two_workflows_have_counts_an_issue_once(warehouse: FlowWarehouse) -> None:
    warehouse.put_status("33", "In Progress", "indeterminate")
    moves = [
        [1, 0, day(1), "status", "status", "2", "To Do", "3", "In Progress"],
        [2, 0, day(3), "status", "status", "3", "In Progress", "33", "In Progress"],
        [3, 0, day(5), "status", "status", "33", "In Progress", "7", "Done"],
    ]
    issue = {"issue_id": 1, "issue_key": "APP-1", "project_key": "APP", "created_at": day(0), "updated_at": day(5)}
    warehouse.put_issue({**issue, "status_id": "7", "status": "Done"}, moves)
    warehouse.derive_for("cycle_times", as_of=day(9))
    (row,) = answer(warehouse, "6.")
    assert (row["status"], row["issues"], row["total_days"], row["days_per_issue"]) == ("In Progress", 1, 4, 4)


@pytest.mark.parametrize("today", [31, 45, 59.5])
def test_last_month_is_the_one_before_todays_also_on_its_first_day(warehouse: FlowWarehouse, today: float) -> None:
    """1 February, 15 February, the last day of February 2024."""
    put(warehouse, 1, 1, 20, story_points=3.0)
    put(warehouse, 2, 1, 30, story_points=5.0, resolution="Won't Do")
    put(warehouse, 3, 1, 31.1, story_points=8.0)
    put(warehouse, 4, 1, None)
    warehouse.derive_for("daily_flow", as_of=day(today))
    (row,) = answer(warehouse, "9.")
    assert (row["team"], row["done"], row["delivered"], row["delivered_points"]) == ("no team", 2, 1, 3.0)


def test_two_people_of_one_name_are_two_people(warehouse: FlowWarehouse) -> None:
    for user_id in ("a", "b"):
        warehouse.connection.execute("INSERT INTO users (user_id, display_name) VALUES (?, 'Ana Ruiz')", [user_id])
    for number, assignee_id in enumerate(["a", "a", "b", "gone", None], start=1):
        put(warehouse, number, 1, assignee_id=assignee_id)
    warehouse.derive_for("aging_wip", as_of=day(9))
    rows = answer(warehouse, "Who has what")
    assert sorted((row["assignee"], row["wip"]) for row in rows) == [
        ("Ana Ruiz", 1), ("Ana Ruiz", 2), ("gone", 1), ("nobody", 1),
    ]  # fmt: skip

"""The marts about flow: levels from events, throughput with limits, percentiles with exclusions, aging work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from jira_pipeline.warehouse.flow import FlowSettings
from jira_pipeline_tests.warehouse.flow.conftest import FLAGGED_FIELD, FlowWarehouse, open_flow_warehouse

BEGIN = datetime(2024, 1, 1, 9, tzinfo=UTC)  # a Monday


def at(day: float) -> datetime:
    return BEGIN + timedelta(days=day)


def put(
    warehouse: FlowWarehouse,
    issue_id: int,
    created: float,
    started: float | None,
    done: float | None,
    **columns: object,
) -> None:
    """An issue that went To Do, In Progress, Done on the given days."""
    status = ("7", "Done", "done") if done is not None else ("3", "In Progress", "indeterminate")
    if done is None and started is None:
        status = ("2", "To Do", "new")
    moves = []
    if started is not None:
        moves.append([1, 0, at(started), "status", "status", "2", "To Do", "3", "In Progress"])
    if done is not None:
        before = ("3", "In Progress") if started is not None else ("2", "To Do")
        moves.append([2, 0, at(done), "status", "status", *before, "7", "Done"])
    moves += columns.pop("changes", [])  # type: ignore[operator]
    issue = {
        "issue_id": issue_id, "issue_key": f"P-{issue_id}", "status_id": status[0], "status": status[1],
        "status_category": status[2],
        "created_at": at(created), "updated_at": max([at(created), *(move[2] for move in moves)]),
        "resolved_at": None if done is None else at(done), "resolution": None if done is None else "Done", **columns,
    }  # fmt: skip
    warehouse.put_issue(issue, moves)


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    """All edge cases in one project, every table derived."""
    opened = open_flow_warehouse(tmp_path_factory.mktemp("marts") / "work.duckdb")
    opened.put_every_edge_case()
    opened.put_issue(
        {"issue_id": 900, "issue_key": "P-900", "status_id": "3", "status": "In Progress", "is_subtask": True,
         "hierarchy_level": -1, "created_at": at(150), "updated_at": at(150)}
    )  # fmt: skip
    opened.derive_all()
    yield opened
    opened.close()


def test_bands_of_cumulative_flow_sum_to_the_issues_created_so_far(edges: FlowWarehouse) -> None:
    bands = edges.rows("SELECT metric_date, sum(issues) FROM cumulative_flow GROUP BY ALL ORDER BY ALL")
    created = edges.rows(
        """
        SELECT d.metric_date, count(*) FROM (SELECT DISTINCT metric_date FROM cumulative_flow) d
        JOIN cycle_times c ON c.created_date <= d.metric_date AND c.counts_in_flow
        GROUP BY ALL ORDER BY ALL
        """
    )
    assert len(bands) > 80
    assert bands == created


def test_cumulative_flow_is_the_status_at_day_end(edges: FlowWarehouse) -> None:
    looked_up = edges.rows(
        """
        SELECT d.metric_date, s.status_id, count(*)
        FROM (SELECT DISTINCT metric_date FROM cumulative_flow) d
        JOIN status_intervals s ON s.entered_date <= d.metric_date
         AND (s.left_date IS NULL OR s.left_date > d.metric_date) AND s.counts_in_flow
        GROUP BY ALL ORDER BY ALL
        """
    )
    assert (
        edges.rows("SELECT metric_date, status_id, sum(issues) FROM cumulative_flow GROUP BY ALL ORDER BY ALL")
        == looked_up
    )


def test_days_without_events_are_carried_forward_between_two_runs(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, 0, 5, 9)
    warehouse.derive_for(
        "cumulative_flow", as_of=at(2)
    )  # knows of the moves on days 5 and 9, whose days have not come yet
    warehouse.derive_for("cumulative_flow", as_of=at(12))
    bands = warehouse.rows("SELECT status, count(*) FROM cumulative_flow GROUP BY status ORDER BY status")
    assert bands == [("Done", 3), ("In Progress", 4), ("To Do", 5)]


def test_sub_tasks_and_excluded_types_are_not_in_the_flow_population(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, 0, 1, 2)
    put(warehouse, 2, 0, 1, 2, is_subtask=True, hierarchy_level=-1)
    put(warehouse, 3, 0, 1, 2, issue_type="Risk")
    warehouse.derive_for("daily_flow", "cycle_time_metrics", settings=FlowSettings(excluded_types=("risk",)))
    assert warehouse.rows("SELECT max(created_total), max(done_total) FROM daily_flow") == [(1, 1)]
    assert warehouse.rows("SELECT sum(created_issues), sum(done_issues) FROM cycle_time_metrics") == [(3, 3)]


def test_wip_days_equal_the_days_that_issues_resided(edges: FlowWarehouse) -> None:
    residence = edges.rows(
        """
        SELECT sum(coalesce(done_date, DATE '2024-06-30') - started_date) FROM cycle_times
        WHERE started_at IS NOT NULL AND counts_in_flow
        """
    )
    assert edges.rows("SELECT sum(wip_clock) FROM daily_flow") == residence
    assert residence[0][0] > 100


def test_ages_at_day_end_are_the_inclusive_days_since_start(edges: FlowWarehouse) -> None:
    by_hand = edges.rows(
        """
        SELECT d.metric_date, coalesce(sum(d.metric_date - c.started_date + 1), 0)
        FROM daily_flow d LEFT JOIN cycle_times c
          ON c.project_key = d.project_key AND c.started_date <= d.metric_date
         AND (c.done_date IS NULL OR c.done_date > d.metric_date) AND c.counts_in_flow
        WHERE d.project_key = 'P' GROUP BY ALL ORDER BY ALL
        """
    )
    assert (
        edges.rows("SELECT metric_date, wip_age_days FROM daily_flow WHERE project_key = 'P' ORDER BY ALL") == by_hand
    )


def test_status_wip_leaves_out_what_lies_in_to_do_or_done_again(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("back-to-todo")
    warehouse.derive_for("daily_flow")
    rows = warehouse.rows("SELECT metric_date, wip_clock, wip_status FROM daily_flow WHERE wip_clock <> wip_status")
    assert rows == [(date(2024, 6, 5), 1, 0), (date(2024, 6, 6), 1, 0)]


def test_throughput_sums_to_the_done_count_split_by_resolution(warehouse: FlowWarehouse) -> None:
    for number in range(1, 11):
        put(warehouse, number, 0, 1, number, resolution="Won't Do" if number % 5 == 0 else "Done", story_points=2.0)
    warehouse.derive_for("throughput_weekly")
    totals = warehouse.rows(
        """
        SELECT sum(done_issues), sum(delivered_issues), sum(withdrawn_issues), sum(delivered_points)
        FROM throughput_weekly
        """
    )
    assert totals == [(10, 8, 2, 16.0)]


def test_only_weeks_whose_seven_days_are_over_are_complete(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, 2, 3, 4)
    warehouse.derive_for("throughput_weekly", as_of=at(18))
    weeks = warehouse.rows("SELECT week_start, is_complete_week FROM throughput_weekly ORDER BY week_start")
    assert weeks == [(date(2024, 1, 1), False), (date(2024, 1, 8), True), (date(2024, 1, 15), False)]
    limits = warehouse.rows("SELECT DISTINCT mean_issues, lower_limit, upper_limit, xmr_signal FROM throughput_weekly")
    assert limits == [(None, None, None, None)], "weeks without a mean have no limits, not even a lower one of 0"


def put_weekly(warehouse: FlowWarehouse, weekly: Sequence[int]) -> None:
    """As many issues done in each week as `weekly` says."""
    weeks = [week for week, issues in enumerate(weekly) for _ in range(issues)]
    for number, week in enumerate(weeks, start=1):
        put(warehouse, number, 0, 0.1, 7 * week + 2)


def test_process_limits_are_those_of_an_individuals_chart(warehouse: FlowWarehouse) -> None:
    weekly = [4, 6, 4, 6, 4, 6, 4, 30]
    put_weekly(warehouse, weekly)
    warehouse.derive_for("throughput_weekly", as_of=at(56))
    rows = warehouse.rows(
        """
        SELECT done_issues, mean_issues, upper_limit, lower_limit, xmr_signal FROM throughput_weekly
        ORDER BY week_start
        """
    )
    mean = sum(weekly) / 8
    moving_range = (2 * 6 + 26) / 7
    assert [row[0] for row in rows] == weekly
    assert rows[0][1] == pytest.approx(mean)
    assert rows[0][2] == pytest.approx(mean + 2.66 * moving_range)
    assert rows[0][3] == 0
    assert [row[4] for row in rows] == [None] * 7 + ["outside_limits"]


def test_only_the_last_26_complete_weeks_are_judged(warehouse: FlowWarehouse) -> None:
    put_weekly(warehouse, [20] + [1] * 26 + [9])  # the last one is not over
    warehouse.derive_for("throughput_weekly", as_of=at(7 * 27 + 4))
    means = [mean for (mean,) in warehouse.rows("SELECT mean_issues FROM throughput_weekly ORDER BY week_start")]
    assert means == [None] + [1] * 26 + [None]


def test_eight_weeks_on_one_side_are_a_signal(warehouse: FlowWarehouse) -> None:
    put_weekly(warehouse, [12] * 8 + [2, 18] * 4)
    warehouse.derive_for("throughput_weekly", as_of=at(7 * 16))
    signals = [signal for (signal,) in warehouse.rows("SELECT xmr_signal FROM throughput_weekly ORDER BY week_start")]
    assert signals == [None] * 7 + ["eight_on_one_side"] + [None] * 8


@pytest.mark.parametrize(
    ("last_weeks", "signal"), [((0, 0, 11, 4, 11), "two_of_three"), ((0, 0, 0, 6, 1), "four_of_five")]
)
def test_weeks_beyond_two_sigma_or_one_are_a_signal_together(
    warehouse: FlowWarehouse, last_weeks: tuple[int, ...], signal: str
) -> None:
    """Means 5.05 and 4.05, sigmas 2.81 and 2.12: 11 is 2.1 sigma above, 0 is 1.9 and 1 is 1.4 below."""
    put_weekly(warehouse, (*(4, 6) * 7, *last_weeks))
    warehouse.derive_for("throughput_weekly", as_of=at(7 * 19))
    signals = [signal for (signal,) in warehouse.rows("SELECT xmr_signal FROM throughput_weekly ORDER BY week_start")]
    assert signals == [None] * 18 + [signal]


def test_percentiles_are_nearest_rank_and_count_what_they_leave_out(warehouse: FlowWarehouse) -> None:
    for number in range(1, 21):
        put(warehouse, number, 0, 1, number)  # the first takes no time, the others 2 to 20 days
    put(warehouse, 30, 0, None, 3)
    put(warehouse, 31, 0, 3, 3)
    warehouse.derive_for("cycle_time_percentiles", settings=FlowSettings(sle_days=10), as_of=at(40))
    row = warehouse.row(
        "SELECT * FROM cycle_time_percentiles WHERE period = 'all' AND project_key = 'P' AND issue_type IS NULL"
    )
    assert [row[f"days_p{p}"] for p in (50, 70, 85, 95)] == [11, 15, 18, None]
    assert (row["issues"], row["excluded_not_started"], row["excluded_zero_time"]) == (19, 1, 2)
    assert row["sle_met_share"] == pytest.approx(9 / 19)


@pytest.mark.parametrize(("count", "known"), [(4, [50]), (5, [50, 70]), (10, [50, 70, 85]), (20, [50, 70, 85, 95])])
def test_few_issues_give_few_percentiles(warehouse: FlowWarehouse, count: int, known: list[int]) -> None:
    for number in range(1, count + 1):
        put(warehouse, number, 0, 1, 1.5 + number / 100)
    warehouse.derive_for("cycle_time_percentiles", as_of=at(40))
    row = warehouse.row(
        "SELECT * FROM cycle_time_percentiles WHERE period = 'all' AND project_key = 'P' AND issue_type IS NULL"
    )
    assert [p for p in (50, 70, 85, 95) if row[f"days_p{p}"] is not None] == known


def test_open_work_is_aged_from_its_first_start_and_judged_by_pace_and_expectation(warehouse: FlowWarehouse) -> None:
    for number in range(1, 21):
        put(warehouse, number, 0, 1, number)
    flag = [9, 0, at(38), FLAGGED_FIELD, FLAGGED_FIELD, None, "", "[1]", "Impediment"]
    put(warehouse, 50, 20, 20, None)  # older than anything finished
    put(warehouse, 51, 20, 38, None, changes=[flag])
    put(warehouse, 52, 20, None, None)
    warehouse.derive_for("aging_wip", as_of=at(40))
    columns = (
        "issue_id, age_days, days_in_status, pace_band, sle_days, sle_state, is_blocked, is_stale, blocked_hours,"
        " age_hours"
    )
    assert warehouse.rows(f"SELECT {columns} FROM aging_wip ORDER BY issue_id") == [
        (50, 21, 21, "over_p95", 18, "past", False, True, 0.0, 20 * 24.0),
        (51, 3, 3, "up_to_p50", 18, "inside", True, False, 48.0, 48.0),
    ]


def test_time_of_open_work_is_in_one_bucket_each(edges: FlowWarehouse) -> None:
    rows = edges.rows(
        """
        SELECT active_hours + waiting_hours + blocked_hours + backlog_hours + done_gap_hours, age_hours, phase
        FROM aging_wip
        """
    )
    assert len(rows) >= 4
    assert {phase for _, _, phase in rows} == {"in_progress", "to_do"}
    for total, age, _ in rows:
        assert total == pytest.approx(age)


def test_pace_never_falls_from_one_status_to_the_next(warehouse: FlowWarehouse) -> None:
    for number in range(1, 31):
        review = [5, 0, at(1 + number / 10), "status", "status", "3", "In Progress", "4", "Code Review"]
        put(warehouse, number, 0, 1, 1 + number / 3, changes=[review])
    warehouse.derive_for("status_pace", as_of=at(40))
    rows = warehouse.rows("SELECT status, issues, age_days_p50, age_days_p85 FROM status_pace ORDER BY age_days_p50")
    assert [row[0] for row in rows] == ["In Progress", "Code Review"]
    assert rows[0][3] <= rows[1][3]
    assert [row[1] for row in rows] == [30, 30]


def test_pace_is_that_of_statuses_in_which_the_clock_ran(warehouse: FlowWarehouse) -> None:
    """Where the settings start it later than the category, a status that was left before has no age; one that was
    returned to has."""
    for number in range(1, 4):
        review = [5, 0, at(4), "status", "status", "3", "In Progress", "4", "Code Review"]
        put(warehouse, number, 0, 1, 6, changes=[review])
    back = [6, 0, at(6), "status", "status", "4", "Code Review", "6", "QA"]
    put(warehouse, 4, 0, None, None, status_id="7", status="Done", status_category="done", changes=[
        [1, 0, at(1), "status", "status", "2", "To Do", "4", "Code Review"], back,
        [7, 0, at(8), "status", "status", "6", "QA", "7", "Done"],
    ])  # fmt: skip
    warehouse.derive_for("status_pace", settings=FlowSettings(started=("Code Review",)), as_of=at(40))
    rows = warehouse.rows("SELECT status, issues, age_days_p50 FROM status_pace ORDER BY status")
    assert rows == [("Code Review", 4, 3), ("QA", 1, 8)]


def test_group_efficiency_is_of_sums_and_unknown_without_queues_or_flags(warehouse: FlowWarehouse) -> None:
    wait = [5, 0, at(2), "status", "status", "3", "In Progress", "5", "Waiting for QA"]
    put(warehouse, 1, 0, 1, 4, changes=[wait])  # 1 of 3 days active
    put(warehouse, 2, 0, 1, 10)  # 9 of 9
    warehouse.derive_for("flow_efficiency", settings=FlowSettings(waiting=("Waiting for QA",)), as_of=at(40))
    assert warehouse.rows("SELECT issues, flow_efficiency FROM flow_efficiency") == [(2, pytest.approx(10 / 12))]
    warehouse.connection.execute("DELETE FROM ops.field_roles")
    warehouse.derive_for("flow_efficiency", settings=FlowSettings(), as_of=at(40))
    assert warehouse.rows("SELECT issues, flow_efficiency FROM flow_efficiency") == [(2, None)]


def test_bug_queue_counts_new_closed_and_outstanding(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, 0, 1, 9, issue_type="Bug", priority="High")
    put(warehouse, 2, 1, None, None, issue_type="bug ", priority="High")
    put(warehouse, 3, 1, None, None, issue_type="Story", priority="High")
    warehouse.derive_for("bugs_weekly", as_of=at(16))
    columns = "week_start, new_bugs, closed_bugs, outstanding_bugs, mean_age_days, max_age_days"
    assert warehouse.rows(f"SELECT {columns} FROM bugs_weekly ORDER BY week_start") == [
        (date(2024, 1, 1), 2, 0, 2, 6.5, 7),
        (date(2024, 1, 8), 0, 1, 1, 13.0, 13),
    ], "both days counted, as in every other age"


def test_flags_name_issues_and_what_the_flag_changes(warehouse: FlowWarehouse) -> None:
    for number in range(1, 11):
        put(warehouse, number, 0, 1, 5 + number / 5000)  # ten closings by one author inside five minutes
    put(warehouse, 11, 0, None, 5)
    put(warehouse, 12, 0, 1, None)
    put(warehouse, 20, 0, None, None)
    put(warehouse, 21, 0, 1, 2, parent_key="P-20", is_subtask=True, hierarchy_level=-1)
    warehouse.derive_for("data_quality", as_of=at(40))
    flags = warehouse.rows(
        "SELECT flag, list(issue_id ORDER BY issue_id) FROM data_quality GROUP BY flag ORDER BY flag"
    )
    assert dict(flags) == {
        "bulk_closed": [*range(1, 12)],
        "not_started": [11],
        "stale": [12],
        "subtask_started_parent_not": [20],
    }
    assert warehouse.rows("SELECT count(*) FROM data_quality WHERE effect IS NULL") == [(0,)]


@pytest.mark.parametrize("seconds_before", [30, 150, 250])
def test_ten_closings_in_five_minutes_are_found_wherever_the_clock_stands(
    warehouse: FlowWarehouse, seconds_before: int
) -> None:
    """Some before a full hour and the others after it; one closing more is no part of them."""
    begin = at(5) - timedelta(seconds=seconds_before)
    together = [begin + timedelta(seconds=300 * number / 9) for number in range(10)]
    for number, done in enumerate([*together, at(6)], start=1):
        put(warehouse, number, 0, None, (done - BEGIN) / timedelta(days=1))
    warehouse.derive_for("data_quality", as_of=at(40))
    closed = "SELECT issue_id FROM data_quality WHERE flag = 'bulk_closed' ORDER BY issue_id"
    assert warehouse.rows(closed) == [(number,) for number in range(1, 11)]
    warehouse.connection.execute("UPDATE issue_changes SET author_id = 'u2' WHERE issue_id = 10")
    warehouse.derive_for("data_quality", as_of=at(40))
    assert warehouse.rows(closed) == []


def test_signals_say_their_rule(warehouse: FlowWarehouse) -> None:
    for number in range(1, 21):
        put(warehouse, number, 0, 1, number)
    put(warehouse, 50, 20, 21, None)
    warehouse.derive_all(as_of=at(40))
    signals = {row[0]: row[1:] for row in warehouse.rows("SELECT signal, state, value, rule FROM signals")}
    assert signals["aging"][:2] == ("act", 1.0)
    assert signals["stale"][:2] == ("act", 1.0)
    assert signals["blocked"][:2] == ("ok", 0.0)
    assert all(len(rule) > 30 for _, _, rule in signals.values())


def test_the_signal_of_throughput_shows_the_week_that_it_judges(warehouse: FlowWarehouse) -> None:
    put_weekly(warehouse, [4, 6, 4, 6, 4, 6, 4, 30])
    warehouse.derive_for("signals", as_of=at(58))
    assert warehouse.rows("SELECT state, value FROM signals WHERE signal = 'throughput'") == [("act", 30.0)]

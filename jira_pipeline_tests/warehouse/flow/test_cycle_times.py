"""The clocks of an issue: the headline, its quality, and what follows the roster."""

from __future__ import annotations

from datetime import datetime

import pytest

from jira_pipeline.warehouse.flow import FlowSettings
from jira_pipeline_tests.warehouse.flow.conftest import EDGE_CASES, FlowWarehouse


def test_the_headline_is_exactly_created_to_resolved_by_default(warehouse: FlowWarehouse) -> None:
    for number, case in enumerate(EDGE_CASES["cases"], start=1):
        warehouse.put_issue({**case["issue"], "issue_id": number}, case["changes"])
    warehouse.derive_for("cycle_times")
    rows = warehouse.rows("SELECT created_at, resolved_at, cycle_time_hours, resolution_time_hours FROM cycle_times")
    assert len(rows) == len(EDGE_CASES["cases"])
    assert {resolved is None for _, resolved, _, _ in rows} == {True, False}
    for created, resolved, headline, resolution in rows:
        assert headline == resolution == (None if resolved is None else (resolved - created).total_seconds() / 3600)


@pytest.mark.parametrize(
    ("start", "stop", "hours"),
    [
        ("created", "resolved", 79.0),
        ("created", "done", 79.0),
        ("started", "resolved", 54.0),
        ("started", "done", 54.0),
    ],
)
def test_the_headline_follows_the_cycle_time_setting(
    warehouse: FlowWarehouse, start: str, stop: str, hours: float
) -> None:
    warehouse.put_case("plain")
    warehouse.derive_for("cycle_times", settings=FlowSettings(cycle_time_from=start, cycle_time_to=stop))
    assert warehouse.rows("SELECT cycle_time_hours FROM cycle_times") == [(hours,)]


def test_a_resolution_truncated_to_the_second_does_not_end_before_its_start(warehouse: FlowWarehouse) -> None:
    case = next(case for case in EDGE_CASES["cases"] if case["id"] == "milliseconds")
    changes = [list(change) for change in case["changes"]]
    changes[0][2] = "2024-06-03T10:00:00.300+0000"  # started after the truncated resolution date, by less than a second
    warehouse.put_issue(case["issue"], changes)
    warehouse.derive_for("cycle_times", settings=FlowSettings(cycle_time_from="started"))
    assert warehouse.rows("SELECT cycle_time_hours FROM cycle_times") == [(0.0,)]


def test_a_stop_before_the_start_is_named_and_gives_no_duration(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("done-then-closed")
    warehouse.derive_for("cycle_times", settings=FlowSettings(started=("Closed",), done=("Done", "Closed")))
    row = warehouse.row(
        "SELECT cycle_quality, started_to_done_hours, started_to_done_days, lead_time_days FROM cycle_times"
    )
    assert row == {
        "cycle_quality": "stop_before_start",
        "started_to_done_hours": None,
        "started_to_done_days": None,
        "lead_time_days": 4,
    }


def test_the_team_is_the_assignees_and_follows_the_roster(warehouse: FlowWarehouse) -> None:
    case = EDGE_CASES["cases"][0]
    warehouse.put_issue({**case["issue"], "assignee_id": "u1"}, case["changes"])
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT team FROM cycle_times") == [(None,)]
    warehouse.connection.execute(
        "INSERT INTO matched_assignees (user_id, team) VALUES ('u1', 'Payments'), ('u2', 'Core')"
    )
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT team FROM cycle_times") == [("Payments",)]
    warehouse.connection.execute("DELETE FROM matched_assignees")
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT team FROM cycle_times") == [(None,)]


@pytest.mark.parametrize(
    ("level", "is_subtask", "counts"),
    [(0, False, True), (-1, True, False), (1, False, False), (None, True, False), (None, False, True)],
)
def test_sub_tasks_and_epics_have_clocks_but_do_not_count_in_flow(
    warehouse: FlowWarehouse, level: int | None, is_subtask: bool, counts: bool
) -> None:
    case = EDGE_CASES["cases"][0]
    warehouse.put_issue({**case["issue"], "hierarchy_level": level, "is_subtask": is_subtask}, case["changes"])
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT counts_in_flow, started_to_done_hours FROM cycle_times") == [(counts, 54.0)]


def test_another_setting_re_derives_unchanged_issues(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("midnight-utc")
    warehouse.derive_for("cycle_times", settings=FlowSettings(time_zone="UTC"))
    assert warehouse.rows("SELECT started_to_done_days, done_date FROM cycle_times") == [
        (2, datetime(2024, 6, 5).date())
    ]
    warehouse.derive_for("cycle_times", settings=FlowSettings(time_zone="America/New_York"))
    assert warehouse.rows("SELECT started_to_done_days, done_date FROM cycle_times") == [
        (1, datetime(2024, 6, 4).date())
    ]

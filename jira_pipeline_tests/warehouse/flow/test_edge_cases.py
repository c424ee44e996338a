"""Every edge of a status history, worked by hand, comes out of the real tables as written in edge_cases.json."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from jira_pipeline_tests.warehouse.flow.conftest import EDGE_CASES, FlowWarehouse

LATER_COLUMNS = {"active_hours", "waiting_hours", "blocked_hours", "backlog_hours", "done_gap_hours", "flow_efficiency"}


@pytest.mark.parametrize("case", EDGE_CASES["cases"], ids=lambda case: case["id"])
def test_edge_case_comes_out_as_worked_by_hand(warehouse: FlowWarehouse, case: dict[str, Any]) -> None:
    warehouse.derive(warehouse.put_case(case["id"]))

    found = warehouse.row("SELECT * FROM cycle_times")
    expected = {
        key: value for key, value in case["expected"].items() if key != "time_in_status" and key not in LATER_COLUMNS
    }
    assert len(expected) >= 8
    for column, value in expected.items():
        if column.endswith(("_at", "_at_last")):
            assert found[column] == (value and datetime.fromisoformat(value)), column
        elif isinstance(value, float):
            assert found[column] == pytest.approx(value, abs=1e-9), column
        else:
            assert found[column] == value, column


@pytest.mark.parametrize(
    "case", [case for case in EDGE_CASES["cases"] if "time_in_status" in case["expected"]], ids=lambda case: case["id"]
)
def test_edge_case_spends_the_worked_time_in_each_status(warehouse: FlowWarehouse, case: dict[str, Any]) -> None:
    warehouse.derive(warehouse.put_case(case["id"]))

    closed = warehouse.rows(
        "SELECT status_id, sum(hours), count(*) FROM status_intervals WHERE left_at IS NOT NULL GROUP BY ALL"
    )
    assert {status: [hours, visits] for status, hours, visits in closed} == case["expected"]["time_in_status"]


def test_flags_are_set_by_the_cases_about_them_and_by_no_other(warehouse: FlowWarehouse) -> None:
    flags = (
        "created_not_initial",
        "change_before_created",
        "broken_chain",
        "tail_mismatch",
        "unknown_status",
        "resolved_not_done",
        "done_not_resolved",
    )
    seen = set()
    for case in EDGE_CASES["cases"]:
        warehouse.derive(warehouse.put_case(case["id"]))
        found = warehouse.row(f"SELECT {', '.join(flags)} FROM cycle_times")
        assert found == {flag: case["expected"].get(flag, False) for flag in flags}, case["id"]
        seen |= {flag for flag, value in found.items() if value}
    assert seen == set(flags)

"""Every edge of a status history, worked by hand, comes out of the real tables as written in edge_cases.json."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from jira_pipeline.warehouse.flow import FlowSettings
from jira_pipeline_tests.warehouse.flow.conftest import EDGE_CASES, FlowWarehouse, open_flow_warehouse

FLAGS = (
    "created_not_initial",
    "change_before_created",
    "broken_chain",
    "tail_mismatch",
    "unknown_status",
    "resolved_not_done",
    "done_not_resolved",
)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, FlowWarehouse]]:
    """The warehouse in which each case is derived: cases about the same settings share one, told apart by issue id."""
    warehouses: dict[str, FlowWarehouse] = {}
    for number, case in enumerate(EDGE_CASES["cases"]):
        key = str(case["settings"])
        if key not in warehouses:
            warehouses[key] = open_flow_warehouse(tmp_path_factory.mktemp("edge") / "work.duckdb")
        warehouses[key].put_issue({**case["issue"], "issue_id": number}, case["changes"])
    for case in EDGE_CASES["cases"]:
        warehouse = warehouses[str(case["settings"])]
        if not warehouse.rows("SELECT 1 FROM cycle_times LIMIT 1"):
            settings = case["settings"]
            waiting = tuple(settings.get("waiting", ()))
            warehouse.derive_for("cycle_times", settings=FlowSettings(time_zone=settings["time_zone"], waiting=waiting))
    yield warehouses
    for warehouse in warehouses.values():
        warehouse.close()


def cases(*, with_times: bool = False) -> list[Any]:
    return [
        pytest.param(number, case, id=case["id"])
        for number, case in enumerate(EDGE_CASES["cases"])
        if not with_times or "time_in_status" in case["expected"]
    ]


@pytest.mark.parametrize(("number", "case"), cases())
def test_edge_case_comes_out_as_worked_by_hand(
    derived: dict[str, FlowWarehouse], number: int, case: dict[str, Any]
) -> None:
    found = derived[str(case["settings"])].row("SELECT * FROM cycle_times WHERE issue_id = ?", [number])
    expected = {column: value for column, value in case["expected"].items() if column != "time_in_status"}
    assert len(expected) >= 8
    for column, value in expected.items():
        if column.endswith(("_at", "_at_last")):
            assert found[column] == (value and datetime.fromisoformat(value)), column
        elif isinstance(value, float):
            assert found[column] == pytest.approx(value, abs=1e-9), column
        else:
            assert found[column] == value, column


@pytest.mark.parametrize(("number", "case"), cases(with_times=True))
def test_edge_case_spends_the_worked_time_in_each_status(
    derived: dict[str, FlowWarehouse], number: int, case: dict[str, Any]
) -> None:
    times = derived[str(case["settings"])].rows(
        "SELECT status_id, hours, visits FROM time_in_status WHERE issue_id = ? AND NOT is_current", [number]
    )
    assert {status: [hours, visits] for status, hours, visits in times} == case["expected"]["time_in_status"]


def test_flags_are_set_by_the_cases_about_them_and_by_no_other(derived: dict[str, FlowWarehouse]) -> None:
    seen = set()
    for number, case in enumerate(EDGE_CASES["cases"]):
        warehouse = derived[str(case["settings"])]
        found = warehouse.row(f"SELECT {', '.join(FLAGS)} FROM cycle_times WHERE issue_id = ?", [number])
        assert found == {flag: case["expected"].get(flag, False) for flag in FLAGS}, case["id"]
        seen |= {flag for flag, value in found.items() if value}
    assert seen == set(FLAGS)


def test_every_microsecond_between_start_and_done_is_in_one_bucket(derived: dict[str, FlowWarehouse]) -> None:
    checked = 0
    for warehouse in derived.values():
        for total, elapsed in warehouse.rows(
            """
            SELECT active_hours + waiting_hours + blocked_hours + backlog_hours + done_gap_hours, started_to_done_hours
            FROM cycle_times WHERE started_to_done_hours > 0
            """
        ):
            assert total == pytest.approx(elapsed, abs=1e-9)
            checked += 1
    assert checked > 20

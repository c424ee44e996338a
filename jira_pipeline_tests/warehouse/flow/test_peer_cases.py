"""Cases from the tests of other tools: jirametrics' start and stop rules, three libraries' working time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.warehouse.flow import FlowSettings, WorkingCalendar
from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse, open_flow_warehouse

HERE = Path(__file__).parent
JIRAMETRICS: dict[str, Any] = json.loads((HERE / "jirametrics_cases.json").read_text(encoding="utf-8"))
CALENDAR: dict[str, Any] = json.loads((HERE / "working_calendar_cases.json").read_text(encoding="utf-8"))


def test_clocks_start_and_stop_where_jirametrics_has_them(warehouse: FlowWarehouse) -> None:
    for status_id, name, category in JIRAMETRICS["statuses"]:
        warehouse.put_status(status_id, name, category)
    for case in JIRAMETRICS["cases"]:
        warehouse.put_issue(case["issue"], case["changes"])
        settings = {role: tuple(statuses) for role, statuses in case["settings"].items()}
        warehouse.derive_for("cycle_times", settings=FlowSettings(**settings))
        if case["column"] == "second_stay":
            found = warehouse.row("SELECT min(entered_at) AS found FROM status_intervals WHERE stay_number = 2")[
                "found"
            ]
        else:
            found = warehouse.row(f"SELECT {case['column']} AS found FROM cycle_times")["found"]
        assert found == (case["expected"] and datetime.fromisoformat(case["expected"])), case["id"]
    assert len(JIRAMETRICS["cases"]) == 18


@pytest.mark.parametrize("case", CALENDAR["cases"], ids=lambda case: case[0])
def test_working_time_is_what_the_calendar_libraries_count(calendar_warehouse: FlowWarehouse, case: list[Any]) -> None:
    _, time_zone, week, days, start, end, hours = case
    begin, finish = sorted((datetime.fromisoformat(start), datetime.fromisoformat(end)))
    calendar = WorkingCalendar(
        week={day: tuple(map(tuple, spans)) for day, spans in week.items()},
        days={date.fromisoformat(day): tuple(map(tuple, spans)) for day, spans in days.items()},
        time_zone=time_zone,
    )
    issue = {"issue_id": 1, "issue_key": "P-1", "status_id": "7", "status": "Done", "status_category": "done"}
    moves = [[1, 0, begin, "status", "status", "2", "", "3", ""], [2, 0, finish, "status", "status", "3", "", "7", ""]]
    calendar_warehouse.put_issue({**issue, "created_at": begin, "updated_at": finish}, moves)
    calendar_warehouse.derive_for("cycle_times", settings=FlowSettings(calendar=calendar))
    (worked,) = calendar_warehouse.rows("SELECT working_hours FROM cycle_times")[0]
    assert worked == pytest.approx(abs(hours), abs=0.13 if case[0].startswith("ra-") else 1e-9)


@pytest.fixture(scope="module")
def calendar_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path_factory.mktemp("calendar") / "work.duckdb")
    yield opened
    opened.close()


def test_without_a_calendar_there_is_no_working_time(warehouse: FlowWarehouse) -> None:
    warehouse.derive(warehouse.put_case("plain"))
    assert warehouse.rows("SELECT started_to_done_hours, working_hours FROM cycle_times") == [(54.0, None)]

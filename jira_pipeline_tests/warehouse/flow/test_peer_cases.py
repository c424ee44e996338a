"""Cases from the tests of other tools: jirametrics' start and stop rules, three libraries' working time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.warehouse.flow import FlowSettings, WorkingCalendar
from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse, open_flow_warehouse

HERE = Path(__file__).parent
JIRAMETRICS: dict[str, Any] = json.loads((HERE / "jirametrics_cases.json").read_text(encoding="utf-8"))
CALENDAR: dict[str, Any] = json.loads((HERE / "working_calendar_cases.json").read_text(encoding="utf-8"))


def alike(cases: Iterable[Any], settings: Callable[[Any], object]) -> Iterator[list[tuple[int, Any]]]:
    """Cases, numbered, in groups of the same settings: a group is derived at once."""
    groups: dict[str, list[tuple[int, Any]]] = {}
    for number, case in enumerate(cases):
        groups.setdefault(json.dumps(settings(case)), []).append((number, case))
    yield from groups.values()


def test_clocks_start_and_stop_where_jirametrics_has_them(tmp_path: Path) -> None:
    checked = 0
    for group in alike(JIRAMETRICS["cases"], lambda case: case["settings"]):
        warehouse = open_flow_warehouse(tmp_path / f"{group[0][0]}.duckdb")
        for status_id, name, category in JIRAMETRICS["statuses"]:
            warehouse.put_status(status_id, name, category)
        for number, case in group:
            warehouse.put_issue({**case["issue"], "issue_id": number}, case["changes"])
        settings = {role: tuple(statuses) for role, statuses in group[0][1]["settings"].items()}
        warehouse.derive_for("cycle_times", settings=FlowSettings(**settings))
        for number, case in group:
            if case["column"] == "second_stay":
                query = "SELECT min(entered_at) FROM status_intervals WHERE stay_number = 2 AND issue_id = ?"
            else:
                query = f"SELECT {case['column']} FROM cycle_times WHERE issue_id = ?"
            expected = case["expected"] and datetime.fromisoformat(case["expected"])
            assert warehouse.rows(query, [number]) == [(expected,)], case["id"]
            checked += 1
        warehouse.close()
    assert checked == 18


@pytest.mark.parametrize(
    ("number", "case"), [pytest.param(number, case, id=case[0]) for number, case in enumerate(CALENDAR["cases"])]
)
def test_working_time_is_what_the_calendar_libraries_count(
    working_hours: Mapping[int, float], number: int, case: list[Any]
) -> None:
    hours = case[-1]
    assert working_hours[number] == pytest.approx(abs(hours), abs=0.13 if case[0].startswith("ra-") else 1e-9)


@pytest.fixture(scope="module")
def working_hours(tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, float]:
    """What each case of the calendars comes out as."""
    found: dict[int, float] = {}
    directory = tmp_path_factory.mktemp("calendars")
    for group in alike(CALENDAR["cases"], lambda case: case[1:4]):
        warehouse = open_flow_warehouse(directory / f"{group[0][0]}.duckdb")
        for number, (_, _, _, _, *span, _) in group:
            begin, finish = sorted(map(datetime.fromisoformat, span))
            moves = [
                [1, 0, begin, "status", "status", "2", "", "3", ""],
                [2, 0, finish, "status", "status", "3", "", "7", ""],
            ]
            issue = {"issue_id": number, "issue_key": f"P-{number}", "status_id": "7", "status": "Done"}
            dates = {"status_category": "done", "created_at": begin, "updated_at": finish}
            warehouse.put_issue({**issue, **dates}, moves)
        _, time_zone, week, days, *_ = group[0][1]
        calendar = WorkingCalendar(
            week={day: tuple(map(tuple, spans)) for day, spans in week.items()},
            days={date.fromisoformat(day): tuple(map(tuple, spans)) for day, spans in days.items()},
            time_zone=time_zone,
        )
        warehouse.derive_for("cycle_times", settings=FlowSettings(calendar=calendar))
        found |= dict(warehouse.rows("SELECT issue_id, working_hours FROM cycle_times"))
        warehouse.close()
    return found


def test_without_a_calendar_there_is_no_working_time(warehouse: FlowWarehouse) -> None:
    warehouse.derive_for("cycle_times", settings=warehouse.put_case("plain"))
    assert warehouse.rows("SELECT started_to_done_hours, working_hours FROM cycle_times") == [(54.0, None)]

"""Sprints: who was in when, what was promised, what came."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse

SPRINT_FIELD, POINTS_FIELD = "customfield_10020", "customfield_10016"
START = datetime(2024, 6, 3, 9, tzinfo=UTC)


def at(day: float) -> datetime:
    return START + timedelta(days=day)


SPRINT = {
    "id": 7, "name": "Sprint 7", "state": "closed", "boardId": 3, "goal": "Pay", "startDate": at(0).isoformat(),
    "activatedDate": at(0.1).isoformat(), "endDate": at(14).isoformat(), "completeDate": at(14.2).isoformat(),
}  # fmt: skip


def put(
    warehouse: FlowWarehouse, issue_id: int, *, into: float | None = -1, out: float | None = None,
    done: float | None = None, points: tuple[tuple[float, str], ...] = ((-2, "3"),), sprint: object = SPRINT,
) -> None:  # fmt: skip
    """An issue that entered the sprint on day `into` (None: created in it), left it on `out`, was done on `done`."""
    changes: list[list[object]] = []
    if into is not None:
        changes.append([10, 0, at(into), "Sprint", SPRINT_FIELD, "", "", "7", "Sprint 7"])
    if out is not None:
        changes.append([11, 0, at(out), "Sprint", SPRINT_FIELD, "7", "Sprint 7", "8", "Sprint 8"])
    if done is not None:
        changes.append([12, 0, at(done), "status", "status", "3", "In Progress", "7", "Done"])
    previous = ""
    for number, (day, value) in enumerate(points):
        changes.append([20 + number, 0, at(day), "Points", POINTS_FIELD, None, previous, None, value])
        previous = value
    status = ("7", "Done", "done") if done is not None else ("3", "In Progress", "indeterminate")
    warehouse.put_issue(
        {
            "issue_id": issue_id, "issue_key": f"P-{issue_id}", "status_id": status[0], "status": status[1],
            "status_category": status[2], "created_at": at(-5), "updated_at": at(15), "story_points": 3.0,
            "sprint_ids": [7] if out is None else [8], "payload": json.dumps({"fields": {SPRINT_FIELD: [sprint]}}),
        },
        changes,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _fields(warehouse: FlowWarehouse) -> None:
    warehouse.put_field_role("sprint", SPRINT_FIELD)
    warehouse.put_field_role("story_points", POINTS_FIELD)


def test_a_sprint_is_read_from_a_cloud_object(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1)
    warehouse.derive_for("sprints")
    row = warehouse.row("SELECT * EXCLUDE (load_id) FROM sprints")
    assert row == {
        "sprint_id": 7, "name": "Sprint 7", "state": "closed", "board_id": 3, "goal": "Pay", "activated_at": at(0.1),
        "start_at": at(0), "end_at": at(14), "completed_at": at(14.2),
    }  # fmt: skip


def test_a_sprint_is_read_from_a_data_center_string(warehouse: FlowWarehouse) -> None:
    text = (
        "com.atlassian.greenhopper.service.sprint.Sprint@7eede03a[id=7,rapidViewId=2,state=ACTIVE,name=S 7, the, best,"
        "goal=<null>,startDate=2024-06-03T11:00:00.000+02:00,endDate=2024-06-17T11:00:00.000+02:00,"
        "completeDate=<null>,sequence=2]"
    )
    put(warehouse, 1, sprint=text)
    warehouse.derive_for("sprints")
    row = warehouse.row("SELECT name, state, board_id, goal, activated_at, end_at, completed_at FROM sprints")
    assert list(row.values()) == ["S 7, the, best", "active", 2, None, at(0), at(14), None]


@pytest.mark.parametrize(
    "keys",
    [
        "rapidViewId=2,state=ACTIVE,name={name},goal={goal},startDate=<null>,id=7",
        "completeDate=<null>,goal={goal},id=7,name={name},rapidViewId=2,state=ACTIVE",
        "id=7,rapidViewId=2,goal={goal},state=ACTIVE,name={name}",
        "name={name},id=7,state=ACTIVE,rapidViewId=2,goal={goal}",
    ],
)
def test_the_keys_of_a_data_center_string_come_in_any_order(warehouse: FlowWarehouse, keys: str) -> None:
    """As in `issues.sprint_names`, which must not call the sprint something else."""
    printed = keys.format(name="S 7, the, [best]", goal="pay, or = not")
    put(warehouse, 1, sprint=f"com.atlassian.greenhopper.service.sprint.Sprint@7eede03a[{printed}]")
    warehouse.derive_for("sprints")
    row = warehouse.row("SELECT sprint_id, name, state, board_id, goal FROM sprints")
    assert list(row.values()) == [7, "S 7, the, [best]", "active", 2, "pay, or = not"]


def test_a_future_sprint_is_not_activated_by_its_planned_dates(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, sprint={**SPRINT, "state": "future", "activatedDate": None, "completeDate": None})
    warehouse.derive_for("sprint_report")
    assert warehouse.rows("SELECT state, activated_at FROM sprints") == [("future", None)]
    assert warehouse.table("sprint_report") == []


def test_the_report_tells_promise_from_change_and_outcome(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, done=5)  # committed, completed
    put(warehouse, 2)  # committed, carried over
    put(warehouse, 3, out=6)  # committed, removed
    put(warehouse, 4, into=3, done=8)  # added, completed
    put(warehouse, 5, done=-1)  # done before activation: ignored
    put(warehouse, 6, done=20)  # done after the end: carried over
    put(warehouse, 7, done=9, points=((-2, "3"), (4, "8")))  # re-estimated, completed
    put(warehouse, 8, into=15)  # came in after the end: not of this sprint
    warehouse.derive_for("sprint_report")
    row = warehouse.row("SELECT * FROM sprint_report WHERE sprint_id = 7")
    assert {name: row[name] for name in row if name.endswith(("_issues", "_points", "_committed", "_do"))} == {
        "committed_issues": 5, "added_issues": 1, "removed_issues": 1, "re_estimated_issues": 1, "completed_issues": 3,
        "completed_of_committed": 2, "carry_over_issues": 2, "say_do": pytest.approx(2 / 5), "committed_points": 15.0,
        "added_points": 3.0, "removed_points": 3.0, "completed_points": 14.0, "completed_of_committed_points": 6.0,
        "carry_over_points": 6.0,
    }  # fmt: skip


def test_a_membership_at_creation_counts_as_commitment(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, into=None)
    warehouse.derive_for("sprint_issues")
    assert warehouse.rows("SELECT is_committed, is_added FROM sprint_issues") == [(True, False)]


def test_an_active_sprint_is_measured_to_now(warehouse: FlowWarehouse) -> None:
    active = {**SPRINT, "state": "active", "completeDate": None}
    put(warehouse, 1, done=5, sprint=active)
    put(warehouse, 2, sprint=active)
    warehouse.derive_for("sprint_report", as_of=at(7))
    columns = "state, committed_issues, completed_issues, carry_over_issues, completed_at"
    assert warehouse.rows(f"SELECT {columns} FROM sprint_report") == [("active", 2, 1, 1, None)]


def test_the_sprint_of_the_issue_loaded_last_wins(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1, sprint={**SPRINT, "state": "active", "completeDate": None})
    warehouse.derive_for("sprints")
    put(warehouse, 2)
    warehouse.derive_for("sprints")
    assert warehouse.rows("SELECT state, completed_at FROM sprints") == [("closed", at(14.2))]


def test_a_sprint_next_to_an_unreadable_one_stays_one(warehouse: FlowWarehouse) -> None:
    put(warehouse, 1)
    warehouse.connection.execute("UPDATE issues SET sprint_ids = [7, 8]")
    for _ in range(2):
        warehouse.derive_for("sprints")
        assert warehouse.rows("SELECT sprint_id FROM sprints") == [(7,)]

"""Which value a field had when: assignee, sprint, story points, flag, project."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from jira_pipeline_tests.warehouse.flow.conftest import FLAGGED_FIELD, FlowWarehouse

CREATED = datetime(2024, 6, 3, 9, tzinfo=UTC)
ISSUE = {
    "issue_id": 1, "issue_key": "Q-1", "project_key": "Q", "project_id": "2", "status_id": "7", "status": "Done",
    "status_category": "done", "created_at": CREATED, "updated_at": CREATED + timedelta(hours=50),
}  # fmt: skip
DONE = [1, 0, CREATED + timedelta(hours=10), "status", "status", "2", "To Do", "7", "Done"]


def at(hours: float) -> datetime:
    return CREATED + timedelta(hours=hours)


def change(history_id: int, hours: float, field_id: str, before: tuple[object, object], after: tuple[object, object]):
    return [history_id, 0, at(hours), field_id, field_id, *before, *after]


def values(warehouse: FlowWarehouse, field: str) -> list[tuple[object, ...]]:
    return warehouse.rows(
        "SELECT value, from_at, until_at FROM field_intervals WHERE field = ? ORDER BY from_at, until_at", [field]
    )


def test_a_field_the_history_never_mentions_has_had_its_value_since_creation(warehouse: FlowWarehouse) -> None:
    warehouse.put_field_role("story_points", "customfield_1")
    warehouse.put_issue({**ISSUE, "assignee_id": "u9", "story_points": 3.0, "sprint_ids": [4, 5], "is_flagged": True})
    warehouse.derive_for("field_intervals")
    assert values(warehouse, "assignee") == [("u9", CREATED, None)]
    assert values(warehouse, "story_points") == [("3.0", CREATED, None)]
    assert values(warehouse, "sprint") == [("4, 5", CREATED, None)]
    assert values(warehouse, "flagged") == [("Impediment", CREATED, None)]
    assert values(warehouse, "project") == [("2", CREATED, None)]


def test_values_follow_each_other_and_times_without_a_value_have_no_row(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(
        {**ISSUE, "assignee_id": "u2"},
        [
            change(5, 1, "assignee", ("u1", "One"), (None, None)),
            change(6, 4, "assignee", (None, None), ("u2", "Two")),
            change(7, 2, FLAGGED_FIELD, (None, ""), ("[1]", "Impediment")),
            change(8, 3, FLAGGED_FIELD, ("[1]", "Impediment"), (None, "")),
        ],
    )
    warehouse.derive_for("field_intervals")
    assert values(warehouse, "assignee") == [("u1", CREATED, at(1)), ("u2", at(4), None)]
    assert values(warehouse, "flagged") == [("Impediment", at(2), at(3))]


def test_a_history_stored_twice_changes_nothing(warehouse: FlowWarehouse) -> None:
    changes = [
        change(5, 1, "assignee", ("u1", "One"), ("u2", "Two")),
        change(6, 4, "assignee", ("u2", "Two"), ("u3", "Three")),
    ]
    warehouse.put_issue({**ISSUE, "assignee_id": "u3"}, [*reversed(changes), *changes])
    warehouse.derive_for("field_intervals")
    assert values(warehouse, "assignee") == [("u1", CREATED, at(1)), ("u2", at(1), at(4)), ("u3", at(4), None)]


def test_completion_is_attributed_to_who_and_where_it_was_then(warehouse: FlowWarehouse) -> None:
    warehouse.connection.execute("INSERT INTO projects (project_id, project_key) VALUES ('1', 'P'), ('2', 'Q')")
    warehouse.connection.execute("INSERT INTO matched_assignees (user_id, team) VALUES ('u1', 'One'), ('u2', 'Two')")
    moved = change(6, 20, "project", ("1", "Project P"), ("2", "Project Q"))
    handed_over = change(5, 15, "assignee", ("u1", "One"), ("u2", "Two"))
    warehouse.put_issue({**ISSUE, "assignee_id": "u2"}, [DONE, handed_over, moved])
    warehouse.derive_for("throughput_weekly")
    row = warehouse.row(
        "SELECT project_key, assignee_id, team, project_key_at_done, assignee_id_at_done, team_at_done FROM cycle_times"
    )
    assert list(row.values()) == ["Q", "u2", "Two", "P", "u1", "One"]
    assert warehouse.rows("SELECT DISTINCT project_key FROM throughput_weekly WHERE done_issues > 0") == [("P",)]


def test_open_issues_have_no_attribution_at_completion(warehouse: FlowWarehouse) -> None:
    warehouse.put_case("open-todo")
    warehouse.derive_for("cycle_times")
    row = warehouse.row("SELECT project_key_at_done, assignee_id_at_done, is_delivered FROM cycle_times")
    assert list(row.values()) == [None, None, None]

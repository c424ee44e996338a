"""The status timeline: what is trusted, what is repaired, and what the workflow settings change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jira_pipeline.errors import PipelineError
from jira_pipeline.warehouse.flow import FlowSettings, ProjectWorkflow, derive_status_intervals
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, EDGE_CASES, FlowWarehouse

CREATED = datetime(2024, 6, 3, 9, tzinfo=UTC)


def at(hours: float) -> datetime:
    return CREATED + timedelta(hours=hours)


def issue(status_id: str | None = "7", status: str | None = "Done", **columns: object) -> dict[str, object]:
    category = {"1": "new", "2": "new", "7": "done", "8": "done"}.get(status_id or "", "indeterminate")
    return {
        "issue_id": 1, "issue_key": "P-1", "status_id": status_id, "status": status, "status_category": category,
        "created_at": CREATED, "updated_at": at(100), **columns,
    }  # fmt: skip


def move(
    history_id: int, hours: float, from_id: str | None, to_id: str | None, from_name: str = "", to_name: str = ""
) -> list[object]:
    return [history_id, 0, at(hours), "status", "status", from_id, from_name, to_id, to_name]


def stays(warehouse: FlowWarehouse) -> list[tuple[object, ...]]:
    return warehouse.rows(
        "SELECT status_id, phase, entered_at, left_at FROM status_intervals ORDER BY issue_id, stay_number"
    )


def test_stays_follow_each_other_without_gap_from_creation_to_now(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(), [move(1, 1, "2", "3"), move(2, 5, "3", "7")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse) == [
        ("2", "to_do", CREATED, at(1)),
        ("3", "in_progress", at(1), at(5)),
        ("7", "done", at(5), None),
    ]


def test_time_in_status_sums_to_the_age_of_the_issue_in_every_edge_case(warehouse: FlowWarehouse) -> None:
    for number, case in enumerate(EDGE_CASES["cases"], start=1):
        warehouse.put_issue({**case["issue"], "issue_id": number}, case["changes"])
    warehouse.derive_for("status_intervals")
    ages = warehouse.rows(
        """
        SELECT i.issue_id, sum(epoch_us(coalesce(s.left_at, greatest($1, s.entered_at))) - epoch_us(s.entered_at)),
               epoch_us(greatest($1, max(s.entered_at))) - epoch_us(i.created_at)
        FROM issues i JOIN status_intervals s ON s.issue_id = i.issue_id GROUP BY i.issue_id, i.created_at
        """,
        [AS_OF],
    )
    assert len(ages) == len(EDGE_CASES["cases"])
    assert [total for _, total, _ in ages] == [age for _, _, age in ages]


def test_a_history_stored_twice_and_in_any_order_gives_the_same_stays(warehouse: FlowWarehouse) -> None:
    for number, case in enumerate(EDGE_CASES["cases"], start=1):
        warehouse.put_issue({**case["issue"], "issue_id": number}, case["changes"])
    warehouse.derive_for("status_intervals")
    once = warehouse.table("status_intervals")
    for number, case in enumerate(EDGE_CASES["cases"], start=1):
        warehouse.put_issue({**case["issue"], "issue_id": number}, [*reversed(case["changes"]), *case["changes"]])
    warehouse.derive_for("status_intervals")
    assert len(once) > 2 * len(EDGE_CASES["cases"])
    assert warehouse.table("status_intervals") == once


def test_a_change_without_a_target_id_is_read_by_the_name_it_recorded(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(
        issue("3", "In Progress"), [move(1, 1, "2", None, "To Do", "code review"), move(2, 2, "4", "3")]
    )
    warehouse.derive_for("status_intervals")
    assert stays(warehouse)[1] == ("4", "in_progress", at(1), at(2))
    assert warehouse.rows("SELECT bool_or(unknown_status) FROM status_intervals") == [(False,)]


def test_a_status_that_only_its_name_tells_of_stays_in_the_timeline_and_is_flagged(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(None, "Development"), [move(1, 1, "2", None, "To Do", "Development")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse) == [("2", "to_do", CREATED, at(1)), (None, "in_progress", at(1), None)]
    assert warehouse.rows("SELECT status, unknown_status FROM status_intervals WHERE stay_number = 2") == [
        ("Development", True)
    ]


def test_the_status_at_creation_is_read_by_name_when_the_first_change_gives_no_id(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue("3", "In Progress"), [move(1, 1, None, "3", "To Do", "In Progress")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse)[0] == ("2", "to_do", CREATED, at(1))


def test_a_deleted_status_takes_the_category_of_a_living_one_with_its_name(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(
        issue(), [move(1, 1, "2", "900", "To Do", "Closed "), move(2, 2, "900", "7", "Closed ", "Done")]
    )
    warehouse.derive_for("status_intervals")
    assert stays(warehouse)[1][:2] == ("900", "done")


def test_a_name_is_that_of_the_status_which_the_site_still_has(warehouse: FlowWarehouse) -> None:
    """Not of one of that name that was deleted, which may have meant something else."""
    warehouse.put_status("11", "Parked", "done", is_listed=False)
    warehouse.put_status("12", "Parked", "indeterminate")
    warehouse.put_issue(
        issue(),
        [move(1, 1, "2", None, "To Do", "Parked"), move(2, 2, None, "900", "Parked", "Parked"), move(3, 3, "900", "7")],
    )
    warehouse.derive_for("status_intervals")
    assert [row[:2] for row in stays(warehouse)[1:3]] == [("12", "in_progress"), ("900", "in_progress")]

    warehouse.put_status("11", "Parked", "done")
    warehouse.put_status("12", "Parked", "indeterminate", is_listed=False)
    warehouse.derive_for("status_intervals")
    assert [row[:2] for row in stays(warehouse)[1:3]] == [("11", "done"), ("900", "done")], "no issue has changed"


def test_status_changes_are_found_by_field_name_where_jira_sends_no_field_id(warehouse: FlowWarehouse) -> None:
    old = [1, 0, at(1), "status", None, "2", "To Do", "3", "In Progress"]
    named_alike = [2, 0, at(2), "status", "customfield_10200", "a", "a", "b", "b"]
    warehouse.put_issue(issue("3", "In Progress"), [old, named_alike])
    warehouse.derive_for("status_intervals")
    assert [row[0] for row in stays(warehouse)] == ["2", "3"]


def test_a_missing_tail_inside_one_category_is_dated_by_the_last_update(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue("6", "QA", status_category_changed_at=at(2)), [move(1, 1, "2", "3")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse)[-1] == ("6", "in_progress", at(100), None)
    assert warehouse.rows("SELECT origin FROM status_intervals WHERE left_at IS NULL") == [("tail",)]


def test_a_missing_tail_never_begins_before_the_last_known_change(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(status_category_changed_at=at(-5)), [move(1, 1, "2", "3")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse)[-1] == ("7", "done", at(1), None)


def test_a_change_whose_date_cannot_be_read_happened_at_the_creation(warehouse: FlowWarehouse) -> None:
    undated = move(1, 0, "2", "3")
    undated[2] = None
    warehouse.put_issue(issue(), [undated, move(2, 5, "3", "7")])
    warehouse.derive_for("status_intervals")
    assert stays(warehouse) == [
        ("2", "to_do", CREATED, CREATED),
        ("3", "in_progress", CREATED, at(5)),
        ("7", "done", at(5), None),
    ]


def test_an_issue_whose_history_is_incomplete_has_dates_but_no_flow(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(resolved_at=at(10)), [move(1, 1, "2", "3")], history_complete=False)
    warehouse.derive_for("cycle_times")
    assert stays(warehouse) == []
    row = warehouse.row("SELECT * FROM cycle_times")
    assert (row["created_at"], row["resolved_at"], row["resolution_time_hours"]) == (CREATED, at(10), 10.0)
    assert (row["started_at"], row["done_at"], row["cycle_quality"], row["reopen_count"]) == (None, None, None, None)
    assert row["history_incomplete"]
    assert not row["resolved_not_done"]


def test_configured_statuses_decide_what_starts_and_stops_the_clock(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(
        issue("8", "Closed"), [move(1, 1, "2", "3"), move(2, 2, "3", "6"), move(3, 3, "6", "7"), move(4, 4, "7", "8")]
    )
    warehouse.derive_for("cycle_times", settings=FlowSettings(started=("qa",), done=("8",)))
    row = warehouse.row("SELECT started_at, done_at, started_to_done_hours FROM cycle_times")
    assert row == {"started_at": at(2), "done_at": at(4), "started_to_done_hours": 2.0}
    assert [phase for _, phase, _, _ in stays(warehouse)] == [
        "to_do",
        "in_progress",
        "in_progress",
        "in_progress",
        "done",
    ]


def test_a_project_may_have_a_workflow_of_its_own(warehouse: FlowWarehouse) -> None:
    moves = [move(1, 1, "2", "3"), move(2, 2, "3", "6"), move(3, 3, "6", "7")]
    warehouse.put_issue(issue(), moves)
    warehouse.put_issue(issue(issue_id=2, issue_key="Q-1", project_key="Q"), moves)
    warehouse.derive(FlowSettings(project_workflows=(ProjectWorkflow("Q", started=("QA",)),)))
    assert warehouse.rows("SELECT project_key, started_at FROM cycle_times ORDER BY ALL") == [
        ("P", at(1)),
        ("Q", at(2)),
    ]


@pytest.mark.parametrize(
    "named", [ProjectWorkflow(None, started=("QA",), project_id="7"), ProjectWorkflow("OLD", started=("QA",))]
)
def test_it_may_be_named_by_its_id_or_by_the_key_it_had(warehouse: FlowWarehouse, named: ProjectWorkflow) -> None:
    warehouse.connection.execute(
        "INSERT INTO ops.tracked_projects (project_id, project_key, configured_key, is_active) "
        "VALUES ('7', 'Q', 'OLD', true), ('6', 'OLD', 'OLD', false)"
    )
    moves = [move(1, 1, "2", "3"), move(2, 2, "3", "6"), move(3, 3, "6", "7")]
    warehouse.put_issue(issue(), moves)
    warehouse.put_issue(issue(issue_id=2, issue_key="Q-1", project_key="Q"), moves)
    warehouse.derive_for("cycle_times", settings=FlowSettings(project_workflows=(named,)))
    assert warehouse.rows("SELECT project_key, started_at FROM cycle_times ORDER BY ALL") == [
        ("P", at(1)),
        ("Q", at(2)),
    ]


def test_a_status_moved_to_another_category_re_dates_what_was_derived_before(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(), [move(1, 1, "2", "3"), move(2, 5, "3", "7")])
    warehouse.derive_for("cycle_times")
    warehouse.put_status("2", "To Do", "indeterminate")
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT started_at FROM cycle_times") == [(CREATED,)]


def test_only_issues_stored_anew_are_derived_anew(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(), [move(1, 1, "2", "3"), move(2, 5, "3", "7")])
    warehouse.put_issue(issue(issue_id=2), [move(1, 1, "2", "3"), move(2, 5, "3", "7")])
    warehouse.derive_for("cycle_times")
    warehouse.connection.execute("UPDATE status_intervals SET status = 'as derived before'")
    warehouse.put_issue(issue(issue_id=2), [move(1, 1, "2", "3"), move(2, 6, "3", "7")])
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT DISTINCT issue_id FROM status_intervals WHERE status = 'as derived before'") == [(1,)]
    assert warehouse.rows("SELECT done_at FROM cycle_times ORDER BY issue_id") == [(at(5),), (at(6),)]


def test_a_removed_issue_leaves_every_table(warehouse: FlowWarehouse) -> None:
    warehouse.put_issue(issue(), [move(1, 1, "2", "3")])
    warehouse.put_issue(issue(issue_id=2), [move(1, 1, "2", "3")])
    warehouse.derive_for("cycle_times")
    warehouse.remove_issue(1)
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT DISTINCT issue_id FROM status_intervals UNION SELECT issue_id FROM cycle_times") == [
        (2,)
    ]


def test_another_time_zone_of_the_session_changes_nothing(warehouse: FlowWarehouse) -> None:
    settings = warehouse.put_case("midnight-kolkata")
    warehouse.derive(settings)
    before = [warehouse.table(name) for name in ("status_intervals", "cycle_times", "cycle_time_metrics")]
    warehouse.connection.execute("SET TimeZone = 'America/Los_Angeles'")
    warehouse.put_case("midnight-kolkata")
    warehouse.derive(settings)
    warehouse.connection.execute("SET TimeZone = 'UTC'")
    assert [warehouse.table(name) for name in ("status_intervals", "cycle_times", "cycle_time_metrics")] == before


def test_an_as_of_without_a_zone_is_refused(warehouse: FlowWarehouse) -> None:
    with pytest.raises(PipelineError, match="has no time zone"):
        derive_status_intervals(warehouse.connection, FlowSettings(), as_of=datetime(2024, 6, 30))

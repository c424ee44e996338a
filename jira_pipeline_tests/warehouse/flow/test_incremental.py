"""Whatever happens to the issues between two runs, the tables equal those derived at once from the last state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse, open_flow_warehouse

DERIVED = ("status_intervals", "cycle_times", "cycle_time_metrics")
BEGIN = datetime(2024, 6, 3, tzinfo=UTC)
STATUS_NAMES = {
    "1": "Backlog",
    "2": "To Do",
    "3": "In Progress",
    "5": "Waiting for QA",
    "7": "Done",
    "8": "Closed",
    "99": "gone",
}
CATEGORIES = {"1": "new", "2": "new", "7": "done", "8": "done"}

status_ids = st.sampled_from(sorted(STATUS_NAMES))
hours = st.integers(min_value=-10, max_value=600)
histories = st.lists(st.tuples(hours, status_ids, status_ids), max_size=6)
stored_issues = st.fixed_dictionaries({
    "issue_id": st.integers(min_value=1, max_value=4),
    "project_key": st.sampled_from(["P", "Q"]),
    "now": status_ids,
    "resolved": st.none() | hours,
    "history": histories,
    "history_complete": st.sampled_from([True, True, True, False]),
})  # fmt: skip
mutations = st.one_of(
    stored_issues,
    st.integers(min_value=1, max_value=4),
    st.tuples(st.sampled_from(["2", "3"]), st.sampled_from(["new", "indeterminate", "done"])),
)


def apply(warehouse: FlowWarehouse, mutation: object) -> None:
    match mutation:
        case dict():
            instant: Callable[[int], datetime] = lambda hour: BEGIN + timedelta(hours=hour)  # noqa: E731
            now = mutation["now"]
            issue = {
                "issue_id": mutation["issue_id"], "issue_key": f"P-{mutation['issue_id']}",
                "project_key": mutation["project_key"],
                "status_id": now, "status": STATUS_NAMES[now], "status_category": CATEGORIES.get(now, "indeterminate"),
                "created_at": BEGIN, "updated_at": instant(601), "story_points": 3.0,
                "resolved_at": None if mutation["resolved"] is None else instant(mutation["resolved"]),
            }  # fmt: skip
            changes = [
                [
                    number,
                    0,
                    instant(hour),
                    "status",
                    "status",
                    source,
                    STATUS_NAMES[source],
                    target,
                    STATUS_NAMES[target],
                ]
                for number, (hour, source, target) in enumerate(mutation["history"])
            ]
            warehouse.put_issue(issue, changes, history_complete=mutation["history_complete"])
        case int():
            warehouse.remove_issue(mutation)
        case (status_id, category):
            warehouse.put_status(str(status_id), STATUS_NAMES[status_id], category)


def test_incremental_equals_full_rebuild_after_any_mutation(tmp_path: Path) -> None:
    step_by_step, at_once = (
        open_flow_warehouse(tmp_path / "steps.duckdb"),
        open_flow_warehouse(tmp_path / "once.duckdb"),
    )
    changed_something = 0

    @settings(max_examples=30, deadline=None)
    @given(before=st.lists(mutations, min_size=1, max_size=5), after=st.lists(mutations, min_size=1, max_size=4))
    def run(before: list[object], after: list[object]) -> None:
        nonlocal changed_something
        step_by_step.clear()
        at_once.clear()
        for mutation in before:
            apply(step_by_step, mutation)
        step_by_step.derive()
        intermediate = step_by_step.table("status_intervals")
        for mutation in after:
            apply(step_by_step, mutation)
        step_by_step.derive()
        for mutation in (*before, *after):
            apply(at_once, mutation)
        at_once.derive()
        for name in DERIVED:
            assert step_by_step.table(name) == at_once.table(name), name
        changed_something += at_once.table("status_intervals") != intermediate

    run()
    assert changed_something > 5
    step_by_step.connection.close()
    at_once.connection.close()

"""Issues are derived some at a time; how many at a time is not to be seen in what comes out."""

from __future__ import annotations

import pytest

from jira_pipeline.warehouse.flow import FLOW_TABLES, FlowSettings, WorkingCalendar, batches
from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse

SETTINGS = FlowSettings(waiting=("Waiting for QA",), calendar=WorkingCalendar(week={"mon": (("09:00", "17:00"),)}))


def every_table(warehouse: FlowWarehouse) -> dict[str, list[tuple[object, ...]]]:
    return {table.name: warehouse.table(table.name) for table in FLOW_TABLES}


def test_issues_derived_a_few_at_a_time_equal_all_at_once(
    warehouse: FlowWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.put_every_edge_case()
    warehouse.derive_all(SETTINGS)
    at_once = every_table(warehouse)
    assert len(at_once["cycle_times"]) > 15

    monkeypatch.setattr(batches, "ISSUES_IN_A_BATCH", 4)
    for table in FLOW_TABLES:
        warehouse.connection.execute(f"DELETE FROM {table.name}")
    warehouse.connection.execute("DELETE FROM ops.state WHERE starts_with(name, 'flow.') AND name <> 'flow.schema'")
    warehouse.derive_all(SETTINGS)

    assert every_table(warehouse) == at_once


def test_every_outdated_issue_is_in_one_batch_none_larger_than_allowed(
    warehouse: FlowWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ISSUES_IN_A_BATCH", 4)
    for issues in (0, 1, 4, 5, 13):
        warehouse.connection.execute(
            "CREATE OR REPLACE TEMP TABLE outdated_issues AS SELECT i AS issue_id FROM range($1) r(i)", [issues]
        )
        taken = [
            warehouse.rows("SELECT issue_id FROM outdated_issues ORDER BY 1")
            for _ in batches.batches_of_outdated_issues(warehouse.connection)
        ]
        assert len(taken) == max(1, -(-issues // 4))
        assert max(map(len, taken)) <= 4
        assert [issue for batch in taken for (issue,) in batch] == list(range(issues))

"""Each table is derived in a transaction of its own: where one derivation stops, the next goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from jira_pipeline.warehouse.flow import FLOW_TABLES, FlowSettings, derive_tables
from jira_pipeline.warehouse.statements import sql_text
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, FlowWarehouse, open_flow_warehouse

NAMES = [table.name for table in FLOW_TABLES]
NEXT_DAY = AS_OF + timedelta(days=1)


def is_whole(warehouse: FlowWarehouse) -> bool:
    ((whole,),) = warehouse.rows(sql_text("is_whole"))
    return bool(whole)


def derivation(warehouse: FlowWarehouse) -> Iterator[str]:
    return (table.name for table in derive_tables(warehouse.connection, NAMES, FlowSettings(), as_of=NEXT_DAY))


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    """All tables derived."""
    warehouse = open_flow_warehouse(tmp_path_factory.mktemp("derived") / "work.duckdb")
    warehouse.put_every_edge_case()
    warehouse.derive_all()
    yield warehouse
    warehouse.close()


@pytest.fixture
def changed(derived: FlowWarehouse, tmp_path: Path) -> Iterator[FlowWarehouse]:
    """All tables derived, then one issue with another history."""
    warehouse = derived.copied_to(tmp_path / "work.duckdb")
    issue = warehouse.row("SELECT issue_id, issue_key, created_at FROM issues WHERE issue_id = 1")
    moves = [
        [8, 0, AS_OF - timedelta(days=2), "status", "status", "2", "To Do", "7", "Done"],
        [9, 0, AS_OF, "status", "status", "7", "Done", "3", "In Progress"],
    ]
    warehouse.put_issue({**issue, "status_id": "3", "status": "In Progress", "updated_at": AS_OF}, moves)
    yield warehouse
    warehouse.close()


def test_what_a_derivation_that_stopped_has_left_behind_is_made_up_for(changed: FlowWarehouse) -> None:
    for last in ("status_intervals", "cycle_times", "cumulative_flow", "aging_wip"):
        for name in derivation(changed):
            if name == last:
                break
        assert not is_whole(changed)
    assert list(derivation(changed)) == NAMES
    assert is_whole(changed)
    gone_on = {name: changed.table(name) for name in NAMES}
    changed.connection.execute("DELETE FROM ops.state WHERE name <> 'flow.schema'")
    assert list(derivation(changed)) == NAMES
    assert gone_on == {name: changed.table(name) for name in NAMES}


def test_a_table_that_fails_is_as_it_was_and_those_before_it_are_kept(changed: FlowWarehouse) -> None:
    before = changed.table("cycle_times")
    changed.connection.execute("ALTER TABLE cycle_times RENAME COLUMN reopen_count TO elsewhere")
    with pytest.raises(Exception, match="reopen_count"):
        list(derivation(changed))
    changed.connection.execute("ALTER TABLE cycle_times RENAME COLUMN elsewhere TO reopen_count")
    assert changed.table("cycle_times") == before
    assert changed.rows("SELECT history_id FROM status_intervals WHERE issue_id = 1 AND left_at IS NULL") == [(9,)]


def test_tables_nobody_asked_for_are_not_taken_for_behind(changed: FlowWarehouse) -> None:
    for _ in derive_tables(changed.connection, ["cycle_times"], FlowSettings(), as_of=NEXT_DAY):
        pass
    assert is_whole(changed)

"""The tables as such: documented, complete, repeatable, and remade when this program changes."""

from __future__ import annotations

from jira_pipeline.warehouse.flow import FLOW_TABLES, create_flow_tables, with_sources
from jira_pipeline.warehouse.flow.tables import described_tables, record
from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse

BASE_TABLES = {"issues", "issue_changes", "raw_issues", "matched_assignees", "projects"}
NAMES = [table.name for table in FLOW_TABLES]


def test_every_table_and_column_has_a_comment_in_the_database(warehouse: FlowWarehouse) -> None:
    tables = dict(warehouse.rows("SELECT table_name, comment FROM duckdb_tables()"))
    columns = warehouse.rows("SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
    derived = [(table, column, comment) for table, column, comment in columns if table in NAMES]
    assert len(derived) > 200
    assert [name for name in NAMES if not tables[name]] == []
    assert [(table, column) for table, column, comment in derived if not comment] == []


def test_the_catalog_lists_every_derived_table_after_those_it_reads() -> None:
    assert {name for name, _, _ in described_tables() if not name.startswith("ops.")} == set(NAMES)
    known = set(BASE_TABLES)
    for table in FLOW_TABLES:
        assert set(table.reads) <= known, table.name
        known.add(table.name)


def test_a_selection_is_derived_after_all_that_it_is_derived_from() -> None:
    names = [table.name for table in with_sources(["sprint_report", "cycle_times"])]
    assert names == [
        "status_intervals", "time_in_status", "field_intervals", "cycle_times", "sprints", "sprint_issues",
        "sprint_report",
    ]  # fmt: skip


def test_a_table_derived_alone_knows_the_newest_history(warehouse: FlowWarehouse) -> None:
    """And does not take figures of an older one for those of the newest load."""
    warehouse.derive_all(warehouse.put_case("plain"))
    before = warehouse.rows("SELECT done_at FROM cycle_times")
    warehouse.put_case("reopened-closed")
    warehouse.derive_for("cycle_times")
    alone = warehouse.table("cycle_times")
    assert warehouse.rows("SELECT done_at FROM cycle_times") != before
    warehouse.connection.execute("DELETE FROM cycle_times")
    warehouse.derive_all()
    assert warehouse.table("cycle_times") == alone


def test_every_table_gets_rows_and_the_same_instant_gives_the_same_rows(warehouse: FlowWarehouse) -> None:
    warehouse.put_every_edge_case()
    warehouse.derive_all()
    once = {name: warehouse.table(name) for name in NAMES}
    warehouse.derive_all()
    assert {name: warehouse.table(name) for name in NAMES} == once
    without_input = {"sprints", "sprint_issues", "sprint_report", "forecast_backtest", "bugs_weekly"}
    assert {name for name, rows in once.items() if not rows} == without_input


def test_tables_of_another_version_are_made_anew(warehouse: FlowWarehouse) -> None:
    warehouse.derive_for("cycle_times", settings=warehouse.put_case("plain"))
    warehouse.connection.execute("ALTER TABLE cycle_times DROP COLUMN team")
    create_flow_tables(warehouse.connection)
    assert warehouse.rows("SELECT count(*) FROM cycle_times") == [(1,)]
    record(warehouse.connection, "flow.schema", value="another version")
    create_flow_tables(warehouse.connection)
    warehouse.derive_for("cycle_times")
    assert warehouse.rows("SELECT issue_key, team FROM cycle_times") == [("X-1", None)]


def test_an_empty_warehouse_gives_empty_tables(warehouse: FlowWarehouse) -> None:
    warehouse.derive_all()
    assert [name for name in NAMES if warehouse.table(name)] == []

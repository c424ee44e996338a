"""What is told of the tables without a database is what the database says of them."""

from __future__ import annotations

from pathlib import Path

from jira_pipeline.warehouse.documentation import documented_tables
from jira_pipeline_tests.empty_warehouse import empty_warehouse


def test_tables_columns_types_and_comments_are_those_of_a_warehouse(tmp_path: Path) -> None:
    with empty_warehouse(tmp_path).transaction() as connection:
        tables = connection.execute(
            "SELECT table_name, comment FROM duckdb_tables() WHERE schema_name = 'main' AND NOT temporary"
        ).fetchall()
        columns = connection.execute(
            "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE schema_name = 'main' "
            "AND database_name = current_database() ORDER BY table_name, column_index"
        ).fetchall()

    told = documented_tables()

    assert {name: table.comment for name, table in told.items()} == dict(tables)
    assert [(name, c.name, c.type, c.comment) for name, table in sorted(told.items()) for c in table.columns] == columns
    assert len(columns) > 300
    assert all(comment for *_, comment in columns)

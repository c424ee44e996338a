"""Writes docs/tables.md from the comments of an empty warehouse, so that the reference cannot disagree with the tables.

python docs/render_tables.py > docs/tables.md
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from jira_pipeline.warehouse.database import Warehouse

HEAD = """# Tables

Everything is in one DuckDB file (`JIRA_PIPELINE_DATABASE`), which can be opened read-only at any time, also while a
sync runs, and always shows one consistent state. The same texts are in the database itself: `SELECT comment FROM
duckdb_columns()`, or `DESCRIBE`, and in the Dagster UI.

Instants (`_at`) are TIMESTAMPTZ in UTC; `_hours` are elapsed hours; a `_date` is a local day of `time_zone`.
Made by `python docs/render_tables.py > docs/tables.md`.
"""


def render() -> str:
    """The whole page."""
    with TemporaryDirectory() as directory:
        warehouse = Warehouse(Path(directory) / "empty.duckdb")
        with warehouse.transaction() as connection:
            tables = connection.execute(
                "SELECT schema_name, table_name, coalesce(comment, '') FROM duckdb_tables() "
                "WHERE schema_name IN ('main', 'ops') AND NOT temporary ORDER BY ALL"
            ).fetchall()
            parts = [HEAD]
            for schema, table, comment in tables:
                name = table if schema == "main" else f"{schema}.{table}"
                parts.append(f"\n## {name}\n\n{comment}\n\n| column | type | meaning |\n|---|---|---|\n")
                columns = connection.execute(
                    "SELECT column_name, data_type, coalesce(comment, '') FROM duckdb_columns() "
                    "WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
                    [schema, table],
                ).fetchall()
                parts += [
                    f"| `{column}` | {kind.replace('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ')} | {meaning} |\n"
                    for column, kind, meaning in columns
                ]
    return "".join(parts)


if __name__ == "__main__":
    print(render(), end="")

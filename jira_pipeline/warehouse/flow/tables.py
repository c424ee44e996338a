"""The derived tables as such: made at opening, remade when defined anew, rebuilt when a setting changes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import datetime

import duckdb

from jira_pipeline.errors import PipelineError
from jira_pipeline.warehouse.statements import run_sql, sql_text

SCHEMA_FILE = "schema_flow"
TABLE = re.compile(
    r"-- (?P<comment>[^\n]+)\n"
    r"CREATE TABLE IF NOT EXISTS (?P<name>[\w.]+) \(\n(?P<columns>.*?)\n\);",
    re.S,
)
# Whether the site still has a status matters where another one has its name.
STATUSES = """
SELECT status_id, name, status_category, CASE WHEN count(*) OVER (PARTITION BY folded(name)) > 1 THEN is_listed END
FROM statuses ORDER BY ALL
"""
COLUMN = re.compile(r" {4}(?P<name>\w+) [^\n]*?-- (?P<comment>[^\n]+)")


def create_flow_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the derived tables, each and every column with a comment, unless this version has made them already.

    Tables that another version made are dropped first: they hold nothing that the next run does not derive again, so a
    new column needs no migration.
    """
    digest = _digest(sql_text(SCHEMA_FILE))
    if recorded(connection, "flow.schema") == digest:
        return
    for table, _, _ in described_tables():
        connection.execute(f"DROP TABLE IF EXISTS {table}")
    connection.execute("DELETE FROM ops.state WHERE starts_with(name, 'flow.')")
    run_sql(connection, SCHEMA_FILE)
    for table, comment, columns in described_tables():
        connection.execute(f"COMMENT ON TABLE {table} IS {_literal(comment)}")
        for column, meaning in columns:
            connection.execute(f"COMMENT ON COLUMN {table}.{column} IS {_literal(meaning)}")
    record(connection, "flow.schema", value=digest)


def described_tables() -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """Every derived table with its comment and its columns' comments, as schema_flow.sql states them."""
    for table in TABLE.finditer(sql_text(SCHEMA_FILE)):
        columns = [(column["name"], column["comment"]) for column in COLUMN.finditer(table["columns"])]
        yield table["name"], table["comment"], columns


def definition_changed(
    connection: duckdb.DuckDBPyConnection, table: str, *, sources: tuple[str, ...], settings: object
) -> bool:
    """Whether `table` was derived by other SQL, with other settings, or with other statuses than now.

    Remembers the present ones (in `ops.state`), so a second call answers no: ask once, then rebuild.
    """
    statuses = connection.execute(STATUSES).fetchall()
    digest = _digest(json.dumps([[sql_text(name) for name in sources], repr(settings), statuses]))
    if recorded(connection, f"flow.definition.{table}") == digest:
        return False
    record(connection, f"flow.definition.{table}", value=digest)
    return True


def recorded(connection: duckdb.DuckDBPyConnection, name: str) -> str | None:
    """The value of `name` in `ops.state`."""
    row = connection.execute("SELECT value FROM ops.state WHERE name = ?", [name]).fetchone()
    return None if row is None else row[0]


def record(connection: duckdb.DuckDBPyConnection, *names: str, value: str | None) -> None:
    """Give all of `names` that value in `ops.state`; None removes them."""
    connection.execute("DELETE FROM ops.state WHERE list_contains($names, name)", {"names": names})
    if value is not None:
        connection.execute(
            "INSERT INTO ops.state BY NAME SELECT unnest($names) AS name, $value AS value",
            {"names": names, "value": value},
        )


def require_zone(as_of: datetime) -> datetime:
    """`as_of` itself; a time without a zone would mean another instant on another machine, so it is refused."""
    if as_of.tzinfo is None:
        raise PipelineError(f"as_of {as_of.isoformat()} has no time zone: pass an aware datetime.")
    return as_of


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

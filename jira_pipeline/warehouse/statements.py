"""Running the .sql files of the warehouse: named parameters, one statement after the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import duckdb

_CHANGING = (duckdb.StatementType.INSERT, duckdb.StatementType.UPDATE, duckdb.StatementType.DELETE)
# Reading the text takes a tenth of the time of a small sync.
_READ: dict[str, list[duckdb.Statement]] = {}


@cache
def sql_text(name: str) -> str:
    """The text of `jira_pipeline/warehouse/sql/<name>.sql`."""
    return (files("jira_pipeline.warehouse") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def statements(connection: duckdb.DuckDBPyConnection, name: str) -> list[duckdb.Statement]:
    """Those of a file, which is read once a process. Any connection will do for it."""
    if name not in _READ:
        _READ[name] = connection.extract_statements(sql_text(name))
    return _READ[name]


def run_sql(connection: duckdb.DuckDBPyConnection, name: str, parameters: Mapping[str, object] | None = None) -> int:
    """Run every statement of a file in order, each with those of the parameters that it names; returns how many rows
    the last one changed."""
    changed = 0
    for statement in statements(connection, name):
        wanted = statement.named_parameters
        given = {key: value for key, value in (parameters or {}).items() if key in wanted}
        connection.execute(statement, given or None)
        if statement.type in _CHANGING:
            ((changed,),) = connection.fetchall()
    return changed


def row_count(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many rows a table holds; of another schema than main, its name is written with it."""
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0

"""DuckDB as the pipeline runs it: an engine in memory, which has the macros, with database files attached to it."""

from __future__ import annotations

import duckdb

from jira_pipeline.warehouse.statements import run_sql

_MEMORY_LIMIT = "1GB"
_MACROS = ("macros", "flow_macros")


def started_engine() -> duckdb.DuckDBPyConnection:
    """A new engine. Its macros are in its memory, where all its connections find them: what is temporary is seen by one
    connection, and takes longer to make than most are open."""
    engine = duckdb.connect()
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    engine.execute(f"SET GLOBAL memory_limit = '{_MEMORY_LIMIT}'")
    engine.execute("SET GLOBAL preserve_insertion_order = false")
    # A Python variable must never stand in for a table that is missing.
    engine.execute("SET GLOBAL python_enable_replacements = false")
    # Rewriting nearly every row group after a large upsert costs minutes; deleted rows are reused anyway.
    engine.execute("SET GLOBAL max_vacuum_tasks = 0")
    for name in _MACROS:
        run_sql(engine, name)
    return engine


def use_attached(connection: duckdb.DuckDBPyConnection, catalog: str) -> None:
    """Have names mean what is in an attached database, or else a macro."""
    connection.execute(f"SET search_path = '{catalog},memory'")

"""The definition of the tables and its versions: what a file lacks is made, what an older version made is migrated.

The files schema*.sql say what the tables are today. A change to a table that holds what was fetched needs a migration
beside it, `sql/migrations/<version>_<what>.sql`, which turns a file of the version before into one that schema*.sql
could have made: columns that are added go to the end. Tables that are derived (schema_flow.sql) are dropped and made
again instead, which costs a run some minutes and nobody a migration.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.warehouse.flow import create_flow_tables
from jira_pipeline.warehouse.statements import run_sql, sql_text

# What jira_pipeline 0.1.0 made; the first migration makes version 2 of it.
FIRST_VERSION = 1
_SCHEMA_FILES = ("schema", "comments", "schema_census", "schema_flow")
_RECORDED = "SELECT value FROM ops.state WHERE name = 'schema'"
_MIGRATION = re.compile(r"(?P<version>\d{4})_\w+\.sql")


@cache
def migrations() -> Mapping[int, str]:
    """The migrations of this installation: SQL text by the version that it makes."""
    directory = files("jira_pipeline.warehouse") / "sql" / "migrations"
    return {
        int(name["version"]): file.read_text(encoding="utf-8")
        for file in (directory.iterdir() if directory.is_dir() else ())
        if (name := _MIGRATION.fullmatch(file.name))
    }


def has_present_schema(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file has been brought to the present definition. To be called outside a transaction, which a table
    that is missing would end."""
    try:
        row = connection.execute(_RECORDED).fetchone()
    except duckdb.CatalogException:
        return False
    return row == (_definition(),)


def ensure_schema(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Bring the file to the present definition. To be called inside a transaction.

    Raises `SettingsError` when a newer version has written the file, `PipelineError` when a migration fails; the
    caller's rollback leaves the file as it was.
    """
    version = check_not_newer(connection, path)
    if version is not None:
        for number in range(version + 1, _present_version() + 1):
            _migrate(connection, path, number, migrations()[number])
    run_sql(connection, "schema")
    run_sql(connection, "comments")
    run_sql(connection, "schema_census")
    create_flow_tables(connection)
    connection.execute("DELETE FROM ops.state WHERE name = 'schema'")
    connection.execute("INSERT INTO ops.state VALUES ('schema', ?)", [_definition()])


def check_not_newer(connection: duckdb.DuckDBPyConnection, path: Path) -> int | None:
    """The schema version of the file, None when it has no tables. Raises `SettingsError` when a newer version has
    written it: its tables may be other ones than this version knows."""
    present = _present_version()
    recorded = _recorded(connection)
    if recorded is None:
        return None
    version = int(recorded.partition(":")[0])
    if version > present:
        raise SettingsError(
            f"{path} was written by a newer jira_pipeline (schema version {version}, this one knows {present}): "
            "update this installation."
        )
    return version


def _present_version() -> int:
    return max(migrations(), default=FIRST_VERSION)


def _definition() -> str:
    return f"{_present_version()}:{zlib.crc32(''.join(map(sql_text, _SCHEMA_FILES)).encode()):08x}"


def _recorded(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The definition that the file was last brought to, `<version>:<checksum>`; None for a file without tables."""
    tables = connection.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
        "WHERE database_name = current_database() AND NOT temporary"
    ).fetchall()
    if ("ops.state",) in tables:
        row = connection.execute(_RECORDED).fetchone()
        if row is not None:
            return str(row[0])
    return f"{FIRST_VERSION}:" if tables else None


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path, version: int, migration: str) -> None:
    try:
        connection.execute(migration)
    except duckdb.Error as error:
        raise PipelineError(
            f"{path} could not be brought from schema version {version - 1} to {version} and was left as it was "
            f"({str(error).strip()}): go on with the jira_pipeline that wrote it, and report this."
        ) from error

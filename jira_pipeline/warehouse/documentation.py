"""What the tables of the schema main are said to hold, for those who show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import duckdb

from jira_pipeline.warehouse.flow.tables import SCHEMA_FILE, described_tables
from jira_pipeline.warehouse.statements import run_sql, sql_text

_COMMENT = re.compile(r"^COMMENT ON (?:TABLE|COLUMN) (?P<name>[\w.]+) IS '(?P<comment>(?:[^']|'')*)';$", re.M)


@dataclass(frozen=True)
class DocumentedColumn:
    """A column: its name, its type as DuckDB writes it, and what it means."""

    name: str
    type: str
    comment: str | None


@dataclass(frozen=True)
class DocumentedTable:
    """What one row of a table is, and its columns in order."""

    comment: str
    columns: tuple[DocumentedColumn, ...]


@cache
def documented_tables() -> Mapping[str, DocumentedTable]:
    """Every table of the schema main by its name, as the DDL has it, which is the only place where it is written.

    The tables are made in memory, for the types of their columns; what is said about them is read from the text,
    because five hundred COMMENTs take ten times as long as the tables.
    """
    comments = {found["name"]: found["comment"].replace("''", "'") for found in _COMMENT.finditer(sql_text("comments"))}
    for table, comment, meanings in described_tables():
        comments |= {table: comment} | {f"{table}.{column}": meaning for column, meaning in meanings}
    columns: dict[str, list[DocumentedColumn]] = {}
    with duckdb.connect(config={"threads": "1"}) as connection:
        for name in ("schema", SCHEMA_FILE):
            run_sql(connection, name)
        for table, column, kind in connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE schema_name = 'main' AND NOT internal ORDER BY table_name, column_index"
        ).fetchall():
            columns.setdefault(table, []).append(DocumentedColumn(column, kind, comments.get(f"{table}.{column}")))
    return {table: DocumentedTable(comments.get(table, ""), tuple(found)) for table, found in columns.items()}

"""Deriving tables one after the other, each in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.catalog import FlowTable, with_sources
from jira_pipeline.warehouse.flow.outdated import few_on_one_thread
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.tables import record
from jira_pipeline.warehouse.session import transaction


def derive_tables(
    connection: duckdb.DuckDBPyConnection, names: Iterable[str], settings: FlowSettings, *, as_of: datetime
) -> Iterator[FlowTable]:
    """Bring these tables, and first those that they are derived from, up to date; gives each as soon as it is.

    The connection has the write lock and no transaction: what is dropped in one takes its room until the end of it, and
    all temporary tables of all derivations together are several times the memory that DuckDB may use. Each table takes
    up what has changed since it was derived last, so that where one derivation stops, the next goes on. Until then
    `ops.state` says which tables are behind (is_whole.sql), and nothing is published.
    """
    tables = with_sources(names)
    with transaction(connection):
        record(connection, *map(_behind, tables), value=as_of.isoformat())
    with few_on_one_thread(connection):
        for table in tables:
            with transaction(connection):
                table.derive(connection, settings, as_of=as_of)
                record(connection, _behind(table), value=None)
            yield table


def _behind(table: FlowTable) -> str:
    return f"flow.{table.name}.behind"

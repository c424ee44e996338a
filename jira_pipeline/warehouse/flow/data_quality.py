"""`data_quality`: what in the data of an issue makes its figures doubtful."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.changes import days_to_keep, record_counted
from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.statements import row_count, run_sql


def derive_data_quality(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `data_quality` up to date with `cycle_times` and the clock; returns how many rows it holds."""
    last_day = last_complete_day(settings, as_of)
    is_rebuild = days_to_keep(connection, "data_quality", last_day, sources=("data_quality",), settings=None) is None
    if is_rebuild:
        connection.execute("DELETE FROM data_quality")
    parameters = {"as_of": as_of, "stale_days": settings.stale_days, "is_rebuild": is_rebuild}
    run_sql(connection, "data_quality", parameters)
    record_counted(connection, "data_quality", last_day)
    return row_count(connection, "data_quality")

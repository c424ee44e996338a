"""`cycle_time_metrics` and `daily_flow`: one row a local day and project."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb

from jira_pipeline.warehouse.flow.changes import days_to_keep, record_counted, take_renewed_statuses
from jira_pipeline.warehouse.flow.cycle_times import headline
from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.statements import row_count, run_sql


def derive_cycle_time_metrics(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `cycle_time_metrics` up to the last local day that was over at `as_of`; returns how many rows it holds.

    Late knowledge is right: an issue reopened after the day on which it was done leaves that day's `done_issues`.
    """
    return _derive(connection, "cycle_time_metrics", settings, as_of=as_of)


def derive_daily_flow(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `daily_flow` up to the last local day that was over at `as_of`; returns how many rows it holds."""
    return _derive(connection, "daily_flow", settings, as_of=as_of)


def _derive(connection: duckdb.DuckDBPyConnection, table: str, settings: FlowSettings, *, as_of: datetime) -> int:
    """Add to the table what its issues changed and what happened on the days since, or count all of it anew."""
    last_day = last_complete_day(settings, as_of)
    parameters = headline(settings)
    through = days_to_keep(
        connection, table, last_day, sources=("flow_macros", table), settings=tuple(parameters.values())
    )
    if through is None:
        connection.execute(f"DELETE FROM {table}")
    parameters |= {"last_day": last_day, "through": through or last_day}
    if table == "daily_flow":
        parameters["statuses_from"] = min(take_renewed_statuses(connection), (through or last_day) + timedelta(days=1))
    run_sql(connection, table, parameters)
    record_counted(connection, table, last_day)
    return row_count(connection, table)

"""`cycle_time_metrics` and `daily_flow`: one row a local day and project."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.changes import bring_forward, take_renewed_statuses
from jira_pipeline.warehouse.flow.cycle_times import headline
from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings


def derive_cycle_time_metrics(
    connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime
) -> None:
    """Bring `cycle_time_metrics` up to the last local day that was over at `as_of`.

    Late knowledge is right: an issue reopened after the day on which it was done leaves that day's `done_issues`.
    """
    _derive(connection, "cycle_time_metrics", settings, as_of=as_of)


def derive_daily_flow(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `daily_flow` up to the last local day that was over at `as_of`."""
    _derive(connection, "daily_flow", settings, as_of=as_of, statuses_from=take_renewed_statuses(connection))


def _derive(
    connection: duckdb.DuckDBPyConnection, table: str, settings: FlowSettings, *, as_of: datetime, **parameters: object
) -> None:
    clock = headline(settings)
    bring_forward(
        connection,
        table,
        last_complete_day(settings, as_of),
        files=(table,),
        settings=tuple(clock.values()),
        parameters={**clock, **parameters},
    )

"""`cumulative_flow`: how many issues sat in each status at the end of each local day."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.tables import definition_changed, record, recorded
from jira_pipeline.warehouse.statements import row_count, run_sql

THROUGH = "flow.cumulative_flow.through"


def derive_cumulative_flow(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `cumulative_flow` up to the last local day that was over at `as_of`; returns how many rows it holds.

    Normally only the days since the first one that a changed issue touches are written; equal to a rebuild, which
    happens when `status_intervals` was rebuilt or `as_of` lies before an earlier run's.
    """
    last_day = last_complete_day(settings, as_of)
    sources = ("cumulative_flow", "cumulative_flow_update")
    is_redefined = definition_changed(connection, "cumulative_flow", sources=sources, settings=None)
    through = recorded(connection, THROUGH)
    if is_redefined or through is None or date.fromisoformat(through) > last_day:
        run_sql(connection, "cumulative_flow", {"last_day": last_day})
    else:
        parameters = {"last_day": last_day, "through": date.fromisoformat(through)}
        run_sql(connection, "cumulative_flow_update", parameters)
    record(connection, THROUGH, last_day.isoformat())
    return row_count(connection, "cumulative_flow")


def forget_cumulative_flow(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the next `derive_cumulative_flow` a rebuild: the differences that it would add up are no longer kept."""
    record(connection, THROUGH, None)

"""`cumulative_flow`: how many issues sat in each status at the end of each local day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb

from jira_pipeline.warehouse.flow.changes import days_to_keep, record_counted, record_renewed_statuses
from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.statements import run_sql


def derive_cumulative_flow(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `cumulative_flow` up to the last local day that was over at `as_of`.

    Normally only the days since the first one that a changed issue touches are written; equal to a rebuild, which
    happens when `status_intervals` was rebuilt or `as_of` lies before an earlier run's.
    """
    last_day = last_complete_day(settings, as_of)
    sources = ("cumulative_flow", "cumulative_flow_update")
    through = days_to_keep(connection, "cumulative_flow", last_day, sources=sources, settings=None)
    if through is None:
        run_sql(connection, "cumulative_flow", {"last_day": last_day})
        record_renewed_statuses(connection, date.min)
    else:
        changed = connection.execute("SELECT min(metric_date) FROM ops.cumulative_flow_changes").fetchone()
        run_sql(connection, "cumulative_flow_update", {"last_day": last_day, "through": through})
        unwritten = through + timedelta(days=1)
        record_renewed_statuses(connection, min((changed and changed[0]) or unwritten, unwritten))
    record_counted(connection, "cumulative_flow", last_day)

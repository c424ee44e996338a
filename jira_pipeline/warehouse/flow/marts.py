"""The marts that are rebuilt whole from the tables about issues and days: each is one or two .sql files."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.workflow import folded
from jira_pipeline.warehouse.statements import row_count, run_sql

FILES = {
    "throughput_weekly": ("throughput_weekly",),
    "cycle_time_percentiles": ("cycle_time_percentiles",),
    "status_pace": ("status_pace",),
    "aging_wip": ("aging_wip_spans", "time_buckets", "aging_wip"),
    "flow_efficiency": ("flow_efficiency",),
    "sprints": ("sprints",),
    "sprint_issues": ("sprint_issues",),
    "sprint_report": ("sprint_report",),
    "bugs_weekly": ("bugs_weekly",),
    "signals": ("signals",),
}
"""The .sql files of each mart, in the order in which they run."""


def derive_mart(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, name: str, as_of: datetime) -> int:
    """Rebuild the mart `name` as of `as_of`, up to the last complete local day; returns how many rows it holds."""
    parameters = {
        "as_of": as_of,
        "last_day": last_complete_day(settings, as_of),
        "time_zone": settings.time_zone,
        "sle_days": settings.sle_days,
        "sle_percentile": settings.sle_percentile / 100,
        "stale_days": settings.stale_days,
        "bug_types": folded(settings.bug_types),
    }
    for file in FILES[name]:
        run_sql(connection, file, parameters)
    return row_count(connection, name)

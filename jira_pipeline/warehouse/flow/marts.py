"""The marts: each is one or a few .sql files over the tables about issues and days."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.changes import bring_forward
from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.workflow import folded
from jira_pipeline.warehouse.statements import run_sql

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
    "data_quality": ("data_quality",),
    "signals": ("signals",),
}
"""The .sql files of each mart, in the order in which they run."""


def derive_mart(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, name: str, as_of: datetime) -> None:
    """Rebuild the mart `name` as of `as_of`, up to the last complete local day."""
    parameters = _parameters(settings, as_of)
    for file in FILES[name]:
        run_sql(connection, file, parameters)


def bring_mart_forward(
    connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, name: str, as_of: datetime
) -> None:
    """Bring the mart `name` up to date with what changed in `cycle_times` since, and with the clock. Equal to a
    rebuild, which happens when `cycle_times` was rebuilt or `as_of` lies before an earlier run's."""
    # Other settings rebuild cycle_times, and with it everything that follows it.
    parameters = _parameters(settings, as_of)
    last_day = last_complete_day(settings, as_of)
    bring_forward(connection, name, last_day, files=FILES[name], settings=None, parameters=parameters)


def _parameters(settings: FlowSettings, as_of: datetime) -> dict[str, object]:
    return {
        "as_of": as_of,
        "last_day": last_complete_day(settings, as_of),
        "time_zone": settings.time_zone,
        "sle_days": settings.sle_days,
        "sle_percentile": settings.sle_percentile / 100,
        "stale_days": settings.stale_days,
        "bug_types": folded(settings.bug_types),
    }

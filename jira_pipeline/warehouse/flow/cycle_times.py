"""`cycle_times` (one row an issue) and `cycle_time_metrics` (one row a local day and project)."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.statements import row_count, run_sql
from jira_pipeline.warehouse.flow.tables import definition_changed, require_zone

SOURCES = ("flow_macros", "workflow_rules", "status_intervals", "cycle_times")


def derive_cycle_times(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `cycle_times` up to date with `issues`, `status_intervals` and the roster; returns how many rows it holds.

    Incremental like `derive_status_intervals`, which must have run before. Every column is about what has happened:
    nothing depends on `as_of` (the age of open work is in `aging_wip`).
    """
    require_zone(as_of)
    if definition_changed(connection, "cycle_times", sources=SOURCES, settings=settings):
        connection.execute("DELETE FROM cycle_times")
    run_sql(connection, "flow_macros")
    run_sql(connection, "cycle_times", _headline(settings))
    return row_count(connection, "cycle_times")


def derive_cycle_time_metrics(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Rebuild `cycle_time_metrics` up to the last local day that was over at `as_of`; returns how many rows it holds.

    Late knowledge is right: an issue reopened after the day on which it was done leaves that day's `done_issues`.
    """
    run_sql(connection, "flow_macros")
    run_sql(connection, "cycle_time_metrics", {**_headline(settings), "as_of": require_zone(as_of)})
    return row_count(connection, "cycle_time_metrics")


def _headline(settings: FlowSettings) -> dict[str, object]:
    return {
        "time_zone": settings.time_zone,
        "cycle_time_from": settings.cycle_time_from,
        "cycle_time_to": settings.cycle_time_to,
    }

"""`cycle_times`: one row an issue."""

from __future__ import annotations

from datetime import date, datetime

import duckdb

from jira_pipeline.warehouse.flow.batches import batches_of_outdated_issues
from jira_pipeline.warehouse.flow.changes import change_readers, forget_counted, new_batch
from jira_pipeline.warehouse.flow.outdated import find_outdated_issues, taken_out
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.status_intervals import derive_field_intervals, derive_time_in_status
from jira_pipeline.warehouse.flow.tables import definition_changed, record, recorded, require_zone
from jira_pipeline.warehouse.flow.workflow import folded, load_workflow_rules
from jira_pipeline.warehouse.flow.working_time import load_work_spans
from jira_pipeline.warehouse.statements import run_sql

SOURCES = (
    "flow_macros", "workflow_rules", "status_items", "status_intervals", "changed_stays", "time_in_status",
    "field_items", "field_intervals", "changed_times", "cycle_times", "time_buckets", "cycle_times_insert",
)  # fmt: skip
READERS = ("cycle_time_metrics", "daily_flow", "cycle_time_percentiles", "sprint_issues", "data_quality")
"""The tables that take in what changes here."""
DIFFERENCES = ("ops.cycle_time_changes", "ops.change_readers")
"""Where that is kept until then."""
TEAMS = "SELECT count(*), bit_xor(hash(hash(user_id, team))) FROM matched_assignees WHERE team IS NOT NULL"


def derive_cycle_times(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `cycle_times` up to date with `issues`, the interval tables and the roster.

    Incremental like `derive_status_intervals`, which must have run before; `time_in_status` and `field_intervals` are
    brought up to date on the way. Nothing depends on `as_of` (the age of open work is in `aging_wip`).
    """
    derive_time_in_status(connection, settings, as_of=as_of)
    derive_field_intervals(connection, settings, as_of=as_of)
    derive_cycle_times_only(connection, settings, as_of=as_of)


def derive_cycle_times_only(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """`derive_cycle_times` for a caller that has just brought all the tables it reads up to date."""
    require_zone(as_of)
    # Which fields are flags, points and sprints, and what projects are called, comes from outside the issues.
    roles = connection.execute("SELECT DISTINCT role, field_id FROM ops.field_roles ORDER BY ALL").fetchall()
    projects = connection.execute("SELECT project_id, project_key FROM projects ORDER BY ALL").fetchall()
    if definition_changed(connection, "cycle_times", sources=SOURCES, settings=(settings, roles, projects)):
        connection.execute("DELETE FROM cycle_times")
        forget_counted(connection, READERS, kept_in=DIFFERENCES)
    outdated = find_outdated_issues(connection, "cycle_times")
    load_workflow_rules(connection, settings)
    readers = change_readers(connection, READERS, outdated, kept_in=DIFFERENCES)
    parameters = {
        **headline(settings),
        "excluded_types": folded(settings.excluded_types),
        "withdrawn_resolutions": folded(settings.withdrawn_resolutions),
        "batch": new_batch(connection, readers) if outdated else None,
        "has_calendar": settings.calendar is not None,
    }
    for _ in batches_of_outdated_issues(connection):
        with taken_out(connection, "changed_stays", "changed_times", issues=outdated):
            run_sql(connection, "cycle_times", parameters)
        run_sql(connection, "time_buckets")
        load_work_spans(connection, settings.calendar, settings.time_zone, *_measured_days(connection))
        run_sql(connection, "cycle_times_insert", parameters)
    if _teams_changed(connection):
        judges = [reader for reader in readers if reader == "data_quality"]
        run_sql(connection, "other_teams", {"batch": new_batch(connection, judges)})


def headline(settings: FlowSettings) -> dict[str, object]:
    """What the headline clock depends on, as parameters of the SQL."""
    return {
        "time_zone": settings.time_zone,
        "cycle_time_from": settings.cycle_time_from,
        "cycle_time_to": settings.cycle_time_to,
    }


def _teams_changed(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the roster gives somebody another team than when `cycle_times` was derived last; remembers the answer."""
    teams = str(connection.execute(TEAMS).fetchone())
    if recorded(connection, "flow.cycle_times.teams") == teams:
        return False
    record(connection, "flow.cycle_times.teams", value=teams)
    return True


def _measured_days(connection: duckdb.DuckDBPyConnection) -> tuple[date, date]:
    """The days that the calendar must cover, with a day to spare on both sides for any zone."""
    row = connection.execute(
        "SELECT timezone('UTC', min(from_at))::DATE - 1, timezone('UTC', max(until_at))::DATE + 1 FROM bucket_spans"
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else (date.max, date.min)

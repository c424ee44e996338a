"""Where each issue was when: `status_intervals`, `time_in_status`, `field_intervals`."""

from __future__ import annotations

from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.batches import batches_of_outdated_issues
from jira_pipeline.warehouse.flow.changes import change_readers, forget_counted
from jira_pipeline.warehouse.flow.outdated import find_outdated_issues, taken_out
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.tables import definition_changed, require_zone
from jira_pipeline.warehouse.flow.workflow import folded, load_workflow_rules
from jira_pipeline.warehouse.statements import run_sql

SOURCES = ("flow_macros", "workflow_rules", "status_items", "status_intervals")
READERS = ("cumulative_flow", "cycle_time_metrics")
"""The tables of daily counts that take in what changes in the stays."""
DIFFERENCES = ("ops.cumulative_flow_changes", "ops.done_move_changes")
"""Where that is kept until then."""


def derive_status_intervals(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `status_intervals` up to date with `issues` and `issue_changes`.

    Only issues whose `load_id` differs from the derived rows' are read again; issues that left `issues` leave here too.
    Other settings or another category of any status rebuild the table. Issues with an incomplete history have no rows.
    Nothing stored here depends on `as_of`: a stay that goes on has no end, and readers measure it to `as_of`.
    """
    require_zone(as_of)
    is_rebuild = definition_changed(connection, "status_intervals", sources=SOURCES, settings=_timeline(settings))
    if is_rebuild:
        connection.execute("DELETE FROM status_intervals")
        forget_counted(connection, READERS, kept_in=DIFFERENCES)
    outdated = find_outdated_issues(connection, "status_intervals")
    load_workflow_rules(connection, settings)
    parameters = {
        "time_zone": settings.time_zone,
        "excluded_types": folded(settings.excluded_types),
        "readers": change_readers(connection, READERS, outdated, kept_in=DIFFERENCES),
    }
    for _ in batches_of_outdated_issues(connection):
        with taken_out(connection, "status_items", issues=outdated):
            run_sql(connection, "status_intervals", parameters)


def derive_time_in_status(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `time_in_status` up to date with `status_intervals`; incremental in the same way."""
    require_zone(as_of)
    sources = (*SOURCES, "changed_stays", "time_in_status")
    if definition_changed(connection, "time_in_status", sources=sources, settings=_timeline(settings)):
        connection.execute("DELETE FROM time_in_status")
    outdated = find_outdated_issues(connection, "time_in_status")
    for _ in batches_of_outdated_issues(connection):
        with taken_out(connection, "changed_stays", issues=outdated):
            run_sql(connection, "time_in_status")


def derive_field_intervals(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Bring `field_intervals` up to date with `issues` and `issue_changes`; incremental.

    Which fields are sprints, story points and flags is what `ops.field_roles` says; another answer rebuilds the table.
    """
    require_zone(as_of)
    roles = connection.execute("SELECT DISTINCT role, field_id FROM ops.field_roles ORDER BY ALL").fetchall()
    sources = ("flow_macros", "field_items", "field_intervals")
    if definition_changed(connection, "field_intervals", sources=sources, settings=roles):
        connection.execute("DELETE FROM field_intervals")
    outdated = find_outdated_issues(connection, "field_intervals")
    for _ in batches_of_outdated_issues(connection):
        with taken_out(connection, "field_items", issues=outdated):
            run_sql(connection, "field_intervals")


def _timeline(settings: FlowSettings) -> tuple[object, ...]:
    """The settings that the stays depend on."""
    return (
        settings.time_zone, settings.started, settings.done, settings.waiting, settings.project_workflows,
        settings.excluded_types,
    )  # fmt: skip

"""`status_intervals`: when each issue was in which status."""

from __future__ import annotations

import json
from datetime import datetime

import duckdb

from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.statements import row_count, run_sql
from jira_pipeline.warehouse.flow.tables import definition_changed, require_zone

SOURCES = ("flow_macros", "workflow_rules", "status_intervals")


def derive_status_intervals(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> int:
    """Bring `status_intervals` up to date with `issues` and `issue_changes`; returns how many rows it then holds.

    Only issues whose `load_id` differs from the derived rows' are read again; issues that left `issues` leave here too.
    Other settings or another category of any status rebuild the table. Issues with an incomplete history have no rows.
    Nothing stored here depends on `as_of`: a stay that goes on has no end, and readers measure it to `as_of`.
    """
    require_zone(as_of)
    workflow = (settings.time_zone, settings.started, settings.done, settings.waiting, settings.project_workflows)
    if definition_changed(connection, "status_intervals", sources=SOURCES, settings=workflow):
        connection.execute("DELETE FROM status_intervals")
    run_sql(connection, "flow_macros")
    scopes, rules = _workflow_rows(settings)
    run_sql(connection, "workflow_rules", {"scopes": json.dumps(scopes), "rules": json.dumps(rules)})
    run_sql(connection, "status_intervals", {"time_zone": settings.time_zone})
    return row_count(connection, "status_intervals")


def _workflow_rows(settings: FlowSettings) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The workflow settings as rows: which project reads which scope, and which status plays which role there."""
    site = {"started": settings.started, "done": settings.done, "waiting": settings.waiting}
    scopes: list[dict[str, object]] = []
    by_scope: list[dict[str, tuple[str, ...]]] = [site]
    for scope, project in enumerate(settings.project_workflows, start=1):
        scopes.append({"scope": scope, "project_key": project.project_key})
        own = {"started": project.started, "done": project.done, "waiting": project.waiting}
        by_scope.append({role: site[role] if statuses is None else statuses for role, statuses in own.items()})
    rules: list[dict[str, object]] = [
        {"scope": scope, "role": role, "status": status}
        for scope, roles in enumerate(by_scope)
        for role, statuses in roles.items()
        for status in statuses
    ]
    return scopes, rules

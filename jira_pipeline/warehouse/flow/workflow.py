"""The workflow settings where the SQL can read them."""

from __future__ import annotations

import json

import duckdb

from jira_pipeline.warehouse.flow.settings import FlowSettings, ProjectWorkflow
from jira_pipeline.warehouse.statements import run_sql


def load_workflow_rules(connection: duckdb.DuckDBPyConnection, settings: FlowSettings) -> None:
    """Fill the temporary tables `workflow_scopes` and `workflow_rules` (see workflow_rules.sql)."""
    site = {"started": settings.started, "done": settings.done, "waiting": settings.waiting}
    scopes: list[dict[str, object]] = []
    by_scope: list[dict[str, tuple[str, ...]]] = [site]
    for scope, project in enumerate(settings.project_workflows, start=1):
        scopes.append({"scope": scope, "project_id": project.project_id, "project_key": project.project_key})
        own = {"started": project.started, "done": project.done, "waiting": project.waiting}
        by_scope.append({role: site[role] if statuses is None else statuses for role, statuses in own.items()})
    rules = [
        {"scope": scope, "role": role, "status": status}
        for scope, roles in enumerate(by_scope)
        for role, statuses in roles.items()
        for status in statuses
    ]
    run_sql(connection, "workflow_rules", {"scopes": json.dumps(scopes), "rules": json.dumps(rules)})


def unknown_statuses(connection: duckdb.DuckDBPyConnection, settings: FlowSettings) -> tuple[str, ...]:
    """What the workflow settings name and the site does not list, and no issue has been in: a slip, or a status that
    has been renamed. It starts and stops no clock. Nothing where no status is known yet."""
    workflows: tuple[FlowSettings | ProjectWorkflow, ...] = (settings, *settings.project_workflows)
    named = {status for w in workflows for status in (*(w.started or ()), *(w.done or ()), *(w.waiting or ()))}
    known = connection.execute(
        "SELECT unnest([status_id, name]) FROM statuses UNION SELECT unnest([status_id, status]) FROM status_intervals"
    ).fetchall()
    spelled = folded(tuple(name for (name,) in known if name))
    return tuple(sorted(status for status in named if spelled and folded((status,))[0] not in spelled))


def folded(names: tuple[str, ...]) -> list[str]:
    """Names as the SQL compares them: without surrounding space and case."""
    return [name.strip().lower() for name in names]

"""What a site lists apart from issues: projects, users, statuses. Unchanged rows keep the instant at which they were
stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import duckdb
import msgspec

from jira_pipeline.jira.site import Project, Status, User
from jira_pipeline.warehouse.statements import run_sql


def store_projects(
    connection: duckdb.DuckDBPyConnection, projects: Iterable[Project], *, tracked_ids: set[str], synced_at: datetime
) -> None:
    """Make `projects` what the site lists; a project no longer listed stays while something of it is stored or
    tracked. `tracked_ids` are those that the configuration has and does not switch off, listed or not."""
    rows = [
        {
            "project_id": project.id,
            "project_key": project.key,
            "name": project.name,
            "project_type": project.projectTypeKey,
            "lead_id": project.lead_id,
            "is_archived": project.archived,
            "is_tracked": project.id in tracked_ids,
        }
        for project in projects
    ]
    run_sql(connection, "projects", {"projects": _json(rows), "tracked": list(tracked_ids), "synced_at": synced_at})


def store_directory(connection: duckdb.DuckDBPyConnection, users: Iterable[User], *, synced_at: datetime) -> None:
    """Store the users that the site's directory lists. Whom it does not list stays as met in issues."""
    rows = [
        {
            "user_id": user.user_id,
            "display_name": user.displayName,
            "email_address": user.emailAddress,
            "account_type": user.accountType,
            "is_active": user.active,
            "time_zone": user.timeZone,
        }
        for user in users
    ]
    run_sql(connection, "users", {"users": _json(rows), "synced_at": synced_at})


def store_statuses(connection: duckdb.DuckDBPyConnection, statuses: Iterable[Status], *, synced_at: datetime) -> None:
    """Store the statuses that the site lists; one that is gone stays, marked, because histories still name it."""
    rows = [{"status_id": s.id, "name": s.name, "status_category": s.category} for s in statuses]
    run_sql(connection, "statuses", {"statuses": _json(rows), "synced_at": synced_at})


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()

"""`jira-pipeline status`: is Jira connected, how did each tracked project's last sync go, what is next."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jira_pipeline.cli.next_run import NextRun, next_run
from jira_pipeline.cli.projects import project_notes
from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.auth import Credentials, credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.site import Project
from jira_pipeline.jira.token_file import read_token_file
from jira_pipeline.settings import PipelineConfig, config_path_from, database_path_from, load_config
from jira_pipeline.sync.selection import SelectableProject, selectable_projects
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.states import ProjectState, known_ids, project_states, state_of


@click.command(epilog="Examples: jira-pipeline status · jira-pipeline status --json · jira-pipeline status || alert")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(as_json: bool) -> None:
    """Show the connection to Jira, the state of every tracked project, and the next scheduled run.

    Exit code 0: connected, and every active project's last sync was complete. 1: some project's was not. 2: not
    connected.
    """
    config = load_config(config_path_from(os.environ))
    states = project_states(Warehouse(database_path_from(os.environ)))
    connection, listed = _connection()
    projects = _projects(config, states, listed)
    schedule = next_run()
    if as_json:
        told = {
            "connection": connection,
            "tracked": len(projects),
            "projects": projects,
            "quarantined": sum(state.quarantined for state in states),
            "schedule": asdict(schedule),
        }
        click.echo(json.dumps(told, default=str))
    else:
        _show(Console(), connection, projects, schedule)
    if connection["error"]:
        sys.exit(2)
    sys.exit(1 if any(p["is_active"] and p["sync_status"] != "complete" for p in projects) else 0)


def _connection() -> tuple[dict[str, Any], tuple[Project, ...] | None]:
    """Who we are where, and the projects listed there; these are None without a connection."""
    try:
        credentials = credentials_from(os.environ)
        site = connect(credentials)
        listed = site.projects()
        return {**asdict(site.identity), **asdict(_expiry(credentials)), "error": None}, listed
    except PipelineError as error:
        return {"server": os.environ.get("JIRA_SERVER"), "error": str(error)}, None


@dataclass(frozen=True)
class _Expiry:
    """Until when the credential is good, where that is known, and whether it is renewed without anybody's doing."""

    credential_expires_at: datetime | None = None
    is_renewed: bool = False


def _expiry(credentials: Credentials) -> _Expiry:
    # Neither Cloud nor Data Center tells a token's owner when it expires; only of OAuth access tokens is it known.
    stored = read_token_file(credentials.oauth.token_file) if credentials.oauth else None
    return _Expiry(datetime.fromtimestamp(stored.pair.expires_at, UTC), is_renewed=True) if stored else _Expiry()


def _projects(
    config: PipelineConfig, states: Sequence[ProjectState], listed: Sequence[Project] | None
) -> list[dict[str, Any]]:
    found = selectable_projects(listed or (), config, known_ids(states))
    by_position = {project.position: project for project in found}
    rows = []
    for position, entry in enumerate(config.tracked_projects):
        project = by_position.get(position, SelectableProject(None, position, entry))
        project_id = project.project.id if project.project else entry.id or known_ids(states).get(entry.key or "")
        state = state_of(states, project_id=project_id, configured_key=entry.key)
        rows.append(
            {
                "project_id": project_id,
                "project_key": project.key if project.project or not state else state.project_key,
                "name": project.project.name if project.project else state and state.name,
                "is_active": entry.active,
                "sync_status": state.sync_status if state else "pending",
                "last_sync_at": state and state.last_sync_at,
                "last_sync_error": state and state.last_sync_error,
                "synced_through": state and state.synced_through,
                "issue_count": state.issue_count if state else 0,
                "quarantined": state.quarantined if state else 0,
                "notes": () if listed is None else project_notes(project, state),
            }
        )
    return rows


def _show(
    console: Console, connection: Mapping[str, Any], projects: Sequence[Mapping[str, Any]], schedule: NextRun
) -> None:
    if connection["error"]:
        console.print(f"[red]Not connected.[/] {escape(connection['error'])}", highlight=False)
    else:
        kind = "Jira Cloud" if connection["kind"] == "cloud" else "Jira Data Center"
        console.print(
            f"[green]Connected[/] to {connection['server']} ({kind}) as {escape(connection['account_name'])}, "
            f"time zone {connection['time_zone']}.",
            highlight=False,
        )
        if connection["credential_expires_at"]:
            console.print(
                f"The access token is good until {connection['credential_expires_at']:%Y-%m-%d %H:%M} UTC "
                "and is renewed by itself.",
                highlight=False,
            )
    console.print(_schedule_sentence(schedule), highlight=False)
    table = Table(title=f"{len(projects)} tracked projects", title_justify="left")
    for name in ("project", "status", "last sync", "synced through"):
        table.add_column(name)
    table.add_column("issues", justify="right")
    table.add_column("set aside", justify="right")
    table.add_column("last error, notes")
    for project in projects:
        table.add_row(
            project["project_key"],
            project["sync_status"] if project["is_active"] else "inactive",
            *(
                f"{instant:%Y-%m-%d %H:%M} UTC" if (instant := project[name]) else "-"
                for name in ("last_sync_at", "synced_through")
            ),
            f"{project['issue_count']:,}",
            f"{project['quarantined']:,}",
            escape("; ".join([*filter(None, [project["last_sync_error"]]), *project["notes"]])),
        )
    console.print(table)
    set_aside = sum(project["quarantined"] for project in projects)
    if set_aside:
        console.print(f"{set_aside:,} issues are set aside: ops.quarantined_issues says which and why.")


def _schedule_sentence(schedule: NextRun) -> str:
    if schedule.error:
        return f"[yellow]{escape(schedule.error)}"
    if schedule.next_run_at is None:
        return "No run is scheduled: switch daily_sync_schedule on in the Dagster UI, or run `jira-pipeline sync`."
    when = f"The next scheduled run is due at {schedule.next_run_at:%Y-%m-%d %H:%M} UTC"
    if schedule.daemon_is_running:
        return f"{when}."
    return f"[yellow]{when}, but the Dagster daemon is not running: start `dagster dev`, or `dagster-daemon run`."

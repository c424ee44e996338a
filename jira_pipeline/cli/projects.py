"""`jira-pipeline projects`: which projects there are, which of them are tracked, and tracking others."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.settings import config_path_from, database_path_from, load_config
from jira_pipeline.sync.selection import SelectableProject, change_tracking, selectable_projects
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.states import ProjectState, known_ids, project_states, state_of


@click.group(
    invoke_without_command=True,
    epilog="Examples: jira-pipeline projects · jira-pipeline projects --json · jira-pipeline projects track APP WEB · "
    "jira-pipeline projects untrack WEB",
)
@click.option("--json", "as_json", is_flag=True, help="Print the projects as JSON.")
@click.pass_context
def projects(context: click.Context, as_json: bool) -> None:
    """List the projects that the account can browse, and choose those to sync."""
    if context.invoked_subcommand is None:
        _list(as_json=as_json)
    elif as_json:
        raise click.UsageError("--json belongs behind the subcommand: jira-pipeline projects list --json.")


@projects.command("list", epilog="Examples: jira-pipeline projects list · jira-pipeline projects list --json")
@click.option("--json", "as_json", is_flag=True, help="Print the projects as JSON.")
def list_projects(as_json: bool) -> None:
    """List every project that the account can browse: tracked or not, how its last sync went, what has changed."""
    _list(as_json=as_json)


@projects.command(epilog="Examples: jira-pipeline projects track APP · jira-pipeline projects track APP WEB")
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
def track(keys: tuple[str, ...]) -> None:
    """Sync these projects from now on: adds them to tracked_projects in jira_pipeline.yaml.

    Comments, order and the rest of the file stay. The next `jira-pipeline sync` reads all issues of a new project.
    """
    _change(track=keys)


@projects.command(epilog="Examples: jira-pipeline projects untrack WEB")
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
def untrack(keys: tuple[str, ...]) -> None:
    """Stop syncing these projects and keep what is stored: sets active: false in jira_pipeline.yaml."""
    _change(untrack=keys)


def project_notes(project: SelectableProject, state: ProjectState | None) -> tuple[str, ...]:
    """What somebody should know of a project whose site and configuration, or whose last sync, do not agree."""
    if project.project is None:
        return ("not visible to the account: deleted, or not permitted",)
    notes = []
    if project.former_key:
        notes.append(f"was {project.former_key}, as jira_pipeline.yaml still has it")
    elif state is not None and state.project_key != project.key and state.project_id == project.project.id:
        notes.append(f"was {state.project_key} at the last sync")
    if state is not None and state.name not in (None, project.project.name):
        notes.append(f"was called {state.name}")
    if project.project.archived:
        notes.append("archived")
    return tuple(notes)


def _list(*, as_json: bool) -> None:
    config = load_config(config_path_from(os.environ))
    states = project_states(Warehouse(database_path_from(os.environ)))
    site = connect(credentials_from(os.environ))
    selectable = selectable_projects(site.projects(), config, known_ids(states))
    rows = [_row(project, _state(project, states)) for project in selectable]
    if as_json:
        click.echo(json.dumps({"server": site.identity.server, "projects": rows}, default=str))
        return
    console = Console()
    _show(console, rows)
    if not any(row["is_tracked"] for row in rows):
        console.print("No project is tracked: `jira-pipeline projects track KEY` adds one.")


def _state(project: SelectableProject, states: Sequence[ProjectState]) -> ProjectState | None:
    return state_of(states, project_id=project.project_id, configured_key=project.entry.key if project.entry else None)


def _row(project: SelectableProject, state: ProjectState | None) -> dict[str, Any]:
    listed = project.project
    return {
        "project_id": project.project_id,
        "project_key": project.key,
        "name": listed.name if listed else state and state.name,
        "project_type": listed and listed.projectTypeKey,
        "is_visible": listed is not None,
        "is_archived": listed is not None and listed.archived,
        "is_tracked": project.is_tracked,
        "former_key": project.former_key,
        "sync_status": state.sync_status if state else "pending" if project.is_tracked else None,
        "last_sync_at": state and state.last_sync_at,
        "last_sync_error": state and state.last_sync_error,
        "synced_through": state and state.synced_through,
        "issue_count": state.issue_count if state else 0,
        "quarantined": state.quarantined if state else 0,
        "notes": project_notes(project, state),
    }


def _show(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    tracked = sum(row["is_tracked"] for row in rows)
    table = Table(title=f"{len(rows)} projects, {tracked} tracked", title_justify="left")
    for name in ("project", "name", "tracked", "last sync", "status"):
        table.add_column(name)
    table.add_column("issues", justify="right")
    table.add_column("note")
    for row in rows:
        table.add_row(
            row["project_key"],
            escape(row["name"] or ""),
            "[green]tracked" if row["is_tracked"] else "untracked",
            f"{instant:%Y-%m-%d %H:%M} UTC" if (instant := row["last_sync_at"]) else "-",
            row["sync_status"] or "-",
            f"{row['issue_count']:,}",
            escape("; ".join(row["notes"])),
        )
    console.print(table)


def _change(*, track: Sequence[str] = (), untrack: Sequence[str] = ()) -> None:
    path = config_path_from(os.environ)
    load_config(path)
    states = project_states(Warehouse(database_path_from(os.environ)))
    change = change_tracking(
        connect(credentials_from(os.environ)), path, known_ids(states), track=track, untrack=untrack
    )
    for sentence in change.sentences:
        click.echo(sentence)
    if change.tracked:
        click.echo("Next: jira-pipeline sync")

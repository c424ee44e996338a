"""`jira-pipeline status`: is Jira connected, which projects are tracked, how did each one's last sync go."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.settings import PipelineConfig, config_path_from, database_path_from, load_config
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.statements import sql_text


@click.command(epilog="Examples: jira-pipeline status · jira-pipeline status --json")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def status(as_json: bool) -> None:
    """Show the connection to Jira and the state of every tracked project.

    Exit code 0: connected, and every active project's last sync was complete. 1: some project's was not. 2: not
    connected.
    """
    config = load_config(config_path_from(os.environ))
    connection = _connection()
    projects = _projects(config, Warehouse(database_path_from(os.environ)))
    if as_json:
        click.echo(json.dumps({"connection": connection, "tracked": len(projects), "projects": projects}, default=str))
    else:
        _show(Console(), connection, projects)
    if connection["error"]:
        sys.exit(2)
    sys.exit(1 if any(p["is_active"] and p["sync_status"] != "complete" for p in projects) else 0)


def _connection() -> dict[str, Any]:
    try:
        return {**asdict(connect(credentials_from(os.environ)).identity), "error": None}
    except PipelineError as error:
        return {"server": os.environ.get("JIRA_SERVER"), "error": str(error)}


def _projects(config: PipelineConfig, warehouse: Warehouse) -> list[dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    if warehouse.published.exists():
        with warehouse.reading() as connection:
            result = connection.execute(sql_text("project_states"))
            names = [column[0] for column in result.description or ()]
            for row in result.fetchall():
                state = dict(zip(names, row, strict=True))
                known[state["project_key"]] = known[f"id {state['project_id']}"] = state
    return [
        known.get(entry.key or f"id {entry.id}")
        or {
            "project_key": entry.key or f"id {entry.id}",
            "is_active": entry.active,
            "sync_status": "pending",
            "last_sync_at": None,
            "last_sync_error": None,
            "synced_through": None,
            "issue_count": 0,
            "quarantined": 0,
        }
        for entry in config.tracked_projects
    ]


def _show(console: Console, connection: dict[str, Any], projects: list[dict[str, Any]]) -> None:
    if connection["error"]:
        console.print(f"[red]Not connected.[/] {connection['error']}", highlight=False)
    else:
        kind = "Jira Cloud" if connection["kind"] == "cloud" else "Jira Data Center"
        console.print(
            f"[green]Connected[/] to {connection['server']} ({kind}) as {connection['account_name']}, "
            f"time zone {connection['time_zone']}.",
            highlight=False,
        )
    table = Table(title=f"{len(projects)} tracked projects", title_justify="left")
    for name in ("project", "status", "last sync", "synced through"):
        table.add_column(name)
    table.add_column("issues", justify="right")
    table.add_column("set aside", justify="right")
    table.add_column("last error")
    for project in projects:
        table.add_row(
            project["project_key"],
            project["sync_status"] if project["is_active"] else "inactive",
            *(
                f"{instant:%Y-%m-%d %H:%M} UTC" if (instant := project[name]) else "-"
                for name in ("last_sync_at", "synced_through")
            ),
            f"{project['issue_count'] or 0:,}",
            f"{project['quarantined']:,}",
            project["last_sync_error"] or "",
        )
    console.print(table)

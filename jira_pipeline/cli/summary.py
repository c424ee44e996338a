"""What a sync came to, for people: a table of projects and a table of tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from jira_pipeline.warehouse.database import Warehouse


def project_rows(warehouse: Warehouse, run_id: str) -> list[dict[str, Any]]:
    """The rows of ops.sync_runs of one run."""
    with warehouse.connection() as connection:
        result = connection.execute(
            "SELECT project_key, mode, status, issues_fetched, issues_created, issues_updated, issues_failed, "
            "changes_written, requests, retries, epoch(finished_at - started_at) AS seconds, error "
            "FROM ops.sync_runs WHERE run_id = ? ORDER BY project_key",
            [run_id],
        )
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def show_projects(console: Console, rows: list[dict[str, Any]]) -> None:
    """One line a project."""
    table = Table(title="Projects", title_justify="left")
    for name in ("project", "mode"):
        table.add_column(name)
    for name in ("fetched", "new", "changed", "set aside", "changelog items"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    for row in rows:
        numbers = ("issues_fetched", "issues_created", "issues_updated", "issues_failed", "changes_written")
        table.add_row(
            row["project_key"],
            row["mode"] or "-",
            *(f"{row[name] or 0:,}" for name in numbers),
            "[green]stored" if row["error"] is None else "[red]error",
        )
    console.print(table)


def show_tables(console: Console, warehouse: Warehouse) -> None:
    """One line a table: its rows and what they are."""
    table = Table(title=f"Tables in {warehouse.published}", title_justify="left")
    table.add_column("table")
    table.add_column("rows", justify="right")
    table.add_column("what it holds")
    with warehouse.reading() as connection:
        tables = connection.execute(
            "SELECT table_name, coalesce(comment, '') FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY "
            "table_name"
        ).fetchall()
        for name, comment in tables:
            row = connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()
            table.add_row(name, f"{row[0] if row else 0:,}", comment)
    console.print(table)

"""`jira-pipeline sync`: one run of the daily job, now."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from jira_pipeline.cli.execution import RunReport, log_to_stderr, run_daily_sync
from jira_pipeline.cli.summary import project_rows, show_projects, show_tables
from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.settings import config_path_from, database_path_from, load_config
from jira_pipeline.warehouse.database import Warehouse

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(
    epilog="Examples: jira-pipeline sync · jira-pipeline sync --project APP --full · "
    "jira-pipeline sync --from 2026-11-01 --to 2026-11-07"
)
@click.option("--full", is_flag=True, help="Fetch every issue, not only those changed since the last sync.")
@click.option("--project", "projects", multiple=True, metavar="KEY", help="Only this tracked project; may be repeated.")
@click.option("--date", "day", type=_DAY, metavar="D", help="The daily partition to materialise (default: the latest).")
@click.option("--from", "first", type=_DAY, metavar="D", help="First day of a range of partitions.")
@click.option("--to", "last", type=_DAY, metavar="D", help="Last day of the range (default: the latest).")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def sync(
    full: bool,
    projects: tuple[str, ...],
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    as_json: bool,
) -> None:
    """Bring the tables up to date with Jira."""
    if day and (first or last):
        raise click.UsageError("--date and --from/--to exclude each other.")
    if last and not first:
        raise click.UsageError("--to needs --from.")
    log_to_stderr()
    warehouse = check_settings()
    start, end = _partition_range(*(value.date() if value else None for value in (day, first, last)))
    console = Console(stderr=True)
    report = run_daily_sync(console, start, end, projects=projects, full=full)
    sys.exit(tell(report, warehouse, as_json=as_json))


def check_settings() -> Warehouse:
    """Find out before anything else happens whether configuration, credentials and database path can be right."""
    load_config(config_path_from(os.environ))
    credentials_from(os.environ)
    warehouse = Warehouse(database_path_from(os.environ))
    warehouse.prepare()
    return warehouse


def tell(report: RunReport, warehouse: Warehouse, *, as_json: bool) -> int:
    """Show what a run came to; returns the exit code."""
    rows = project_rows(warehouse, report.run_id)
    exit_code = report.exit_code
    if any(row["error"] or row["issues_failed"] for row in rows) or report.failed_checks:
        exit_code = exit_code or 1
    if report.unknown_projects:
        exit_code = 2
    if as_json:
        click.echo(report.as_json(rows))
    else:
        console = Console()
        if rows:
            show_projects(console, rows)
        # A first sync that was stopped has published nothing, and its own error is what matters.
        if (report.succeeded or rows) and warehouse.published.exists():
            show_tables(console, warehouse)
    for sentence in _complaints(report, rows):
        click.echo(f"jira-pipeline: {sentence}", err=True)
    return exit_code


def _complaints(report: RunReport, rows: list[dict[str, Any]]) -> Iterator[str]:
    # What stops the run is the error of every project.
    for error in dict.fromkeys(row["error"] for row in rows if row["error"]):
        yield f"{', '.join(row['project_key'] for row in rows if row['error'] == error)}: {error}"
    for row in rows:
        if row["issues_failed"]:
            yield (
                f"{row['project_key']}: {row['issues_failed']} issues could not be read and were set aside; "
                "ops.quarantined_issues says which and why."
            )
    if not any(row["error"] for row in rows):
        yield from report.complaints()


def _partition_range(day: date | None, first: date | None, last: date | None) -> tuple[date, date]:
    # Imported late, with Dagster.
    from jira_pipeline.partitions import DAILY, newest_partition

    newest = newest_partition()
    start, end = first or day or newest, last or (newest if first else day) or newest
    oldest = date.fromisoformat(DAILY.get_first_partition_key() or newest.isoformat())
    if not oldest <= start <= end <= newest:
        raise SettingsError(
            f"{start} to {end} is not a range of daily partitions: choose days from {oldest} "
            f"(start_date in {Path(config_path_from(os.environ))}) to {newest}, the last complete day in UTC."
        )
    return start, end

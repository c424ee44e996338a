"""`jira-pipeline reconcile`: the census of ids, now."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from jira_pipeline.cli.execution import RunReport, log_to_stderr, run_reconcile
from jira_pipeline.cli.sync import check_settings
from jira_pipeline.warehouse.census import CensusOutcome, census_outcomes
from jira_pipeline.warehouse.database import Warehouse

_COUNTS = ("known", "seen", "deleted", "moved_out", "not_visible", "moved_in", "back", "found", "suspected", "held")


@click.command(epilog="Examples: jira-pipeline reconcile · jira-pipeline reconcile --confirm APP")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="KEY",
    help="Believe that more than a fifth of this project's issues is gone; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def reconcile(confirmed: tuple[str, ...], as_json: bool) -> None:
    """Find issues that were deleted or moved in Jira, and take them out of every table but raw_issues."""
    log_to_stderr()
    warehouse = check_settings()
    # Imported late, with Dagster.
    from jira_pipeline.partitions import newest_partition

    report = run_reconcile(Console(stderr=True), newest_partition(), confirmed=confirmed)
    with warehouse.connection() as connection:
        outcomes = census_outcomes(connection, report.run_id)
    sys.exit(_tell(report, outcomes, warehouse, as_json=as_json))


def _tell(report: RunReport, outcomes: Sequence[CensusOutcome], warehouse: Warehouse, *, as_json: bool) -> int:
    """Show what a census came to; returns the exit code."""
    if as_json:
        click.echo(report.as_json([asdict(outcome) for outcome in outcomes]))
    elif outcomes:
        _show(Console(), outcomes, warehouse)
    for sentence in _complaints(report, outcomes):
        click.echo(f"jira-pipeline: {sentence}", err=True)
    return report.exit_code or (1 if report.failed_checks or any(outcome.error for outcome in outcomes) else 0)


def _show(console: Console, outcomes: Sequence[CensusOutcome], warehouse: Warehouse) -> None:
    table = Table(title=f"Census of {warehouse.published}", title_justify="left")
    table.add_column("project")
    for name in _COUNTS:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_column("outcome")
    for outcome in outcomes:
        table.add_row(
            outcome.project_key,
            *(f"{getattr(outcome, name):,}" for name in _COUNTS),
            f"{'[green]' if outcome.error is None else '[red]'}{outcome.status.replace('_', ' ')}",
        )
    console.print(table)


def _complaints(report: RunReport, outcomes: Sequence[CensusOutcome]) -> Iterator[str]:
    told = [f"{outcome.project_key}: {outcome.error}" for outcome in outcomes if outcome.error]
    yield from told
    if not told:
        yield from report.complaints()

"""`jira-pipeline users`: reviewing which Jira users could not be matched with the team roster."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jira_pipeline.cli.roster_file import suggestion_text, write_roster
from jira_pipeline.settings import config_path_from, database_path_from, load_config
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.unmatched import (
    Coverage,
    Suggestion,
    UnmatchedUser,
    matching_coverage,
    suggestions,
    unmatched_users,
)

_Reviewed = tuple[UnmatchedUser, tuple[Suggestion, ...]]

_REMEDIES = {
    "no_email": "Jira hides the address: give the member the jira_account_id",
    "no_team_member": "nobody of the roster: add the person, or leave it",
    "ambiguous": "several members claim it: correct the roster",
    "not_a_person": "an app, or an account that is gone",
}


@click.group()
def users() -> None:
    """Review how Jira users were matched with the team roster."""


@users.command(epilog="Examples: jira-pipeline users unmatched · jira-pipeline users unmatched --csv team.csv")
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the roster and the unmatched users to this new file, to be filled in.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everybody who is unmatched as JSON.")
def unmatched(csv_file: Path | None, as_json: bool) -> None:
    """List who could not be matched and why, with the issues that hang on each, as of the last sync.

    A suggestion is somebody of the roster with the same name or a similar address; nothing is concluded from it. In the
    CSV file, fill in name and team of those who belong to a team, delete the other rows that have no name, and write
    `team_members: FILE` in jira_pipeline.yaml. Users without assigned issues are in the JSON only.
    """
    config = load_config(config_path_from(os.environ))
    with Warehouse(database_path_from(os.environ)).reading() as connection:
        found = unmatched_users(connection)
        coverage = matching_coverage(connection)
    reviewed = [(user, suggestions(user, config.team_members)) for user in found]
    assigned = [(user, hints) for user, hints in reviewed if user.assigned_issues]
    if csv_file is not None:
        people = [(user, hints) for user, hints in assigned if user.unmatched_reason != "not_a_person"]
        write_roster(csv_file, config.team_members, people)
    if as_json:
        click.echo(json.dumps({**asdict(coverage), "unmatched": [_as_json(*pair) for pair in reviewed]}))
        return
    _show(Console(), assigned, len(reviewed) - len(assigned), coverage)
    if csv_file is not None:
        relative = os.path.relpath(csv_file, config.path.resolve().parent)
        click.echo(
            f"{csv_file} holds the {len(config.team_members)} members of the roster and {len(people)} unmatched users. "
            f"Next: fill in their name and team, delete the other rows, and write team_members: {relative} in "
            f"{config.path}."
        )


def _as_json(user: UnmatchedUser, hints: Sequence[Suggestion]) -> dict[str, Any]:
    return {
        **asdict(user),
        "suggestions": [{"member_name": hint.member.name, "reason": hint.reason} for hint in hints],
    }


def _show(console: Console, reviewed: Sequence[_Reviewed], without_issues: int, coverage: Coverage) -> None:
    console.print(
        f"{coverage.matched:,} of {coverage.assigned:,} assigned issues are a team member's ({coverage.share:.0%}).",
        highlight=False,
    )
    if reviewed:
        table = Table(title=f"{len(reviewed)} unmatched users with assigned issues", title_justify="left")
        for name in ("user", "address", "why"):
            table.add_column(name)
        table.add_column("issues", justify="right")
        table.add_column("open", justify="right")
        table.add_column("suggestion")
        for user, hints in reviewed:
            table.add_row(
                escape(user.display_name or user.user_id),
                escape(user.email_address or "-"),
                user.unmatched_reason,
                f"{user.assigned_issues:,}",
                f"{user.open_issues:,}",
                escape(suggestion_text(hints)),
            )
        console.print(table)
        for reason in sorted({user.unmatched_reason for user, _ in reviewed}):
            console.print(f"{reason}: {_REMEDIES[reason]}.", highlight=False)
    if without_issues:
        console.print(
            f"{without_issues:,} unmatched users have no issues assigned; --json lists them.", highlight=False
        )

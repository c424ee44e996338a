"""Censuses in the warehouse: what is stored to compare with, and what a census came to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import duckdb
import msgspec

from jira_pipeline.sync.census import RemovalReason, StoredIssues
from jira_pipeline.warehouse.statements import run_sql, sql_text


@dataclass(frozen=True)
class CensusOutcome:
    """What a census found in one project; the fields are the columns of `ops.issue_census`."""

    project_id: str | None
    project_key: str
    status: str
    known: int = 0
    seen: int = 0
    deleted: int = 0
    moved_out: int = 0
    not_visible: int = 0
    moved_in: int = 0
    back: int = 0
    found: int = 0
    hidden: int = 0
    suspected: int = 0
    held: int = 0
    requests: int = 0
    error: str | None = None


_COLUMNS = tuple(field.name for field in fields(CensusOutcome))


def stored_issues(connection: duckdb.DuckDBPyConnection, listed_ids: Collection[str]) -> StoredIssues:
    """Every stored issue, removed ones apart.

    A project that was deleted and made anew has another id and the same key: what is stored of the old one would be
    missed by nobody, and count with the new one for ever. So issues of a project that is not in `listed_ids`, whose key
    a tracked one has now, are taken for that one's.
    """
    present = connection.execute(sql_text("stored_issues"), {"listed": list(listed_ids)}).fetchall()
    removed = connection.execute("SELECT issue_id FROM raw_issues WHERE removed_at IS NOT NULL").fetchall()
    return StoredIssues(project_of=dict(present), removed=frozenset(issue_id for (issue_id,) in removed))


def missed_since(connection: duckdb.DuckDBPyConnection) -> dict[int, datetime]:
    """Since when earlier censuses have suspected an issue to be gone, by issue id."""
    return dict(connection.execute("SELECT issue_id, missed_since FROM ops.suspected_issues").fetchall())


def store_census(
    connection: duckdb.DuckDBPyConnection,
    outcome: CensusOutcome,
    *,
    run_id: str,
    taken_at: datetime,
    removals: Mapping[int, RemovalReason],
    suspects: Mapping[int, datetime],
    was_examined: bool,
) -> None:
    """Mark issues as removed, keep suspicions with their beginnings, and record the outcome. Runs inside the caller's
    transaction. Without `was_examined`, suspicions of earlier censuses stay."""
    parameters = {column: getattr(outcome, column) for column in _COLUMNS}
    parameters |= {
        "run_id": run_id,
        "taken_at": taken_at,
        "was_examined": was_examined,
        "removals": _json([{"issue_id": issue_id, "reason": reason} for issue_id, reason in removals.items()]),
        "suspects": _json([{"issue_id": issue_id, "missed_since": since} for issue_id, since in suspects.items()]),
    }
    run_sql(connection, "census_outcome", parameters)


def census_outcomes(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[CensusOutcome, ...]:
    """What the census of a run found, by project key; nothing when the run took none."""
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM ops.issue_census WHERE run_id = ? ORDER BY project_key", [run_id]
    )
    return tuple(CensusOutcome(*row) for row in rows.fetchall())


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()

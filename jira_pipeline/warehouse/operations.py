"""What the pipeline knows of its own work: tracked projects, watermarks, outcomes, field roles, and the instant
`as_of`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

import duckdb
import msgspec

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.fields import FieldRole
from jira_pipeline.sync.fetch import ProjectFetch
from jira_pipeline.warehouse.load import LoadCounts
from jira_pipeline.warehouse.statements import run_sql


@dataclass(frozen=True)
class TrackedState:
    """A tracked project as ops.tracked_projects holds it. `project_id` is None until Jira has shown the project;
    `configured_key` is the key in the configuration, which a rename does not change."""

    project_id: str | None
    project_key: str | None
    configured_key: str | None
    name: str | None
    is_active: bool


def store_tracked_projects(connection: duckdb.DuckDBPyConnection, tracked: Iterable[TrackedState]) -> None:
    """Make ops.tracked_projects agree with the configuration; what is known of earlier syncs stays."""
    run_sql(connection, "tracked_projects", {"tracked": msgspec.json.encode([asdict(t) for t in tracked]).decode()})


def watermarks(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """By project id: everything updated before this instant is stored. Absent: never synced to the end."""
    rows = connection.execute(
        "SELECT project_id, synced_through FROM ops.tracked_projects "
        "WHERE project_id IS NOT NULL AND synced_through IS NOT NULL"
    )
    return dict(rows.fetchall())


def set_aside(connection: duckdb.DuckDBPyConnection, project_key: str) -> tuple[int, ...]:
    """Ids of a project's issues that could not be read so far."""
    rows = connection.execute(
        "SELECT issue_id FROM ops.quarantined_issues WHERE project_key = ? AND issue_id IS NOT NULL ORDER BY issue_id",
        [project_key],
    )
    return tuple(row[0] for row in rows.fetchall())


def known_project_ids(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """By the key in the configuration (by its own where that names an id only): the id of every project that has been
    tracked and seen before. So a project is followed after it got another key."""
    rows = connection.execute(
        "SELECT coalesce(configured_key, project_key), project_id FROM ops.tracked_projects "
        "WHERE project_id IS NOT NULL AND name IS NOT NULL ORDER BY is_active"
    )
    return dict(rows.fetchall())


def mark_syncing(connection: duckdb.DuckDBPyConnection, project_ids: Sequence[str]) -> None:
    """Note that the sync of these projects has begun."""
    connection.execute(
        "UPDATE ops.tracked_projects SET sync_status = 'syncing' WHERE project_id IN (SELECT unnest($ids))",
        {"ids": list(project_ids)},
    )


def record_outcome(
    connection: duckdb.DuckDBPyConnection,
    fetch: ProjectFetch,
    counts: LoadCounts,
    *,
    run_id: str,
    partition_date: date,
    finished_at: datetime,
) -> None:
    """Write how a project's sync ended, and its watermark, in the transaction that stores its issues."""
    run_sql(
        connection,
        "sync_outcome",
        {
            "run_id": run_id,
            "project_id": fetch.plan.project.id,
            "project_key": fetch.plan.project.key,
            "partition_date": partition_date,
            "mode": fetch.plan.mode,
            "started_at": fetch.started_at,
            "finished_at": finished_at,
            "status": "complete" if fetch.error is None else "error",
            "issues_fetched": fetch.issues_fetched,
            "issues_created": counts.issues_created,
            "issues_updated": counts.issues_updated,
            "issues_failed": len(fetch.unreadable),
            "changes_written": counts.changes_written,
            "requests": fetch.requests,
            "retries": fetch.retries,
            "bytes_received": fetch.bytes_received,
            "error": None if fetch.error is None else str(fetch.error),
            "watermark": fetch.watermark,
        },
    )


def record_unavailable(
    connection: duckdb.DuckDBPyConnection,
    project_id: str | None,
    configured_as: str,
    error: str,
    *,
    run_id: str,
    partition_date: date,
    at: datetime,
) -> str:
    """Write that a tracked project was not synced because Jira does not show it; its watermark stays. Returns the key
    under which it is known: where Jira has never shown it, what the configuration calls it."""
    row = connection.execute(
        "SELECT project_key FROM ops.tracked_projects WHERE project_id = ?", [project_id]
    ).fetchone()
    project_key = str(row[0]) if row else configured_as
    run_sql(
        connection,
        "project_unavailable",
        {
            "run_id": run_id,
            "project_id": project_id,
            "project_key": project_key,
            "partition_date": partition_date,
            "at": at,
            "error": error,
        },
    )
    return project_key


def store_field_roles(connection: duckdb.DuckDBPyConnection, roles: Iterable[FieldRole]) -> None:
    """Store which fields play which role; typed rows are dropped, to be read anew, when that has changed."""
    run_sql(connection, "field_roles", {"roles": msgspec.json.encode([asdict(role) for role in roles]).decode()})


def advance_as_of(connection: duckdb.DuckDBPyConnection, instant: datetime) -> None:
    """Move `as_of`, the instant to which the tables are known to be complete. It never moves back."""
    kept = as_of(connection)
    if kept is None or instant > kept:
        connection.execute("DELETE FROM ops.state WHERE name = 'as_of'")
        connection.execute("INSERT INTO ops.state VALUES ('as_of', ?)", [instant.isoformat()])


def as_of(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The instant to which the tables are known to be complete; None before the first sync."""
    row = connection.execute("SELECT value FROM ops.state WHERE name = 'as_of'").fetchone()
    return datetime.fromisoformat(row[0]) if row else None


def required_as_of(connection: duckdb.DuckDBPyConnection) -> datetime:
    """`as_of`, or a `SettingsError` when nothing has been synced yet."""
    instant = as_of(connection)
    if instant is None:
        raise SettingsError("Nothing has been synced yet: materialise raw_issues first.")
    return instant


@dataclass(frozen=True)
class RunOutcome:
    """How one project fared in a run. `was_fetched` is False when Jira did not show the project at all."""

    project_key: str
    was_fetched: bool
    error: str | None


def run_outcomes(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[RunOutcome, ...]:
    """The outcome of every tracked project in this run."""
    rows = connection.execute(
        "SELECT project_key, mode IS NOT NULL, error FROM ops.sync_runs WHERE run_id = ? ORDER BY project_key", [run_id]
    )
    return tuple(RunOutcome(*row) for row in rows.fetchall())


def latest_run(connection: duckdb.DuckDBPyConnection) -> str:
    """The run that has synced last; an empty text before the first."""
    row = connection.execute("SELECT run_id FROM ops.sync_runs ORDER BY started_at DESC LIMIT 1").fetchone()
    return row[0] if row else ""

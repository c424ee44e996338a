"""Landing files into tables: set-based SQL, the newest version of an issue wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.pages import UnreadableIssue
from jira_pipeline.sync.landing import LandingFile
from jira_pipeline.warehouse.statements import run_sql, sql_text
from jira_pipeline.warehouse.typed_issues import type_stale

# What one statement parses: so much that planning the statements costs little beside running them, and that few issues
# are left over that do not fill a row group; and so little that memory does not grow with the project.
_BATCH_BYTES = 96 << 20
_LINE_MARGIN = 1024

# DuckDB's own choice is sixteen lines of the longest: a gigabyte for an issue with a huge description.
_LEAST_BUFFER = 4 << 20


@dataclass(frozen=True)
class LoadCounts:
    """What loading landing files changed in a project."""

    issues_created: int = 0
    issues_updated: int = 0
    changes_written: int = 0

    def __add__(self, other: LoadCounts) -> LoadCounts:
        return LoadCounts(
            self.issues_created + other.issues_created,
            self.issues_updated + other.issues_updated,
            self.changes_written + other.changes_written,
        )


class LandingDamaged(PipelineError):
    """A landing file does not hold what was written to it."""


def load_issues(
    connection: duckdb.DuckDBPyConnection,
    files: Sequence[LandingFile],
    *,
    partition_date: date,
    synced_at: datetime,
) -> Mapping[str, LoadCounts]:
    """Upsert landing files into raw_issues, issues and issue_changes, and whom they mention into users and statuses;
    returns what that changed, by project id.

    Runs inside the caller's transaction. Loading the same files again changes nothing. Raises `LandingDamaged` when
    less is read than was written.
    """
    counts: defaultdict[str, LoadCounts] = defaultdict(LoadCounts)
    load_id = _next_load_id(connection)
    for batch in _batches(files):
        loaded = _load_batch(connection, batch, load_id=load_id, partition_date=partition_date, synced_at=synced_at)
        for project_id, of_project in loaded.items():
            counts[project_id] += of_project
    return counts


def _load_batch(
    connection: duckdb.DuckDBPyConnection, batch: Sequence[LandingFile], **parameters: Any
) -> Mapping[str, LoadCounts]:
    for file in batch:
        if not file.is_whole():
            raise LandingDamaged(f"{file.payloads.name} and what belongs to it are not as they were written")
    longest_line = max(file.longest_line for file in batch) + _LINE_MARGIN
    parameters |= {
        "head_files": [str(file.heads) for file in batch],
        "payload_files": [str(file.payloads) for file in batch],
        "history_files": [str(file.histories) for file in batch],
        "mention_files": [str(file.mentions) for file in batch],
        "longest_line": longest_line,
        "buffer_bytes": max(longest_line, _LEAST_BUFFER),
    }
    run_sql(connection, "stage_landing", parameters)
    (accepted,) = _one_row(connection, "SELECT count(*) FROM accepted")
    # An issue that was read well this time needs no place among the unreadable.
    connection.execute(
        "DELETE FROM ops.quarantined_issues AS aside USING staged WHERE aside.issue_id = staged.issue_id "
        "OR (aside.issue_id IS NULL AND aside.issue_key = staged.issue_key)"
    )
    if not accepted:
        return {}
    stored = run_sql(connection, "load_raw_issues", parameters)
    if stored != accepted:
        raise LandingDamaged(f"{stored} of {accepted} payloads could be read again from {batch[0].payloads.parent}")
    run_sql(connection, "load_issue_changes", parameters)
    run_sql(connection, "load_people", parameters)
    # Here, while they are in memory and other issues are still being fetched.
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE stale AS SELECT issue_id, CAST($load_id AS BIGINT) AS load_id FROM accepted",
        {"load_id": parameters["load_id"]},
    )
    type_stale(connection)
    loaded = connection.execute(sql_text("loaded_by_project")).fetchall()
    return {project_id: LoadCounts(*counts) for project_id, *counts in loaded}


def are_a_batch(files: Sequence[LandingFile]) -> bool:
    """Whether landing files are as much as one statement should parse: 96 MB."""
    return sum(file.json_bytes for file in files) >= _BATCH_BYTES


def _batches(files: Sequence[LandingFile]) -> Iterator[list[LandingFile]]:
    batch: list[LandingFile] = []
    for file in files:
        batch.append(file)
        if are_a_batch(batch):
            yield batch
            batch = []
    if batch:
        yield batch


def set_issues_aside(
    connection: duckdb.DuckDBPyConnection, unreadable: Sequence[UnreadableIssue], project_key: str, seen_at: datetime
) -> None:
    """Keep issues that cannot be rows, with what Jira sent and why, in ops.quarantined_issues."""
    for issue in unreadable:
        run_sql(
            connection,
            "quarantine",
            {
                "issue_id": issue.issue_id,
                "issue_key": issue.issue_key,
                "payload": issue.payload.decode(),
                "project_key": project_key,
                "error": issue.reason,
                "seen_at": seen_at,
            },
        )


def forget_set_aside(connection: duckdb.DuckDBPyConnection, issue_ids: Collection[int], project_key: str) -> None:
    """Take issues out of ops.quarantined_issues that are not in their project any more: nobody will read them there.
    What another project has met meanwhile stays."""
    connection.execute(
        "DELETE FROM ops.quarantined_issues WHERE project_key = $key AND issue_id IN (SELECT unnest($ids))",
        {"key": project_key, "ids": sorted(issue_ids)},
    )


def _next_load_id(connection: duckdb.DuckDBPyConnection) -> int:
    (load_id,) = _one_row(connection, "SELECT coalesce(max(load_id), 0) + 1 FROM raw_issues")
    return int(load_id)


def _one_row(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)

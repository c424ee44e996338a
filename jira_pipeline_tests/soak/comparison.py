"""Comparing what a pipeline has gathered with a full sync of a fresh database, and with the truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from jira_pipeline.sandbox import Sandbox
from jira_pipeline_tests.soak.follower import Follower

# Left out everywhere: which run wrote a row, and when (`synced_at`, `partition_date`, `load_id`); of raw_issues also
# `removed_at` and `removal_reason`, because removed issues are compared apart, and `content_hash`, which goes over the
# payload's bytes: the payload itself is compared, see `_lasting`.
_BOOKKEEPING = {"synced_at", "partition_date", "load_id", "removed_at", "removal_reason", "content_hash"}
_TABLES = ("projects", "users", "statuses", "issues", "issue_changes", "status_intervals", "cycle_times")

Rows = list[tuple[Any, ...]]


def differences(found: Follower, expected: Follower) -> list[str]:
    """Where the tables of two databases differ, a line a table."""
    lines = [_difference(table, _rows(found, table), _rows(expected, table)) for table in _TABLES]
    lines.append(_difference("raw_issues", _raw_issues(found), _raw_issues(expected)))
    return [line for line in lines if line]


def untruths(follower: Follower, sandbox: Sandbox, tracked: tuple[str, ...]) -> list[str]:
    """Where the tables differ from what is true on the site, a line a finding."""
    truth = [issue for issue in sandbox.issues() if issue["fields"]["project"]["id"] in tracked]
    ids = {int(issue["id"]) for issue in truth}
    lines = [
        _difference(
            "issues and the truth",
            follower.rows(
                "SELECT issue_id, issue_key, project_id, summary, status_id, updated_at, resolved_at, history_count, "
                "history_complete, count(history_id) FROM issues JOIN raw_issues USING "
                "(issue_id, issue_key, project_id, updated_at) LEFT JOIN issue_changes USING (issue_id) GROUP BY ALL"
            ),
            [_true_issue(issue) for issue in truth],
        ),
        _difference(
            "issue_changes and the truth",
            follower.rows(
                "SELECT issue_id, history_id, item_index FROM issue_changes SEMI JOIN issues USING (issue_id, load_id)"
            ),
            [
                (int(issue["id"]), int(history["id"]), index)
                for issue in truth
                for history in issue["changelog"]["histories"]
                for index in range(len(history["items"]))
            ],
        ),
    ]
    removed = {
        issue_id for (issue_id,) in follower.rows("SELECT issue_id FROM raw_issues WHERE removed_at IS NOT NULL")
    }
    if removed & ids:
        lines.append(f"marked as removed and there: {sorted(removed & ids)}")
    aside = follower.rows("SELECT issue_id, issue_key, error FROM ops.quarantined_issues")
    lines += [f"still set aside: {row}" for row in aside if row[0] in ids]
    return [line for line in lines if line]


def _true_issue(issue: dict[str, Any]) -> tuple[Any, ...]:
    fields, histories = issue["fields"], issue["changelog"]["histories"]
    resolved = fields["resolutiondate"]
    return (
        int(issue["id"]),
        issue["key"],
        fields["project"]["id"],
        fields["summary"],
        fields["status"]["id"],
        datetime.fromisoformat(fields["updated"]),
        datetime.fromisoformat(resolved) if resolved else None,
        len(histories),
        True,
        sum(len(history["items"]) for history in histories),
    )


def _rows(follower: Follower, table: str) -> Rows:
    columns = [
        f'"{name}"'
        for (name,) in follower.rows(f"SELECT column_name FROM duckdb_columns() WHERE table_name = '{table}'")
        if name not in _BOOKKEEPING
    ]
    assert columns, table
    # Changes of removed issues stay, as their raw rows do; a fresh database never saw them.
    only = " SEMI JOIN issues USING (issue_id)" if table == "issue_changes" else ""
    return follower.rows(f"SELECT {', '.join(columns)} FROM {table}{only}")


def _raw_issues(follower: Follower) -> Rows:
    return [
        (*row, json.dumps(_lasting(json.loads(payload)), sort_keys=True))
        for *row, payload in follower.rows(
            "SELECT issue_id, issue_key, project_id, project_key, created_at, updated_at, history_count, "
            "history_complete, payload FROM raw_issues WHERE removed_at IS NULL"
        )
    ]


def _lasting(value: Any) -> Any:
    """A payload without what it says of others. The name of a person or a project and the summary of a parent change
    without touching the issue: they are as they were when it was fetched, and up to date in `users`, in `projects` and
    in the parent's own row."""
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "displayName" in value:
        return value.get("accountId") or value.get("key")
    return {name: _REDUCED.get(name, _lasting)(each) for name, each in value.items()}


def _id_and_key(project: Any) -> Any:
    return (project["id"], project["key"]) if isinstance(project, dict) else project


def _id(parent: Any) -> Any:
    return parent["id"] if isinstance(parent, dict) else parent


_REDUCED: dict[str, Callable[[Any], Any]] = {"project": _id_and_key, "parent": _id}


def _difference(table: str, found: Rows, expected: Rows) -> str:
    ordered, wanted = sorted(map(_shown, found)), sorted(map(_shown, expected))
    if ordered == wanted:
        return ""
    more = [row[:400] for row in ordered if row not in set(wanted)][:2]
    fewer = [row[:400] for row in wanted if row not in set(ordered)][:2]
    return f"{table}: {len(found)} rows, expected {len(expected)}; not expected {more}, missing {fewer}"


def _shown(row: tuple[Any, ...]) -> str:
    return repr(tuple(v.astimezone(UTC).isoformat() if isinstance(v, datetime) else v for v in row))

"""`reconcile` from the outside: what leaves the published tables, what is told, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from jira_pipeline.sandbox import Sandbox

from .conftest import Run


def published(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of an answer from the file that people read."""
    with duckdb.connect(str(tmp_path / "data" / "jira.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_what_is_gone_leaves_every_table_but_the_raw_one(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    early = run("reconcile")
    assert early.exit_code == 2
    assert early.sentences == ["jira-pipeline: Nothing has been synced yet: run `jira-pipeline sync` first."]

    assert run("sync").exit_code == 0
    gone, moved, *_ = [issue for issue in sandbox.issues() if issue["key"].startswith("APP-")]
    sandbox.delete_issue(gone["key"])
    new_key = sandbox.move_issue(moved["key"], "OPS")
    gone_id, moved_id = int(gone["id"]), int(moved["id"])

    outcome = run("reconcile", "--json")
    assert (outcome.exit_code, outcome.sentences) == (0, []), outcome.stderr
    told = json.loads(outcome.stdout)
    assert told["succeeded"] is True
    projects = {p["project_key"]: p for p in told["projects"]}
    assert (projects["APP"]["deleted"], projects["APP"]["moved_out"], projects["OPS"]["moved_in"]) == (1, 0, 1)

    raw = f"SELECT removal_reason, removed_at IS NOT NULL FROM raw_issues WHERE issue_id = {gone_id}"
    assert published(tmp_path, raw) == [("deleted", True)]
    for table in ("issues", "cycle_times", "status_intervals", "time_in_status"):
        assert published(tmp_path, f"SELECT count(*) FROM {table} WHERE issue_id = {gone_id}") == [(0,)], table
    assert published(tmp_path, f"SELECT issue_key, project_key FROM issues WHERE issue_id = {moved_id}") == [
        (new_key, "OPS")
    ]
    assert published(tmp_path, "SELECT issue_id, issue_key FROM issues ORDER BY issue_id") == sorted(
        (int(issue["id"]), issue["key"]) for issue in sandbox.issues()
    )
    created = "SELECT sum(created_issues) FROM cycle_time_metrics WHERE project_key IN ('APP', 'OPS')"
    assert published(tmp_path, created) == [(len(sandbox.issues()),)]

    many = [issue["key"] for issue in sandbox.issues() if issue["key"].startswith("APP-")][:12]
    for key in many:
        sandbox.delete_issue(key)
    sandbox.forbid_project("OPS")
    held = run("reconcile")
    assert held.exit_code == 1
    assert [s.partition(" of ")[0] for s in held.sentences] == [
        "jira-pipeline: APP: 12",
        "jira-pipeline: OPS: Project OPS is not visible to the account at "
        + sandbox.url
        + ": it has been deleted, or the "
        "account lacks the permission to browse it. What is stored stays, and it is synced again once it is back.",
    ]
    assert "`jira-pipeline reconcile --confirm APP`" in held.sentences[0]
    assert "held" in held.stdout
    assert published(tmp_path, "SELECT count(*) FROM raw_issues WHERE removed_at IS NOT NULL") == [(1,)]

    sandbox.allow_project("OPS")
    assert run("reconcile", "--confirm", "APP").exit_code == 0
    assert published(tmp_path, "SELECT count(*) FROM raw_issues WHERE removal_reason = 'deleted'") == [(13,)]
    assert published(tmp_path, "SELECT count(*) FROM issues") == [(len(sandbox.issues()),)]

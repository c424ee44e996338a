"""Starting sync processes, and looking at what they leave behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from jira_pipeline.sandbox import Sandbox
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline_tests.fork_server import ForkedProcess, ForkServer

REPOSITORY = Path(__file__).resolve().parents[2]


_SYNC = "import sys; from jira_pipeline_tests.durability.sync_process import main; sys.exit(main(*sys.argv[1:]))"


def start_sync(fork_server: ForkServer, sandbox: Sandbox, directory: Path) -> ForkedProcess:
    """Start a full sync of all the sandbox's projects into a warehouse in `directory`; returns when it has begun."""
    process = fork_server.start(
        _SYNC,
        str(directory),
        *project_keys(sandbox),
        env={**os.environ, **sandbox.credentials},
        cwd=REPOSITORY,
    )
    assert process.stdout.readline() == "working\n", process.communicate()
    return process


def finish(process: ForkedProcess) -> tuple[int, str]:
    """Wait for a process; its exit code and what it said on stderr."""
    _, said = process.communicate()
    return process.wait(), said


def project_keys(sandbox: Sandbox) -> list[str]:
    """The keys of all projects that have issues."""
    return sorted({issue["fields"]["project"]["key"] for issue in sandbox.issues()})


class Remains:
    """What is in the files of a warehouse. Reads them anew each time."""

    def __init__(self, directory: Path) -> None:
        self.warehouse = Warehouse(directory / "jira.duckdb")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer from the working file."""
        with self.warehouse.transaction() as connection:
            return connection.execute(sql).fetchall()

    def published_rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer from the published file; none before there is one."""
        if not self.warehouse.published.exists():
            return []
        with self.warehouse.reading() as connection:
            return connection.execute(sql).fetchall()

    def stored(self) -> set[int]:
        """Ids of the stored issues; each is there once, with as many histories as it says."""
        rows = self.rows(
            "SELECT issue_id, count(DISTINCT history_id), any_value(history_count) FROM raw_issues "
            "LEFT JOIN issue_changes USING (issue_id) GROUP BY issue_id"
        )
        assert self.rows("SELECT count(*) FROM raw_issues") == [(len(rows),)]
        assert all(found == said for _, found, said in rows)
        return {issue_id for issue_id, _, _ in rows}

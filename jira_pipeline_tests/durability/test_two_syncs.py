"""Two syncs that are started at the same time do not get into each other's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.errors import PipelineError
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.warehouse import database
from jira_pipeline_tests.durability.processes import Remains, finish, start_sync
from jira_pipeline_tests.fork_server import ForkServer
from jira_pipeline_tests.soak.comparison import untruths


def test_the_second_waits_for_the_first_and_both_end_well(fork_server: ForkServer, tmp_path: Path) -> None:
    with Sandbox(generate_site(12, issues=200, projects=2, max_histories=8), latency_seconds=0.05) as sandbox:
        both = [start_sync(fork_server, sandbox, tmp_path) for _ in range(2)]

        assert [finish(process) for process in both] == [(0, ""), (0, "")]

        remains = Remains(tmp_path)
        assert untruths(remains, sandbox, ("10000", "10001")) == []
        runs = remains.rows(
            "SELECT run_id, min(started_at), max(finished_at), sum(issues_created)::INTEGER FROM ops.sync_runs "
            "GROUP BY run_id ORDER BY sum(issues_created) DESC"
        )
        assert [created for *_, created in runs] == [200, 0]


def test_a_sync_that_has_waited_too_long_says_what_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_WAIT_SECONDS", 0.2)
    first, second = (database.Warehouse(tmp_path / "jira.duckdb") for _ in range(2))

    with (
        first.syncing(),
        pytest.raises(PipelineError, match=r"is being synced by another run and has been for .*then run again"),
        second.syncing(),
    ):
        pass

    with second.syncing():
        pass

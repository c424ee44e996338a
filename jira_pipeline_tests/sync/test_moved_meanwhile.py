"""An issue that has moved away while the index still shows it in its old project."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.soak.follower import Follower


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(9, issues=20, projects=2, max_histories=5)) as sandbox:
        sandbox.now = datetime(2026, 11, 21, 12, tzinfo=UTC)
        yield sandbox


@pytest.fixture
def follower(sandbox: Sandbox, tmp_path: Path) -> Follower:
    """Of the projects APP and OPS it follows APP, and has synced it."""
    follower = Follower(sandbox, tmp_path, ["APP"])
    follower.sync(follower.newest_partition, follower.newest_partition)
    return follower


def test_it_is_not_stored_under_a_project_that_is_not_tracked(sandbox: Sandbox, follower: Follower) -> None:
    """Nobody would look for it there again: it would stay for good, whatever became of it."""
    moved = next(issue for issue in sandbox.issues() if issue["key"].startswith("APP-"))
    sandbox.update_issue(moved["id"], summary="About to go")
    sandbox.index_lag_seconds = 3600
    sandbox.move_issue(moved["id"], "OPS")

    follower.sync(follower.newest_partition, follower.newest_partition)

    assert follower.rows("SELECT DISTINCT project_key FROM issues") == [("APP",)]
    assert follower.rows(f"SELECT issue_key FROM issues WHERE issue_id = {moved['id']}") == [(moved["key"],)]

    sandbox.advance(timedelta(hours=2))
    follower.census()

    assert follower.rows(f"SELECT removal_reason FROM raw_issues WHERE issue_id = {moved['id']}") == [("moved_out",)]
    assert follower.rows(f"SELECT issue_key FROM issues WHERE issue_id = {moved['id']}") == []

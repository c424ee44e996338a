"""A project whose searches all fail costs that project, also when it is the one on which dates are tried out."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.jira.errors import SiteUnavailable
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.soak.follower import Follower


@pytest.mark.parametrize("project", ["10000", "10001"])
def test_the_other_one_is_synced(tmp_path: Path, project: str) -> None:
    with Sandbox(generate_site(9, issues=20, projects=2, max_histories=5)) as sandbox:
        follower = Follower(sandbox, tmp_path, ["APP", "OPS"])
        newest = follower.newest_partition
        assert {outcome.error for outcome in follower.sync(newest, newest)} == {None}
        clause = f"project = {project}".encode()
        sandbox.faults.add("server_error", path="search", times=None, when=lambda request: clause in request.body)

        outcomes = follower.sync(newest, newest)

        failed = {outcome.project_key: outcome.error for outcome in outcomes if outcome.error is not None}
        assert list(failed) == ["APP" if project == "10000" else "OPS"]
        assert isinstance(next(iter(failed.values())), SiteUnavailable)

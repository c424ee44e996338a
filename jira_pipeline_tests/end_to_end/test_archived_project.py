"""A project that Jira has archived keeps what is stored of it, and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.end_to_end.pipeline import Pipeline


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_an_archived_project_is_told_and_keeps_its_issues(
    tmp_path: Path, flavour: Literal["cloud", "datacenter"]
) -> None:
    with Sandbox(generate_site(seed=2, issues=30, projects=2, max_histories=5), flavour=flavour) as sandbox:
        pipeline = Pipeline(sandbox, tmp_path)
        before = pipeline.sync()
        sandbox.archive_project("OPS")

        outcome = pipeline.sync()

        assert outcome["APP"].error is None
        assert outcome["OPS"].is_permanent
        assert "is archived" in str(outcome["OPS"].error)
        assert "active: false" in str(outcome["OPS"].error)
        with pipeline.warehouse.transaction() as connection:
            kept = connection.execute(
                "SELECT count(*) FROM raw_issues WHERE project_key = 'OPS' AND removed_at IS NULL"
            ).fetchone()
        assert kept == (before["OPS"].issues_created,)

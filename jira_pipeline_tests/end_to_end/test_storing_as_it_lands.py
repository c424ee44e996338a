"""A project that is larger than one batch is stored while it is still being fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jira_pipeline.jira.errors import SiteUnavailable
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.sync import landing
from jira_pipeline.warehouse import load, run_store
from jira_pipeline_tests.soak.comparison import untruths
from jira_pipeline_tests.soak.follower import Follower

ISSUES = 600


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(3, issues=ISSUES, projects=1, max_histories=10)) as sandbox:
        yield sandbox


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many landing files each transaction took; a page fills a file, and two files a batch."""
    monkeypatch.setattr(landing, "_ROLL_BYTES", 10_000)
    monkeypatch.setattr(load, "_BATCH_BYTES", 10_000)
    sizes: list[int] = []
    load_issues = run_store.load_issues

    def noted(connection, files, **parameters):  # type: ignore[no-untyped-def]
        sizes.append(len(files))
        return load_issues(connection, files, **parameters)

    monkeypatch.setattr(run_store, "load_issues", noted)
    return sizes


def test_it_takes_several_transactions_and_counts_every_issue_once(
    sandbox: Sandbox, tmp_path: Path, batches: list[int]
) -> None:
    follower = Follower(sandbox, tmp_path, ["APP"])

    (outcome,) = follower.sync(follower.newest_partition, follower.newest_partition)

    assert outcome.error is None
    assert (outcome.issues_created, outcome.issues_updated, outcome.issues_failed) == (ISSUES, 0, 0)
    assert outcome.changes_written == follower.rows("SELECT count(*) FROM issue_changes")[0][0]
    assert len(batches) > 1
    assert untruths(follower, sandbox, ["10000"]) == []
    assert not list(follower.warehouse.landing.iterdir())


def test_what_has_been_stored_survives_a_failure_and_the_watermark_waits_for_the_rest(
    sandbox: Sandbox, tmp_path: Path, batches: list[int]
) -> None:
    follower = Follower(sandbox, tmp_path, ["APP"])
    sandbox.faults.add("server_error", path="search/jql", nth=5, times=None)

    (outcome,) = follower.sync(follower.newest_partition, follower.newest_partition)

    assert isinstance(outcome.error, SiteUnavailable)
    ((stored, watermark),) = follower.rows(
        "SELECT (SELECT count(*) FROM raw_issues), synced_through FROM ops.tracked_projects"
    )
    assert 0 < stored < ISSUES
    assert stored == outcome.issues_created
    assert watermark is None

    sandbox.faults.clear()
    (outcome,) = follower.sync(follower.newest_partition, follower.newest_partition)

    assert outcome.error is None
    assert (outcome.issues_created, outcome.issues_updated) == (ISSUES - stored, 0)
    assert untruths(follower, sandbox, ["10000"]) == []

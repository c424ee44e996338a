"""One issue that Jira cannot send costs that issue and nothing else, until it can be sent again."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.settings import PipelineConfig, SyncSettings, TrackedProject
from jira_pipeline.sync.plan import PartitionWindow
from jira_pipeline.sync.progress import LoggedProgress
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.ingest import ingest
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline_tests.empty_warehouse import empty_warehouse

FAST = RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.02, read_timeout=5.0)
DAY = date(2026, 11, 19)


def sync(sandbox: Sandbox, warehouse: Warehouse) -> ProjectOutcome:
    (outcome,) = ingest(
        connect(credentials_from(sandbox.credentials), policy=FAST),
        warehouse,
        PipelineConfig(Path("c.yaml"), DAY, (TrackedProject(key="APP"),), sync=SyncSettings(concurrency=2)),
        partitions=PartitionWindow(DAY, DAY, is_newest=True),
        run_id=datetime.now(UTC).isoformat(),
        progress=LoggedProgress(),
    )
    return outcome


def rows(warehouse: Warehouse, query: str) -> list[tuple[Any, ...]]:
    with warehouse.transaction() as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
@pytest.mark.parametrize("blemish", ["malformed", "server_error"])
def test_the_rest_is_stored_and_the_issue_comes_when_it_can_be_sent(
    tmp_path: Path, flavour: Literal["cloud", "datacenter"], blemish: Literal["malformed", "server_error"]
) -> None:
    warehouse = empty_warehouse(tmp_path)
    with Sandbox(generate_site(seed=5, issues=40, projects=1, max_histories=10), flavour=flavour) as sandbox:
        truth = {int(issue["id"]): issue["key"] for issue in sandbox.issues()}
        sick = sorted(truth)[17]
        sandbox.spoil_issue(truth[sick], blemish)

        outcome = sync(sandbox, warehouse)
        assert outcome.error is None
        assert (outcome.issues_created, outcome.issues_failed) == (39, 1)
        assert rows(warehouse, "SELECT issue_id, project_key FROM ops.quarantined_issues") == [(sick, "APP")]
        assert {i for (i,) in rows(warehouse, "SELECT issue_id FROM raw_issues")} == set(truth) - {sick}

        still = sync(sandbox, warehouse)
        assert (still.mode, still.issues_failed) == ("incremental", 1)

        # Its last update lies far before the next window: it is asked for because it was set aside.
        sandbox.heal_issue(truth[sick])
        healed = sync(sandbox, warehouse)
        assert (healed.issues_created, healed.issues_failed) == (1, 0)
        assert rows(warehouse, "SELECT count(*) FROM ops.quarantined_issues") == [(0,)]
        assert {i for (i,) in rows(warehouse, "SELECT issue_id FROM raw_issues")} == set(truth)


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
@pytest.mark.parametrize("fate", ["deleted", "moved"])
def test_an_issue_that_was_set_aside_and_has_gone_is_not_missed_for_ever(
    tmp_path: Path, flavour: Literal["cloud", "datacenter"], fate: str
) -> None:
    """A check fails, and every sync ends with exit code 1, for as long as something is set aside."""
    warehouse = empty_warehouse(tmp_path)
    with Sandbox(generate_site(seed=5, issues=40, projects=2, max_histories=10), flavour=flavour) as sandbox:
        ours = sorted(int(issue["id"]) for issue in sandbox.issues() if issue["key"].startswith("APP-"))
        for sick in ours[3:5]:
            sandbox.spoil_issue(str(sick), "malformed")
        assert sync(sandbox, warehouse).issues_failed == 2

        if fate == "deleted":
            sandbox.delete_issue(str(ours[3]))
        else:
            sandbox.heal_issue(str(ours[3]))
            sandbox.move_issue(str(ours[3]), "OPS")
        outcome = sync(sandbox, warehouse)

        assert (outcome.error, outcome.issues_failed) == (None, 1)
        assert rows(warehouse, "SELECT issue_id FROM ops.quarantined_issues") == [(ours[4],)]

"""The configuration as the flow metrics get it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from jira_pipeline.assets.flow import flow_settings
from jira_pipeline.checks import workflow_statuses_exist
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource
from jira_pipeline.settings import PipelineConfig, TrackedProject
from jira_pipeline.settings.model import Workflow
from jira_pipeline.warehouse.flow import ProjectWorkflow


def test_a_project_that_is_named_by_its_id_has_its_own_workflow_too() -> None:
    own = Workflow(started=("Development",))
    tracked = (TrackedProject(id="10001", workflow=own), TrackedProject(key="WEB", workflow=own), TrackedProject("APP"))

    settings = flow_settings(PipelineConfig(Path("c.yaml"), date(2026, 11, 1), tracked))

    assert settings.project_workflows == (
        ProjectWorkflow(None, started=("Development",), project_id="10001"),
        ProjectWorkflow("WEB", started=("Development",)),
    )


@pytest.mark.parametrize(
    ("workflow", "unknown"),
    [
        ("{}", ""),
        ("{started: [' review ', '3'], done: [Closed]}", ""),
        ("{started: [Reveiw], waiting: ['99', Review]}", "99, Reveiw"),
    ],
)
def test_a_status_that_no_issue_can_be_in_is_told(tmp_path: Path, workflow: str, unknown: str) -> None:
    """It would start no clock, and every cycle time would be empty."""
    config = tmp_path / "jira_pipeline.yaml"
    config.write_text(f"start_date: 2026-11-01\ntracked_projects: []\nworkflow: {workflow}\n", encoding="utf-8")
    warehouse = WarehouseResource(database=str(tmp_path / "jira.duckdb"))
    with warehouse.get_connection() as connection:
        connection.execute("INSERT INTO statuses (status_id, name) VALUES ('3', 'In Progress'), ('4', 'Review')")
        connection.execute("INSERT INTO status_intervals (status_id, status) VALUES (NULL, 'Closed')")

    result = workflow_statuses_exist(
        tracked_projects=TrackedProjectsResource(config_path=str(config)), warehouse=warehouse
    )

    assert isinstance(result, dg.AssetCheckResult)
    assert (result.passed, result.severity) == (not unknown, dg.AssetCheckSeverity.WARN)
    assert result.metadata["unknown statuses"].value == unknown

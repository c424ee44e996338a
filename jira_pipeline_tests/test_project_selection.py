"""The job `track_projects`: what `jira-pipeline projects track` does, from the Dagster UI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from jira_pipeline.project_selection import track_projects
from jira_pipeline.resources import JiraResource, TrackedProjectsResource, WarehouseResource
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.settings import load_config

RunJob = Callable[..., dg.ExecuteInProcessResult]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(seed=3, issues=4, projects=2, max_histories=2), flavour="datacenter") as running:
        yield running


@pytest.fixture
def run_job(sandbox: Sandbox, tmp_path: Path) -> RunJob:
    """Run the job as the Launchpad does, on a configuration in which APP is tracked."""
    config = tmp_path / "jira_pipeline.yaml"
    config.write_text("start_date: 2026-11-01\ntracked_projects:\n  - key: APP  # ours\n", encoding="utf-8")
    credentials = sandbox.credentials

    def run(*, raise_on_error: bool = True, **form: list[str]) -> dg.ExecuteInProcessResult:
        return track_projects.execute_in_process(
            run_config={"ops": {"change_tracked_projects": {"config": form}}},
            resources={
                "jira": JiraResource(
                    server=credentials["JIRA_SERVER"],
                    personal_access_token=credentials["JIRA_PERSONAL_ACCESS_TOKEN"],
                ),
                "tracked_projects": TrackedProjectsResource(config_path=str(config)),
                "warehouse": WarehouseResource(database=str(tmp_path / "jira.duckdb")),
            },
            raise_on_error=raise_on_error,
        )

    return run


def test_the_form_tracks_and_untracks(run_job: RunJob, tmp_path: Path) -> None:
    result = run_job(track=["OPS"], untrack=["APP"])
    tracked = load_config(tmp_path / "jira_pipeline.yaml").tracked_projects
    assert [(project.key, project.active) for project in tracked] == [("APP", False), ("OPS", True)]
    (output,) = [event for event in result.all_node_events if event.event_type_value == "STEP_OUTPUT"]
    assert output.step_output_data.metadata["outcome"].value == (
        "OPS is tracked from now on; the next sync reads all its issues.\n"
        "APP is not synced any more; what is stored stays."
    )


def test_a_project_that_is_not_there_fails_the_run_and_nothing_is_written(run_job: RunJob, tmp_path: Path) -> None:
    result = run_job(track=["OPS", "NOPE"], raise_on_error=False)
    assert not result.success
    assert len(load_config(tmp_path / "jira_pipeline.yaml").tracked_projects) == 1


def test_one_project_cannot_be_tracked_and_untracked_at_once(run_job: RunJob) -> None:
    result = run_job(track=["OPS"], untrack=["ops"], raise_on_error=False)
    (failure,) = [event for event in result.all_node_events if event.event_type_value == "STEP_FAILURE"]
    error = failure.step_failure_data.error
    assert error is not None
    assert error.cause is not None
    assert "OPS is to be tracked and untracked at once: name it once." in error.cause.message

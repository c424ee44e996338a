"""The job `track_projects`: tracking and untracking projects from the Dagster UI."""

import dagster as dg
from pydantic import Field

from jira_pipeline.resources import JiraResource, TrackedProjectsResource, WarehouseResource
from jira_pipeline.sync.selection import change_tracking
from jira_pipeline.warehouse.states import known_ids, project_states


class TrackingConfig(dg.Config):
    """The Launchpad's form: which projects to track, and which to track no longer."""

    track: list[str] = Field(default=[], description="Keys of projects to sync from now on, such as APP.")
    untrack: list[str] = Field(default=[], description="Keys of projects to sync no longer; what is stored stays.")


@dg.op
def change_tracked_projects(
    context: dg.OpExecutionContext,
    config: TrackingConfig,
    jira: JiraResource,
    tracked_projects: TrackedProjectsResource,
    warehouse: WarehouseResource,
) -> None:
    """Edit tracked_projects in jira_pipeline.yaml, as `jira-pipeline projects track` does. The run needs to be able to
    write that file, and later runs to see it."""
    change = change_tracking(
        jira.connect(),
        tracked_projects.load().path,
        known_ids(project_states(warehouse.warehouse)),
        track=config.track,
        untrack=config.untrack,
    )
    for sentence in change.sentences:
        context.log.info(sentence)
    context.add_output_metadata({"outcome": "\n".join(change.sentences) or "No project was named."})


@dg.job(executor_def=dg.in_process_executor)
def track_projects() -> None:
    """Track projects, or stop tracking them: name them in the Launchpad. The next daily_sync heeds it."""
    change_tracked_projects()

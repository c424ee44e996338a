"""The code location: a table of contents."""

from __future__ import annotations

import os
import warnings

import dagster as dg

from jira_pipeline.assets.census import issue_census
from jira_pipeline.assets.extraction import issues, projects, sync_issues, users
from jira_pipeline.assets.flow import cycle_time_metrics, derive_flow
from jira_pipeline.assets.jira_site import jira_site
from jira_pipeline.assets.people import matched_assignees
from jira_pipeline.assets.publication import published_database
from jira_pipeline.checks import CHECKS
from jira_pipeline.jobs import daily_sync, reconcile
from jira_pipeline.project_selection import track_projects
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource, jira_resource
from jira_pipeline.schedules import daily_sync_schedule, reconcile_schedule
from jira_pipeline.sensors import run_alerts
from jira_pipeline.settings import config_path_from, database_path_from
from jira_pipeline.sync.progress import LoggedProgress, Progress


def _with_code_references() -> list[dg.AssetsDefinition]:
    """The assets, each with the file and line where it is defined, which the UI shows."""
    assets = [
        projects,
        sync_issues,
        users,
        issue_census,
        issues,
        matched_assignees,
        derive_flow,
        cycle_time_metrics,
        published_database,
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [asset for asset in dg.with_source_code_references(assets) if isinstance(asset, dg.AssetsDefinition)]


def build_definitions(progress: Progress) -> dg.Definitions:
    """The definitions, with somebody to tell how a sync is getting on."""
    return dg.Definitions(
        assets=[jira_site, *_with_code_references()],
        asset_checks=CHECKS,
        jobs=[daily_sync, reconcile, track_projects],
        schedules=[daily_sync_schedule, reconcile_schedule],
        sensors=[run_alerts],
        resources={
            "jira": jira_resource(),
            "tracked_projects": TrackedProjectsResource(config_path=str(config_path_from(os.environ))),
            "warehouse": WarehouseResource(database=str(database_path_from(os.environ))),
            "progress": progress,
        },
        executor=dg.in_process_executor,
    )


defs = build_definitions(LoggedProgress())

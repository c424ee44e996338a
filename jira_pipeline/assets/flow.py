"""Flow metrics: status intervals, cycle times, and the daily metrics."""

from collections.abc import Iterator

import dagster as dg

from jira_pipeline.assets.metadata import rows_by_partition, table_metadata, table_spec
from jira_pipeline.assets.publication import publish_unless_later
from jira_pipeline.partitions import BACKFILL, DAILY
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource
from jira_pipeline.settings import PipelineConfig
from jira_pipeline.warehouse.flow import (
    FlowSettings,
    derive_cycle_time_metrics,
    derive_cycle_times,
    derive_status_intervals,
)
from jira_pipeline.warehouse.operations import required_as_of

GROUP = "flow"
POOL = "duckdb_writer"


def flow_settings(config: PipelineConfig) -> FlowSettings:
    """The part of the configuration that flow metrics depend on."""
    return FlowSettings(
        time_zone=config.time_zone,
        cycle_time_from=config.cycle_time.start,
        cycle_time_to=config.cycle_time.stop,
        started=config.workflow.started,
        done=config.workflow.done,
        waiting=config.workflow.waiting,
    )


@dg.multi_asset(
    name="status_intervals",
    specs=[table_spec("status_intervals", group=GROUP, deps=["issues", "issue_changes"])],
    pool=POOL,
)
def status_intervals(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Derive the stays in each status, for the issues that changed since the last time."""
    settings = flow_settings(tracked_projects.load())
    with warehouse.get_connection() as connection:
        derived = derive_status_intervals(connection, settings, as_of=required_as_of(connection))
        metadata = table_metadata(connection, "status_intervals", derived=derived)
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="status_intervals", metadata=metadata)


@dg.multi_asset(
    name="cycle_times",
    specs=[table_spec("cycle_times", group=GROUP, deps=["status_intervals", "issues", "matched_assignees"])],
    pool=POOL,
)
def cycle_times(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Derive when each issue was started, done and resolved, and how long that took."""
    settings = flow_settings(tracked_projects.load())
    with warehouse.get_connection() as connection:
        derived = derive_cycle_times(connection, settings, as_of=required_as_of(connection))
        median = connection.execute("SELECT quantile_disc(cycle_time_hours, 0.5) FROM cycle_times").fetchone()
        metadata = table_metadata(
            connection, "cycle_times", derived=derived, **({"median_hours": median[0]} if median and median[0] else {})
        )
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="cycle_times", metadata=metadata)


@dg.multi_asset(
    name="cycle_time_metrics",
    specs=[table_spec("cycle_time_metrics", group=GROUP, deps=["cycle_times"])],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
)
def cycle_time_metrics(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Count each day of each project. All days are counted anew: an issue reopened today changes the day it was
    done."""
    settings = flow_settings(tracked_projects.load())
    with warehouse.get_connection() as connection:
        derive_cycle_time_metrics(connection, settings, as_of=required_as_of(connection))
        query = "SELECT metric_date, count(*) FROM cycle_time_metrics GROUP BY ALL"
        for key, rows in rows_by_partition(connection, query, context.partition_keys).items():
            context.add_asset_metadata(
                {"dagster/partition_row_count": rows}, asset_key="cycle_time_metrics", partition_key=key
            )
        metadata = table_metadata(connection, "cycle_time_metrics")
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="cycle_time_metrics", metadata=metadata)

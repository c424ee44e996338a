"""Flow metrics: status intervals, cycle times, and the marts over them."""

import logging
from collections.abc import Iterator

import dagster as dg

from jira_pipeline.assets.metadata import FRESHNESS, table_metadata, table_spec, tell_rows_by_partition
from jira_pipeline.assets.plots import plot_of
from jira_pipeline.assets.publication import publish_unless_later
from jira_pipeline.partitions import BACKFILL, DAILY
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource
from jira_pipeline.settings import PipelineConfig
from jira_pipeline.warehouse.flow import (
    FLOW_TABLES,
    FlowSettings,
    ProjectWorkflow,
    WorkingCalendar,
    derive_cycle_time_metrics,
    derive_tables,
    few_on_one_thread,
)
from jira_pipeline.warehouse.flow.settings import WITHDRAWN_RESOLUTIONS
from jira_pipeline.warehouse.flow.workflow import unknown_statuses
from jira_pipeline.warehouse.operations import required_as_of

log = logging.getLogger(__name__)

GROUP = "flow"
POOL = "duckdb_writer"
_DAILY_METRICS = "cycle_time_metrics"  # the one flow table with partitions, hence with a step of its own


def flow_settings(config: PipelineConfig) -> FlowSettings:
    """The part of the configuration that flow metrics depend on."""
    flow, calendar = config.flow, config.calendar
    return FlowSettings(
        time_zone=config.time_zone,
        cycle_time_from=config.cycle_time.start,
        cycle_time_to=config.cycle_time.stop,
        started=config.workflow.started,
        done=config.workflow.done,
        waiting=config.workflow.waiting,
        project_workflows=tuple(
            ProjectWorkflow(
                project.key,
                project.workflow.started or None,
                project.workflow.done or None,
                project.workflow.waiting or None,
                project.id,
            )
            for project in config.tracked_projects
            if project.workflow
        ),
        excluded_types=flow.excluded_types,
        withdrawn_resolutions=WITHDRAWN_RESOLUTIONS
        if flow.withdrawn_resolutions is None
        else flow.withdrawn_resolutions,
        bug_types=flow.bug_types,
        calendar=WorkingCalendar(calendar.week, calendar.days, calendar.time_zone) if calendar else None,
        sle_days=flow.sle_days,
        sle_percentile=flow.sle_percentile,
        stale_days=flow.stale_days,
    )


@dg.multi_asset(
    name="derive_flow",
    specs=[
        table_spec(table.name, group=GROUP, layer="derived", deps=list(table.reads))
        for table in FLOW_TABLES
        if table.name != _DAILY_METRICS
    ],
    can_subset=True,
    pool=POOL,
)
def derive_flow(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Derive the flow tables from the issues that changed since the last time. What the selected tables are derived
    from is brought up to date as well."""
    settings = flow_settings(tracked_projects.load())
    results: list[dg.MaterializeResult[None]] = []
    names = [key.to_user_string() for key in context.selected_asset_keys]
    with warehouse.warehouse.connection() as connection:
        as_of = required_as_of(connection)
        for table in derive_tables(connection, names, settings, as_of=as_of):
            if table.name in names:
                results.append(
                    dg.MaterializeResult(
                        asset_key=table.name,
                        metadata=table_metadata(
                            connection, table.name, as_of=as_of.isoformat(), **plot_of(connection, table.name)
                        ),
                    )
                )
        if unknown := unknown_statuses(connection, settings):
            log.warning(
                "workflow in jira_pipeline.yaml names what the site does not have: %s. Correct it, or clocks do not "
                "start and stop where they should.",
                ", ".join(unknown),
            )
    publish_unless_later(context, warehouse)
    yield from results


@dg.multi_asset(
    name=_DAILY_METRICS,
    specs=[
        table_spec(
            _DAILY_METRICS,
            group=GROUP,
            layer="derived",
            deps=["cycle_times", "status_intervals"],
            freshness_policy=FRESHNESS,
        )
    ],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
)
def cycle_time_metrics(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Bring the count of each day of each project up to date, earlier days too: an issue reopened today changes the day
    it was done."""
    settings = flow_settings(tracked_projects.load())
    with warehouse.get_connection() as connection, few_on_one_thread(connection):
        derive_cycle_time_metrics(connection, settings, as_of=required_as_of(connection))
        query = "SELECT metric_date, count(*) FROM cycle_time_metrics GROUP BY ALL"
        tell_rows_by_partition(context, connection, _DAILY_METRICS, query)
        metadata = table_metadata(connection, _DAILY_METRICS, **plot_of(connection, _DAILY_METRICS))
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key=_DAILY_METRICS, metadata=metadata)

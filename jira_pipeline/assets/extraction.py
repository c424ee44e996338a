"""From Jira to typed tables: projects, users, raw issues with their changes, issues."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from jira_pipeline.assets.jira_site import JIRA_SITE
from jira_pipeline.assets.metadata import FRESHNESS, outcome_table, table_metadata, table_spec, tell_rows_by_partition
from jira_pipeline.assets.publication import publish_unless_later
from jira_pipeline.jira.errors import RequestRefused, SiteUnavailable
from jira_pipeline.partitions import BACKFILL, DAILY, partition_window
from jira_pipeline.resources import JiraResource, TrackedProjectsResource, WarehouseResource
from jira_pipeline.retries import allow_retry, repeated_if_site_is_away
from jira_pipeline.sync.progress import Progress
from jira_pipeline.sync.selection import selectable_projects, tracked_ids
from jira_pipeline.warehouse.ingest import check_each_once, ingest
from jira_pipeline.warehouse.operations import known_project_ids
from jira_pipeline.warehouse.reference import store_directory, store_projects
from jira_pipeline.warehouse.typed_issues import derive_issues

GROUP = "jira"
FROM_JIRA = frozenset({"jira", "duckdb"})
POOL = "duckdb_writer"


class SyncConfig(dg.Config):
    """What a single run may ask for beyond its partitions."""

    projects: list[str] = Field(default=[], description="Keys of the tracked projects to sync; empty: all active ones.")
    full_refresh: bool = Field(default=False, description="Fetch every issue, not only those changed in the window.")


@dg.multi_asset(
    name="projects",
    specs=[table_spec("projects", group=GROUP, layer="raw", deps=[JIRA_SITE], kinds=FROM_JIRA)],
    pool=POOL,
)
def projects(
    context: dg.AssetExecutionContext,
    jira: JiraResource,
    tracked_projects: TrackedProjectsResource,
    warehouse: WarehouseResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Store every project that the account can browse, and which of them are tracked."""
    config = tracked_projects.load()
    with repeated_if_site_is_away(context):
        site = jira.connect()
        listed, now = site.projects(), site.server_time()
    warehouse.warehouse.prepare()
    with warehouse.get_connection() as connection:
        known_ids = known_project_ids(connection)
        check_each_once(listed, config, known_ids)
        renamed = [p for p in selectable_projects(listed, config, known_ids) if p.former_key]
        tracked = tracked_ids(config.tracked_projects, listed, known_ids)
        store_projects(connection, listed, tracked_ids=tracked, synced_at=now)
        metadata = table_metadata(
            connection,
            "projects",
            tracked=len(tracked),
            account=site.identity.account_name,
            renamed=", ".join(f"{project.former_key} is {project.key} now" for project in renamed) or "none",
        )
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="projects", metadata=metadata)


@dg.multi_asset(
    name="sync_issues",
    specs=[
        table_spec(
            table,
            group=GROUP,
            layer="raw",
            deps=[JIRA_SITE, "projects"],
            kinds=FROM_JIRA,
            freshness_policy=FRESHNESS,
        )
        for table in ("raw_issues", "issue_changes")
    ],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
)
def sync_issues(
    context: dg.AssetExecutionContext,
    config: SyncConfig,
    jira: JiraResource,
    tracked_projects: TrackedProjectsResource,
    warehouse: WarehouseResource,
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None]]:
    """Fetch every change of the partitions' days, with complete histories, and store it: an issue and its history in
    one transaction. A project that fails leaves the others stored; it is named in the metadata, in the check
    `every_project_loaded`, and in `ops.sync_runs`, and the run fails at its end."""
    settings = tracked_projects.load()
    warehouse.warehouse.prepare()
    with repeated_if_site_is_away(context):
        outcomes = ingest(
            jira.connect(),
            warehouse.warehouse,
            settings,
            partitions=partition_window(list(context.partition_keys)),
            run_id=context.run.run_id,
            progress=progress,
            full=config.full_refresh,
            only=config.projects,
        )
    if any(isinstance(outcome.error, SiteUnavailable) for outcome in outcomes):
        allow_retry(context)
    with warehouse.get_connection() as connection:
        written = {
            "raw_issues": "SELECT partition_date, count(*) FROM raw_issues GROUP BY ALL",
            "issue_changes": "SELECT partition_date, count(*) FROM issue_changes JOIN raw_issues USING (issue_id) "
            "GROUP BY ALL",
        }
        for table, query in written.items():
            tell_rows_by_partition(context, connection, table, query)
            yield dg.MaterializeResult(
                asset_key=table,
                metadata=table_metadata(
                    connection,
                    table,
                    projects=outcome_table(outcomes),
                    unknown_projects=dg.MetadataValue.json([o.project_key for o in outcomes if o.is_unknown]),
                ),
            )
    publish_unless_later(context, warehouse)


@dg.multi_asset(
    name="users",
    specs=[
        table_spec("users", group=GROUP, layer="raw", deps=[JIRA_SITE, "raw_issues", "issue_changes"], kinds=FROM_JIRA)
    ],
    pool=POOL,
)
def users(
    context: dg.AssetExecutionContext, jira: JiraResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Add the site's user directory to those met in issues. An account that may not browse users, or a directory that
    is too slow to be sent, is no obstacle: whoever has touched an issue is known from there."""
    note = "listed by the site"
    try:
        with repeated_if_site_is_away(context):
            site = jira.connect()
            listed, now = list(site.directory()), site.server_time()
    except RequestRefused as refused:
        if refused.status not in (403, 409):
            raise
        listed = []
        note = "the account may not browse users" if refused.status == 403 else "Jira takes too long to list its users"
        note += ": only those met in issues and histories are here"
        context.log.warning(f"The user directory could not be read, so users come from issues only: {refused}")
    with warehouse.get_connection() as connection:
        if listed:
            store_directory(connection, listed, synced_at=now)
        metadata = table_metadata(connection, "users", listed=len(listed), directory=note)
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="users", metadata=metadata)


@dg.multi_asset(
    name="issues",
    specs=[
        table_spec(
            "issues", group=GROUP, layer="typed", deps=["raw_issues", "issue_census"], freshness_policy=FRESHNESS
        )
    ],
    partitions_def=DAILY,
    backfill_policy=BACKFILL,
    pool=POOL,
)
def issues(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> Iterator[dg.MaterializeResult[None]]:
    """Type the payloads of raw_issues that were not typed as they were stored, as after a change of the fields that
    play a role, and follow renamed statuses and moved parents."""
    with warehouse.warehouse.transaction(whole_issues=True) as connection:
        typed_anew = derive_issues(connection)
        query = "SELECT partition_date, count(*) FROM raw_issues WHERE removed_at IS NULL GROUP BY ALL"
        tell_rows_by_partition(context, connection, "issues", query)
        points = connection.execute(
            "SELECT field_name, field_id, is_ambiguous, reason FROM ops.field_roles WHERE role = 'story_points' "
            "AND project_id IS NULL ORDER BY rank"
        ).fetchall()
        metadata = table_metadata(
            connection,
            "issues",
            typed_anew=typed_anew,
            story_points="; ".join(f"{name} ({field}): {why}" for name, field, _, why in points) or "no field found",
        )
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="issues", metadata=metadata)

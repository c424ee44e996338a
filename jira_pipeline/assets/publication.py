"""The published copy: the last step of a run, and the place where a run that stored only part of it says so."""

from collections.abc import Iterator

import dagster as dg

from jira_pipeline.assets.metadata import FRESHNESS, OWNERS, layer_tags
from jira_pipeline.resources import WarehouseResource
from jira_pipeline.warehouse.census import census_outcomes
from jira_pipeline.warehouse.flow import FLOW_TABLES
from jira_pipeline.warehouse.operations import run_outcomes

PUBLISHED = dg.AssetKey("published_database")
_LEAVES = ("projects", "users", "issue_changes", "issues", "matched_assignees", *(table.name for table in FLOW_TABLES))


@dg.multi_asset(
    name="published_database",
    specs=[
        dg.AssetSpec(
            PUBLISHED,
            deps=list(_LEAVES),
            description="The DuckDB file that people query: a copy of the working database, swapped in atomically when "
            "all tables of a run belong together. Whoever has the old one open keeps a consistent view.",
            group_name="published",
            kinds={"duckdb", "file"},
            owners=OWNERS,
            tags=layer_tags("published", has_personal_data=True),
            freshness_policy=FRESHNESS,
        )
    ],
    pool="duckdb_writer",
)
def published_database(
    context: dg.AssetExecutionContext, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Publish, then fail the run if a project could not be synced for a reason that may pass: what was stored is
    public by then, and the run is red. A project that Jira does not show any more is a warning, not a red run every
    day."""
    size = warehouse.warehouse.publish()
    yield dg.MaterializeResult(
        asset_key=PUBLISHED,
        metadata={
            "path": dg.MetadataValue.path(str(warehouse.warehouse.published.resolve())),
            "size": dg.MetadataValue.int(size),
        },
    )
    with warehouse.get_connection() as connection:
        failed = {
            o.project_key: o.error
            for o in run_outcomes(connection, context.run.run_id)
            if o.was_fetched and o.error is not None
        }
        failed |= {
            o.project_key: o.error or "" for o in census_outcomes(connection, context.run.run_id) if o.status == "error"
        }
    if failed:
        raise dg.Failure(
            description=f"{len(failed)} of the tracked projects could not be synced; "
            "what was fetched is stored and published. " + " ".join(f"{key}: {error}" for key, error in failed.items()),
            metadata=dict(failed),
            allow_retries=False,
        )


def publish_unless_later(context: dg.AssetExecutionContext, warehouse: WarehouseResource) -> None:
    """Publish after a step whose run does not end in `published_database`, as when somebody materialises one asset:
    they want to see it. Not while the tables derived from issues are behind: the published file is always whole."""
    if PUBLISHED in context.job_def.asset_layer.executable_asset_keys:
        return
    if warehouse.warehouse.is_whole():
        warehouse.warehouse.publish()
    else:
        context.log.info("Not published yet: tables derived from the issues are behind; materialise them, too.")

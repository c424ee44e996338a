"""The census of ids: finds issues that were deleted or moved, which no sync can see."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from jira_pipeline.assets.jira_site import JIRA_SITE
from jira_pipeline.assets.metadata import OWNERS, layer_tags
from jira_pipeline.assets.publication import publish_unless_later
from jira_pipeline.partitions import newest_partition
from jira_pipeline.resources import JiraResource, TrackedProjectsResource, WarehouseResource
from jira_pipeline.retries import repeated_if_site_is_away
from jira_pipeline.warehouse.census import CensusOutcome
from jira_pipeline.warehouse.reconcile import take_census

ISSUE_CENSUS = dg.AssetKey("issue_census")


class CensusConfig(dg.Config):
    """What somebody who has looked into a mass removal may say."""

    confirm: list[str] = Field(
        default=[], description="Keys of projects of which more than a fifth is gone, and rightly so."
    )


@dg.multi_asset(
    name="issue_census",
    specs=[
        dg.AssetSpec(
            ISSUE_CENSUS,
            deps=[JIRA_SITE, "raw_issues"],
            description="One row a project and census: which stored issues had been deleted, had moved, or had come "
            "back. Marks them in raw_issues (`removed_at`, `removal_reason`) and fetches those that belong here.",
            group_name="jira",
            kinds={"jira", "duckdb"},
            owners=OWNERS,
            tags=layer_tags("raw", has_personal_data=False),
            metadata={"dagster/table_name": "ops.issue_census"},
        )
    ],
    pool="duckdb_writer",
)
def issue_census(
    context: dg.AssetExecutionContext,
    config: CensusConfig,
    jira: JiraResource,
    tracked_projects: TrackedProjectsResource,
    warehouse: WarehouseResource,
) -> Iterator[dg.MaterializeResult[None]]:
    """Compare the ids that each project shows with those stored. A project that is not shown, cannot be walked to its
    end, or has lost suspiciously many issues is left as it is; the checks name it."""
    settings = tracked_projects.load()
    warehouse.warehouse.prepare()
    with repeated_if_site_is_away(context):
        outcomes = take_census(
            jira.connect(),
            warehouse.warehouse,
            settings,
            run_id=context.run.run_id,
            partition_date=newest_partition(),
            confirmed=config.confirm,
        )
    yield dg.MaterializeResult(asset_key=ISSUE_CENSUS, metadata={"projects": census_table(outcomes)})
    publish_unless_later(context, warehouse)


def census_table(outcomes: tuple[CensusOutcome, ...]) -> dg.TableMetadataValue:
    """The per-project table of a census, those that need a look first."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "project": o.project_key,
                    "outcome": o.status.replace("_", " "),
                    "known": o.known,
                    "seen": o.seen,
                    "deleted": o.deleted,
                    "moved out": o.moved_out,
                    "not visible": o.not_visible,
                    "moved in": o.moved_in,
                    "back": o.back,
                    "found": o.found,
                    "hidden": o.hidden,
                    "suspected": o.suspected,
                    "held": o.held,
                    "error": o.error or "",
                }
            )
            for o in sorted(outcomes, key=lambda o: (o.error is None, o.project_key))
        ]
        or [dg.TableRecord({"project": "none is tracked"})]
    )

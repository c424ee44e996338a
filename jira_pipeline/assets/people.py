"""Jira users as members of teams."""

from collections.abc import Iterator

import dagster as dg

from jira_pipeline.assets.metadata import table_metadata, table_spec
from jira_pipeline.assets.publication import publish_unless_later
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource
from jira_pipeline.warehouse.matching import match_assignees


@dg.multi_asset(
    name="matched_assignees",
    specs=[table_spec("matched_assignees", group="people", layer="derived", deps=["users", "issues"])],
    pool="duckdb_writer",
)
def matched_assignees(
    context: dg.AssetExecutionContext, tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> Iterator[dg.MaterializeResult[None]]:
    """Match Jira users with the team roster: by account id, then e-mail, then alias. Two possible members are no
    match."""
    config = tracked_projects.load()
    with warehouse.get_connection() as connection:
        match_assignees(connection, config.team_members)
        reasons = connection.execute(
            "SELECT unmatched_reason, count(*) FROM matched_assignees WHERE NOT is_matched GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        metadata = table_metadata(
            connection,
            "matched_assignees",
            unmatched=dg.MetadataValue.json({reason or "": count for reason, count in reasons}),
        )
    publish_unless_later(context, warehouse)
    yield dg.MaterializeResult(asset_key="matched_assignees", metadata=metadata)

"""What an asset tells the Dagster UI about its table: columns with their meaning, where it lies, how many rows it
has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import dagster as dg
import duckdb

from jira_pipeline.freshness import daily_freshness
from jira_pipeline.loaded_settings import settings_at_load
from jira_pipeline.warehouse.documentation import documented_tables
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline.warehouse.statements import row_count

OWNERS = list(settings_at_load().owners)

# Of what is materialised every day, and of what people read of it.
FRESHNESS = daily_freshness(settings_at_load().schedule)

# Tables with names, addresses, or what people have written.
_PERSONAL_DATA = frozenset({"users", "raw_issues", "issue_changes", "issues", "matched_assignees"})

Layer = Literal["raw", "typed", "derived", "published"]


def table_spec(
    table: str,
    *,
    group: str,
    layer: Layer,
    deps: Sequence[str | dg.AssetKey] = (),
    kinds: frozenset[str] = frozenset({"duckdb"}),
    freshness_policy: dg.FreshnessPolicy | None = None,
) -> dg.AssetSpec:
    """The specification of an asset that is a table of the warehouse: description and columns come from the table's
    comments."""
    documented = documented_tables()[table]
    return dg.AssetSpec(
        key=table,
        deps=list(deps),
        description=documented.comment,
        group_name=group,
        kinds=set(kinds),
        owners=OWNERS,
        tags=layer_tags(layer, has_personal_data=table in _PERSONAL_DATA),
        freshness_policy=freshness_policy,
        metadata={
            "dagster/table_name": f"main.{table}",
            "dagster/column_schema": dg.TableSchema(
                columns=[dg.TableColumn(c.name, c.type, description=c.comment) for c in documented.columns]
            ),
        },
    )


def layer_tags(layer: Layer, *, has_personal_data: bool) -> dict[str, str]:
    """The tags by which assets are found in the UI: how far from Jira's answers they are, and whether they hold
    personal data."""
    return {"layer": layer} | ({"personal_data": "true"} if has_personal_data else {})


def table_metadata(connection: duckdb.DuckDBPyConnection, table: str, **more: Any) -> dict[str, Any]:
    """The metadata of a materialization: how many rows the table has now, and what else there is to say."""
    return {"dagster/row_count": row_count(connection, table), **more}


def tell_rows_by_partition(
    context: dg.AssetExecutionContext, connection: duckdb.DuckDBPyConnection, table: str, query: str
) -> None:
    """Tell how many rows each partition of the run has, from a query of (date, count); a day without rows has none."""
    counted: dict[date, int] = dict(connection.execute(query).fetchall())
    for key in context.partition_keys:
        rows = counted.get(date.fromisoformat(key), 0)
        context.add_asset_metadata({"dagster/partition_row_count": rows}, asset_key=table, partition_key=key)


def outcome_table(outcomes: Sequence[ProjectOutcome]) -> dg.TableMetadataValue:
    """The per-project table of a sync, worst first."""
    ordered = sorted(outcomes, key=lambda o: (o.error is None, o.project_key))
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "project": o.project_key,
                    "outcome": "stored" if o.error is None else ("not visible" if o.is_permanent else "failed"),
                    "mode": o.mode or "",
                    "fetched": o.issues_fetched,
                    "new": o.issues_created,
                    "changed": o.issues_updated,
                    "set aside": o.issues_failed,
                    "changelog items": o.changes_written,
                    "requests": o.requests,
                    "retries": o.retries,
                    "error": "" if o.error is None else str(o.error),
                }
            )
            for o in ordered
        ]
        or [dg.TableRecord({"project": "none is tracked"})]
    )

"""Asset checks: what has to hold before anything is derived from a table, and what people should know about a run."""

import warnings
from collections.abc import Callable, Mapping, Sequence

import dagster as dg
import duckdb

from jira_pipeline.assets.flow import flow_settings
from jira_pipeline.partition_results import record_for_partitions
from jira_pipeline.partitions import DAILY
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource
from jira_pipeline.warehouse.census import census_outcomes
from jira_pipeline.warehouse.flow.workflow import unknown_statuses
from jira_pipeline.warehouse.operations import latest_run, run_outcomes
from jira_pipeline.warehouse.statements import sql_text
from jira_pipeline.warehouse.unmatched import matching_coverage as coverage_of

_KEYS: Mapping[str, str] = {
    "projects": "project_id",
    "users": "user_id",
    "raw_issues": "issue_id",
    "issues": "issue_id",
    "issue_changes": "issue_id, history_id, item_index",
    "matched_assignees": "user_id",
    "cycle_times": "issue_id",
    "cycle_time_metrics": "metric_date, project_key",
}


def _keys_unique(table: str, key: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=table,
        name="keys_unique",
        blocking=True,
        description=f"No two rows of {table} have the same ({key}), and none of it is NULL.",
        pool="duckdb_writer",
    )
    def check(warehouse: WarehouseResource) -> dg.AssetCheckResult:
        with warehouse.get_connection() as connection:
            duplicates = _number(
                connection, f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {key} HAVING count(*) > 1)"
            )
            incomplete = " OR ".join(f"{column} IS NULL" for column in key.split(", "))
            nulls = _number(connection, f"SELECT count(*) FROM {table} WHERE {incomplete}")
        return dg.AssetCheckResult(
            passed=duplicates == 0 and nulls == 0,
            metadata={"keys with several rows": duplicates, "rows without key": nulls},
        )

    return check


def _partitioned(
    name: str, *, blocking: bool = False
) -> Callable[[Callable[..., dg.AssetCheckResult]], dg.AssetChecksDefinition]:
    """A check of raw_issues that has a result for each day. A preview of Dagster 1.13, which it says at each use."""

    def decorate(function: Callable[..., dg.AssetCheckResult]) -> dg.AssetChecksDefinition:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.PreviewWarning)
            return dg.asset_check(
                asset="raw_issues", name=name, blocking=blocking, partitions_def=DAILY, pool="duckdb_writer"
            )(function)

    return decorate


@_partitioned("histories_complete", blocking=True)
def histories_complete(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Every issue's history is here from its first change to its last, however long it is. A day's result is about the
    issues that were stored last in a run of that day."""
    with warehouse.get_connection() as connection:
        cut = connection.execute(sql_text("cut_histories")).fetchall()
    keys = context.partition_keys
    results = {
        key: dg.AssetCheckResult(passed=not issues, metadata=_cut_histories(issues))
        for key in keys
        for issues in [[issue for day, issue in cut if day.isoformat() == key]]
    }
    record_for_partitions(context, _check("histories_complete"), results, blocking=True)
    return dg.AssetCheckResult(passed=not cut, metadata=_cut_histories([issue for _, issue in cut]))


def _cut_histories(issues: Sequence[str]) -> dict[str, int | str]:
    return {"issues with a cut history": len(issues), "for example": ", ".join(issues[:20])}


def _check(name: str) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey("raw_issues"), name)


@dg.asset_check(
    asset="issues",
    name="counts_agree",
    blocking=True,
    additional_deps=["raw_issues", "issue_changes"],
    pool="duckdb_writer",
)
def counts_agree(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Raw and derived tables hold the same issues, and no changelog item hangs on an issue that is not stored."""
    with warehouse.get_connection() as connection:
        row = connection.execute(sql_text("counts_agree")).fetchone()
    assert row is not None
    raw, typed, untyped, orphans = row
    return dg.AssetCheckResult(
        passed=raw == typed and untyped == 0 and orphans == 0,
        metadata={"raw issues": raw, "typed issues": typed, "not typed": untyped, "changes without issue": orphans},
    )


@_partitioned("every_project_loaded")
def every_project_loaded(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Every tracked project was synced. A warning where Jira does not show one any more, an error where a fetch
    failed. Executed by itself, it tells of the latest sync."""
    is_part_of_sync = dg.AssetKey("raw_issues") in context.job_def.asset_layer.executable_asset_keys
    with warehouse.get_connection() as connection:
        run_id = context.run.run_id if is_part_of_sync else latest_run(connection)
        outcomes = run_outcomes(connection, run_id)
    missing = [o for o in outcomes if o.error is not None]
    result = dg.AssetCheckResult(
        passed=not missing,
        severity=dg.AssetCheckSeverity.ERROR if any(o.was_fetched for o in missing) else dg.AssetCheckSeverity.WARN,
        metadata={"projects": len(outcomes), **{o.project_key: o.error or "" for o in missing}},
    )
    record_for_partitions(context, _check("every_project_loaded"), dict.fromkeys(context.partition_keys, result))
    return result


@dg.asset_check(asset="raw_issues", name="nothing_in_quarantine", pool="duckdb_writer")
def nothing_in_quarantine(warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """No issue had to be set aside because it could not be read."""
    with warehouse.get_connection() as connection:
        rows = connection.execute(
            "SELECT coalesce(issue_key, 'unknown'), error FROM ops.quarantined_issues ORDER BY last_seen_at DESC "
            "LIMIT 20"
        ).fetchall()
        number = _number(connection, "SELECT count(*) FROM ops.quarantined_issues")
    return dg.AssetCheckResult(
        passed=number == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"issues set aside": number, "for example": "; ".join(f"{key}: {error}" for key, error in rows)},
    )


@dg.asset_check(asset="matched_assignees", name="matching_coverage", pool="duckdb_writer")
def matching_coverage(tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """Four of five issues that are assigned to a person (or another share, the setting `matching_coverage`) are
    assigned to a member of the team roster, if there is one. A warning: `jira-pipeline users unmatched` says who is
    missing."""
    settings = tracked_projects.load()
    roster = settings.team_members
    with warehouse.get_connection() as connection:
        coverage = coverage_of(connection)
    return dg.AssetCheckResult(
        passed=not roster or coverage.share * 100 >= settings.matching_coverage,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "share": round(coverage.share, 3),
            "assigned issues": coverage.assigned,
            "of team members": coverage.matched,
            "members of the roster": len(roster),
        },
    )


@dg.asset_check(asset="status_intervals", name="workflow_statuses_exist", pool="duckdb_writer")
def workflow_statuses_exist(
    tracked_projects: TrackedProjectsResource, warehouse: WarehouseResource
) -> dg.AssetCheckResult:
    """Every status that `workflow` in jira_pipeline.yaml names is one that the site has, or an issue has been in. A
    warning: one that is misspelt, or renamed since, starts and stops no clock."""
    settings = flow_settings(tracked_projects.load())
    with warehouse.get_connection() as connection:
        unknown = unknown_statuses(connection, settings)
    return dg.AssetCheckResult(
        passed=not unknown, severity=dg.AssetCheckSeverity.WARN, metadata={"unknown statuses": ", ".join(unknown)}
    )


@dg.asset_check(asset="issue_census", name="no_mass_removal", pool="duckdb_writer")
def no_mass_removal(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """No project has lost more than a fifth of its issues (and more than ten) at once. Where one has, nothing of it was
    marked as removed, and this says how to confirm that it is right."""
    with warehouse.get_connection() as connection:
        held = [outcome for outcome in census_outcomes(connection, context.run.run_id) if outcome.held]
    return dg.AssetCheckResult(
        passed=not held,
        metadata={
            "issues held back": sum(outcome.held for outcome in held),
            **{outcome.project_key: outcome.error or "" for outcome in held},
        },
    )


@dg.asset_check(asset="issue_census", name="every_project_counted", pool="duckdb_writer")
def every_project_counted(context: dg.AssetCheckExecutionContext, warehouse: WarehouseResource) -> dg.AssetCheckResult:
    """The census reached every tracked project. A warning where Jira does not show one, an error where it failed."""
    with warehouse.get_connection() as connection:
        outcomes = census_outcomes(connection, context.run.run_id)
    missed = [outcome for outcome in outcomes if outcome.status in ("error", "not_visible")]
    return dg.AssetCheckResult(
        passed=not missed,
        severity=dg.AssetCheckSeverity.ERROR
        if any(outcome.status == "error" for outcome in missed)
        else dg.AssetCheckSeverity.WARN,
        metadata={"projects": len(outcomes), **{outcome.project_key: outcome.error or "" for outcome in missed}},
    )


CHECKS = [
    *(_keys_unique(table, key) for table, key in _KEYS.items()),
    histories_complete,
    counts_agree,
    every_project_loaded,
    nothing_in_quarantine,
    matching_coverage,
    workflow_statuses_exist,
    no_mass_removal,
    every_project_counted,
]


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0

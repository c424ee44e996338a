"""Results of checks for each partition of a run over several.

Dagster evaluates a check once a run, and records it for the partition only where the run has a single one
(`AssetCheckResult.to_asset_check_evaluation`); those of a range would be shown as planned for good.
"""

from collections.abc import Mapping

import dagster as dg

# Not public, but without saying for which materialization a result holds, Dagster takes it for outdated.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData


def record_for_partitions(
    context: dg.AssetCheckExecutionContext,
    check: dg.AssetCheckKey,
    results: Mapping[str, dg.AssetCheckResult],
    *,
    blocking: bool = False,
) -> None:
    """Record a result for each partition of a range, as Dagster does itself for a single one."""
    if context.op_execution_context.has_partition_key:
        return
    targets: dict[str, AssetCheckEvaluationTargetMaterializationData] = {}
    records = context.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=check.asset_key, asset_partitions=list(results)), limit=2 * len(results)
    ).records
    for record in records:  # the newest first
        targets.setdefault(
            record.partition_key or "",
            AssetCheckEvaluationTargetMaterializationData(
                storage_id=record.storage_id, run_id=record.run_id, timestamp=record.timestamp
            ),
        )
    for key, result in results.items():
        evaluation = dg.AssetCheckEvaluation(
            asset_key=check.asset_key,
            check_name=check.name,
            passed=result.passed,
            severity=result.severity,
            metadata=result.metadata,
            target_materialization_data=targets.get(key),
            blocking=blocking,
            partition=key,
        )
        context.op_execution_context.log_event(evaluation)  # type: ignore[arg-type]  # taken, but not annotated

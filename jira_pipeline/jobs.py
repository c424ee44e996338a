"""Jobs: the daily run that materialises everything that changes, and the census of what has gone."""

from __future__ import annotations

import dagster as dg

_CENSUS = dg.AssetSelection.assets("issue_census")

# Every run of the two jobs has it, so that `tag_concurrency_limits` in dagster.yaml can let one at a time write.
WRITES_WAREHOUSE = {"jira_pipeline/writes": "warehouse"}


# All steps write one file, so they run one after the other in one process: with a process a step the same work took
# five times as long, nearly all of it starting processes.
daily_sync = dg.define_asset_job(
    "daily_sync",
    selection=dg.AssetSelection.all() - _CENSUS,
    executor_def=dg.in_process_executor,
    description="Fetch what has changed, derive every table from it, and publish the result.",
    tags=WRITES_WAREHOUSE,
)

reconcile = dg.define_asset_job(
    "reconcile",
    selection=_CENSUS.downstream(),
    executor_def=dg.in_process_executor,
    description="Find issues that were deleted or moved, derive every table without them, and publish the result.",
    tags=WRITES_WAREHOUSE,
)

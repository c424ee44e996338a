"""Jobs: everything that a daily run materialises, in one run."""

from __future__ import annotations

import dagster as dg

# All steps write one file, so they run one after the other in one process: with a process a step the same work took
# five times as long, nearly all of it starting processes.
daily_sync = dg.define_asset_job(
    "daily_sync",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Fetch what has changed, derive every table from it, and publish the result.",
)

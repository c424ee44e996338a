"""Jobs: the daily run that materialises everything that changes, and the census of what has gone."""

import dagster as dg

from jira_pipeline.jira.errors import SiteUnavailable

_CENSUS = dg.AssetSelection.assets("issue_census")

# Dagster's own names. The second is heeded only where run retries are enabled in dagster.yaml, as they are in ours.
MAX_RETRIES = "dagster/max_retries"
RETRY_ON_FAILED_STEP = "dagster/retry_on_asset_or_op_failure"
RETRY_STRATEGY = "dagster/retry_strategy"

# Every run of the two jobs has it, so that `tag_concurrency_limits` in dagster.yaml can let one at a time write.
WRITES_WAREHOUSE = {"jira_pipeline/writes": "warehouse"}


@dg.failure_hook(name="retry_what_may_pass")
def retry_what_may_pass(context: dg.HookContext) -> None:
    """Let a scheduled run be repeated where the site could not be reached. Any other failure of a step (a rejected
    credential, a wrong setting, a full disk) would only be repeated with it."""
    if isinstance(context.op_exception, SiteUnavailable):
        allow_retry(context.instance, context.run_id)


def allow_retry(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that a run fails for a reason that may pass. Runs without a number of retries are not repeated all the
    same: somebody at a terminal sees the error at once."""
    instance.add_run_tags(run_id, {RETRY_ON_FAILED_STEP: "true"})


# All steps write one file, so they run one after the other in one process: with a process a step the same work took
# five times as long, nearly all of it starting processes.
daily_sync = dg.define_asset_job(
    "daily_sync",
    selection=dg.AssetSelection.all() - _CENSUS,
    executor_def=dg.in_process_executor,
    description="Fetch what has changed, derive every table from it, and publish the result.",
    tags=WRITES_WAREHOUSE,
    hooks={retry_what_may_pass},
)

reconcile = dg.define_asset_job(
    "reconcile",
    selection=_CENSUS.downstream(),
    executor_def=dg.in_process_executor,
    description="Find issues that were deleted or moved, derive every table without them, and publish the result.",
    tags=WRITES_WAREHOUSE,
    hooks={retry_what_may_pass},
)

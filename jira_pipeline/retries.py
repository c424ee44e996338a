"""Which failed runs are repeated: those that fail for a reason that may pass, where a schedule started them."""

import dagster as dg

from jira_pipeline.jira.errors import SiteUnavailable

# Dagster's own tags. The second is heeded where run retries are enabled in dagster.yaml, as they are in ours.
_MAX_RETRIES = "dagster/max_retries"
_RETRY_ON_FAILED_STEP = "dagster/retry_on_asset_or_op_failure"
_RETRY_STRATEGY = "dagster/retry_strategy"

# Of a scheduled run. Somebody at a terminal or in the UI sees the error at once, so other runs are not repeated.
# All steps: where one project could not be fetched, the step that fails is the last one.
RETRIED = {_MAX_RETRIES: "2", _RETRY_STRATEGY: "ALL_STEPS"}


@dg.failure_hook(name="retry_what_may_pass")
def retry_what_may_pass(context: dg.HookContext) -> None:
    """Let a run be repeated whose step could not reach the site. Any other failure (a rejected credential, a wrong
    setting, a full disk) would only be repeated with it."""
    if isinstance(context.op_exception, SiteUnavailable):
        allow_retry(context.instance, context.run_id)


def allow_retry(instance: dg.DagsterInstance, run_id: str) -> None:
    """Note that a run fails for a reason that may pass."""
    instance.add_run_tags(run_id, {_RETRY_ON_FAILED_STEP: "true"})

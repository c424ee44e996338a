"""Which failed runs are repeated: those that fail for a reason that may pass, where a schedule started them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from jira_pipeline.jira.errors import AccessTokenUnavailable, SiteUnavailable

# Dagster's own tags. The second is heeded where run retries are enabled in dagster.yaml, as they are in ours.
_MAX_RETRIES = "dagster/max_retries"
_RETRY_ON_FAILED_STEP = "dagster/retry_on_asset_or_op_failure"
_RETRY_STRATEGY = "dagster/retry_strategy"

# Of a scheduled run. Somebody at a terminal or in the UI sees the error at once, so other runs are not repeated.
# All steps: where one project could not be fetched, the step that fails is the last one.
RETRIED = {_MAX_RETRIES: "2", _RETRY_STRATEGY: "ALL_STEPS"}


@contextmanager
def repeated_if_site_is_away(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Let the run be repeated when what is done inside does not reach the site. Any other failure (a rejected
    credential, a wrong setting, a full disk) would only be repeated with it."""
    try:
        yield
    except Exception as error:
        _note(context, may_pass=isinstance(error, SiteUnavailable | AccessTokenUnavailable))
        raise


def allow_retry(context: dg.AssetExecutionContext) -> None:
    """Note that a run fails for a reason that may pass."""
    _note(context, may_pass=True)


def _note(context: dg.AssetExecutionContext, *, may_pass: bool) -> None:
    # Also when it will not pass: a run that is a repetition has the note of the one before.
    context.instance.add_run_tags(context.run.run_id, {_RETRY_ON_FAILED_STEP: str(may_pass).lower()})

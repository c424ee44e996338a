"""What the events of a run say about how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jira_pipeline import errors
from jira_pipeline.errors import PipelineError
from jira_pipeline.jira import errors as jira_errors

if TYPE_CHECKING:
    import dagster as dg

_KNOWN_ERRORS: dict[str, type[PipelineError]] = {
    name: kind
    for module in (errors, jira_errors)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, PipelineError)
}


@dataclass(frozen=True)
class RunFailure:
    """Why a run failed, in a sentence. `exit_code` is that of the command line; `traceback` is None for an error that
    people are meant to read."""

    sentence: str
    exit_code: int = 1
    traceback: str | None = None


def run_failure(events: Sequence[dg.DagsterEvent]) -> RunFailure | None:
    """The failure of the first step that failed; None where none did."""
    for event in events:
        if event.event_type_value != "STEP_FAILURE":
            continue
        error = whole = event.step_failure_data.error
        cause = ""
        while error is not None:
            kind = _KNOWN_ERRORS.get(error.cls_name or "")
            if kind is not None:
                sentence = error.message.partition(": ")[2].strip() or error.message.strip()
                return RunFailure(sentence, kind.exit_code)
            cause = error.message.strip()
            error = error.cause
        failure = event.step_failure_data.user_failure_data
        if failure is not None and failure.description:
            return RunFailure(failure.description)
        return RunFailure(
            f"The step {event.step_key} failed unexpectedly: {cause.partition(chr(10))[0] or 'unknown error'}",
            traceback=whole.to_string() if whole else None,
        )
    return None

"""Running the jobs from the command line, and reading what came of it."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from rich.console import Console

from jira_pipeline.cli.home import ensure_dagster_home
from jira_pipeline.cli.progress import TerminalProgress
from jira_pipeline.run_events import run_failure
from jira_pipeline.sync.progress import LoggedProgress

if TYPE_CHECKING:
    import dagster as dg

# People should see these in the UI and in `users unmatched`; they are no reason for a cron job to report a failure.
_ADVISORY_CHECKS = frozenset({"matching_coverage", "workflow_statuses_exist"})


@dataclass(frozen=True)
class RunReport:
    """What a run of the job came to. `failure` is the sentence of the step that ended it, `exit_code` its exit code."""

    run_id: str
    succeeded: bool
    failure: str | None
    exit_code: int
    failed_checks: tuple[str, ...]
    unknown_projects: tuple[str, ...]

    def as_json(self, projects: Sequence[Mapping[str, Any]]) -> str:
        """What `--json` prints: the run, and how each project ended."""
        said = {
            "run_id": self.run_id,
            "succeeded": self.succeeded,
            "failure": self.failure,
            "failed_checks": list(self.failed_checks),
            "projects": list(projects),
        }
        return json.dumps(said, default=str)

    def complaints(self) -> Iterator[str]:
        """Sentences about what failed besides single projects."""
        if self.failure:
            yield self.failure
        for check in self.failed_checks:
            yield f"the check {check} has failed; its result is in the Dagster UI."


def run_daily_sync(
    console: Console, first: date, last: date, *, projects: Sequence[str] = (), full: bool = False
) -> RunReport:
    """Materialise everything for the partitions from `first` to `last`, in this process, on the instance of
    DAGSTER_HOME.

    Progress goes to `console`: bars on a terminal, log lines otherwise.
    """
    settings = {"sync_issues": {"config": {"projects": list(projects), "full_refresh": full}}}
    return _run_job("daily_sync", console, first, last, settings)


def run_reconcile(console: Console, day: date, *, confirmed: Sequence[str] = ()) -> RunReport:
    """Take a census and derive what depends on it, for the partition of `day`, as `run_daily_sync` does. `confirmed`
    are projects whose mass removal is right."""
    return _run_job("reconcile", console, day, day, {"issue_census": {"config": {"confirm": list(confirmed)}}})


def _run_job(name: str, console: Console, first: date, last: date, op_settings: Mapping[str, Any]) -> RunReport:
    ensure_dagster_home()
    warnings.filterwarnings("ignore", module="dagster")
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    # Imported late: Dagster takes seconds to import, and wrong settings are to be reported at once.
    import dagster as dg

    from jira_pipeline.definitions import build_definitions

    bars = TerminalProgress(console) if console.is_terminal else None
    with bars or nullcontext(), dg.DagsterInstance.get() as instance:
        definitions = build_definitions(bars or LoggedProgress())
        result = definitions.resolve_job_def(name).execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags={
                "dagster/asset_partition_range_start": first.isoformat(),
                "dagster/asset_partition_range_end": last.isoformat(),
            },
            run_config={
                "ops": dict(op_settings),
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
    failure = run_failure(result.all_events)
    return RunReport(
        run_id=result.run_id,
        succeeded=result.success,
        failure="\n".join(filter(None, [failure.sentence, failure.traceback])) if failure else None,
        exit_code=failure.exit_code if failure else 0,
        failed_checks=tuple(dict.fromkeys(_failed_checks(result.all_events))),
        unknown_projects=tuple(_unknown_projects(result.all_events)),
    )


def log_to_stderr() -> None:
    """Log lines of this project for runs that nobody watches; a terminal gets bars instead."""
    if not sys.stderr.isatty():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger = logging.getLogger("jira_pipeline")
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)


def _failed_checks(events: Sequence[dg.DagsterEvent]) -> Iterator[str]:
    for event in events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            evaluation = event.asset_check_evaluation_data
            if not evaluation.passed and evaluation.check_name not in _ADVISORY_CHECKS:
                yield f"{evaluation.check_name} of {evaluation.asset_key.to_user_string()}"


def _unknown_projects(events: Sequence[dg.DagsterEvent]) -> list[str]:
    for event in events:
        if event.event_type_value == "ASSET_MATERIALIZATION":
            found = event.step_materialization_data.materialization.metadata.get("unknown_projects")
            if found is not None:
                return [str(key) for key in found.value]  # type: ignore[union-attr]
    return []

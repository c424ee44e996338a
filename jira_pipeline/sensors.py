"""The sensor that tells people when a run fails, and when all is well again."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import dagster as dg

from jira_pipeline.alerts import Outcome, announce, receivers
from jira_pipeline.errors import SettingsError
from jira_pipeline.jobs import daily_sync, reconcile
from jira_pipeline.loaded_settings import alerts_at_load
from jira_pipeline.run_events import run_failure
from jira_pipeline.settings import Alerts, config_path_from, load_alerts

_WILL_RETRY = "dagster/will_retry"
_LOOKED_THROUGH = 20
# Where a job begins and ends.
_WHOLE = {
    daily_sync.name: {"projects", "raw_issues", "published_database"},
    reconcile.name: {"issue_census", "published_database"},
}
# Each of their metadata's texts is a sentence about a project that a run has left out.
_CHECKS_OF_PROJECTS = frozenset({"every_project_loaded", "every_project_counted", "no_mass_removal"})


@dg.sensor(
    name="run_alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING if alerts_at_load() != Alerts() else dg.DefaultSensorStatus.STOPPED,
    description="Tells the receivers of alerts: in jira_pipeline.yaml once when daily_sync or reconcile fails or "
    "leaves a project out, and once when it has recovered. Its cursor holds who knows of which job's trouble.",
)
def run_alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Compare how each job's last run ended with what the receivers know. Whoever cannot be reached is told at the next
    tick; nothing that goes wrong there is an error of this sensor."""
    to = receivers(_alerts(), os.environ)
    if not to:
        return dg.SkipReason("Nobody is to be told: name a receiver under alerts: in jira_pipeline.yaml.")
    outcomes = [outcome for job in (daily_sync, reconcile) if (outcome := last_outcome(context.instance, job.name))]
    announcement = announce(outcomes, json.loads(context.cursor or "{}"), to)
    context.update_cursor(json.dumps(announcement.told))
    told = [f"Told: {said}." for said in announcement.said]
    return dg.SkipReason(" ".join([*told, *announcement.undelivered]) or "There is nothing new to tell.")


def last_outcome(instance: dg.DagsterInstance, job: str) -> Outcome | None:
    """How the newest run of a job ended that has ended and was about everything: of the assets, and of the projects.
    None before there is one, and while a failed run is going to be repeated."""
    records = instance.get_run_records(
        dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]),
        limit=_LOOKED_THROUGH,
    )
    for record in records:
        run = record.dagster_run
        if run.tags.get(_WILL_RETRY) == "true":
            return None
        if not _is_about_everything(run):
            continue
        return Outcome(
            job=job,
            run_id=run.run_id,
            ended_at=datetime.fromtimestamp(record.end_time or record.update_timestamp.timestamp(), UTC),
            has_failed=run.status is dg.DagsterRunStatus.FAILURE,
            troubles=_troubles(instance, run),
            site=urlsplit(os.environ.get("JIRA_SERVER", "")).hostname or "",
        )
    return None


def _alerts() -> Alerts:
    # The file as it is now; where it has become unreadable, which makes runs fail, those named before have to hear it.
    try:
        return load_alerts(config_path_from(os.environ))
    except SettingsError:
        return alerts_at_load()


def _is_about_everything(run: dg.DagsterRun) -> bool:
    config: Any = run.run_config
    for key in ("ops", "sync_issues", "config", "projects"):
        config = config.get(key) or {}
    # The UI names all assets of a job where somebody materialises all of them.
    assets = {key.to_user_string() for key in run.asset_selection or ()}
    return not config and (not assets or assets >= _WHOLE[run.job_name])


def _troubles(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[str, ...]:
    records = instance.get_records_for_run(
        run.run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    ).records
    events = [event for record in records if (event := record.event_log_entry.dagster_event)]
    # The last of each check: of one for several days, that is the result for all of them.
    checks = {
        (evaluation.asset_key, evaluation.check_name): evaluation
        for event in events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
        for evaluation in [event.asset_check_evaluation_data]
    }
    failed_checks = [check for check in checks.values() if not check.passed]
    blocking = tuple(_blocked(failed_checks))
    if blocking or run.status is not dg.DagsterRunStatus.FAILURE:
        return (*blocking, *_left_out(failed_checks))
    failure = run_failure(events)
    return (failure.sentence if failure else "It ended without a failed step: see the run's log in the Dagster UI.",)


def _blocked(failed_checks: Sequence[dg.AssetCheckEvaluation]) -> Iterator[str]:
    for check in failed_checks:
        if check.blocking and check.severity is dg.AssetCheckSeverity.ERROR:
            found = ", ".join(f"{name}: {value.value}" for name, value in check.metadata.items())
            yield (
                f"The check {check.check_name} of {check.asset_key.to_user_string()} failed ({found}): nothing was "
                "derived or published; look into the table before the next run."
            )


def _left_out(failed_checks: Sequence[dg.AssetCheckEvaluation]) -> Iterator[str]:
    for check in failed_checks:
        if check.check_name in _CHECKS_OF_PROJECTS:
            for project, value in check.metadata.items():
                if isinstance(value.value, str):
                    yield f"{project}: {value.value}"

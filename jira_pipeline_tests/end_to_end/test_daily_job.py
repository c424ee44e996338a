"""The job `daily_sync` as Dagster runs it: green and published when all is well, red and published when a project
fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import dagster as dg
import duckdb
import pytest

from jira_pipeline.definitions import build_definitions
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.partitions import DAILY
from jira_pipeline.retries import RETRIED
from jira_pipeline.run_events import run_failure
from jira_pipeline.sandbox import Flavour, Sandbox, generate_site
from jira_pipeline.sensors import run_alerts
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline_tests.alerts.listening import webhook
from jira_pipeline_tests.end_to_end.pipeline import Unwatched

TABLES = (
    "projects", "users", "raw_issues", "issues", "issue_changes", "matched_assignees", "cycle_times",
    "cycle_time_metrics",
)  # fmt: skip


class Deployment:
    """A site, a configuration, a database and a Dagster instance that belong together."""

    def __init__(self, sandbox: Sandbox, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sandbox = sandbox
        self.database = directory / "jira.duckdb"
        keys = sorted({issue["fields"]["project"]["key"] for issue in sandbox.issues()})
        config = directory / "jira_pipeline.yaml"
        tracked = "".join(f"  - key: {key}\n" for key in keys)
        config.write_text(f"start_date: 2026-01-01\nalerts: {{webhook_env: HOOK}}\ntracked_projects:\n{tracked}")
        for name, value in {
            **sandbox.credentials,
            "JIRA_PIPELINE_CONFIG": str(config),
            "JIRA_PIPELINE_DATABASE": str(self.database),
        }.items():
            monkeypatch.setenv(name, value)
        # In memory: with files a run takes twice as long, and the tests of the commands and of the UI have them.
        self.instance = dg.DagsterInstance.ephemeral(
            settings={"run_retries": {"enabled": True, "max_retries": 0, "retry_on_asset_or_op_failure": False}},
        )
        self.definitions = build_definitions(Unwatched())

    def run(
        self,
        *,
        days: int = 2,
        tags: Mapping[str, str] = MappingProxyType({}),
        assets: tuple[str, ...] = (),
        launchpad: dict[str, Any] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """The job over the newest days, in this process; of all its assets or of some, with what somebody wrote in the
        Launchpad for sync_issues."""
        keys = DAILY.get_partition_keys()[-days:]
        return self.definitions.resolve_job_def("daily_sync").execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            tags={
                "dagster/asset_partition_range_start": keys[0],
                "dagster/asset_partition_range_end": keys[-1],
                **tags,
            },
            asset_selection=[dg.AssetKey(name) for name in assets] or None,
            run_config={"ops": {"sync_issues": {"config": launchpad}}} if launchpad else None,
        )

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        """The result of a check of raw_issues that is executed by itself, as the UI can do it for a day."""
        job = self.definitions.resolve_job_def("daily_sync").get_subset(
            asset_selection=frozenset(), asset_check_selection={dg.AssetCheckKey(dg.AssetKey("raw_issues"), name)}
        )
        result = job.execute_in_process(instance=self.instance, partition_key=DAILY.get_partition_keys()[-1])
        (evaluation,) = result.get_asset_check_evaluations()
        return evaluation

    def current_results(self, check: str) -> dict[str, str]:
        """By day: the result of a check of raw_issues that is about the newest materialization of that day."""
        key = dg.AssetCheckKey(dg.AssetKey("raw_issues"), check)
        found = self.instance.event_log_storage.get_asset_check_partition_info([key])
        return {
            info.partition_key: info.latest_execution_status.value
            for info in found
            if info.partition_key is not None and info.is_current
        }

    def will_be_repeated(self, result: dg.ExecuteInProcessResult) -> bool:
        """Whether Dagster's daemon would start a failed run again."""
        run = self.instance.get_run_by_id(result.run_id)
        assert run is not None
        return run.tags["dagster/will_retry"] == "true"

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the published file, as anybody reads them."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def deployment(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    flavour: Flavour = getattr(request, "param", "cloud")
    now = datetime.now(UTC)
    site = generate_site(
        4, issues=30, projects=3, max_histories=45, start=now - timedelta(days=200), end=now - timedelta(days=1)
    )
    with Sandbox(site, flavour) as sandbox:
        deployment = Deployment(sandbox, tmp_path, monkeypatch)
        yield deployment
        deployment.instance.dispose()


@pytest.mark.parametrize("deployment", ["cloud", "datacenter"], indirect=True)
def test_a_run_is_green_publishes_every_table_and_tells_about_it(deployment: Deployment) -> None:
    result = deployment.run()

    assert result.success, [str(event.event_specific_data) for event in result.all_events if event.is_step_failure]
    checks = result.get_asset_check_evaluations()
    assert len(checks) >= 10
    assert [check.check_name for check in checks if not check.passed] == []
    assert deployment.published("SELECT count(*) FROM issues") == [(len(deployment.sandbox.issues()),)]
    materialized = {
        event.asset_key.to_user_string(): event.step_materialization_data.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key is not None
    }
    for table in TABLES:
        ((rows,),) = deployment.published(f"SELECT count(*) FROM {table}")
        assert materialized[table]["dagster/row_count"].value == rows > 0, table
    for table in ("cycle_times", "cycle_time_metrics", "cumulative_flow"):
        assert "data:image/png;base64," in str(materialized[table]["plot"].value), table
    for spec in deployment.definitions.resolve_all_asset_specs():
        if spec.key.to_user_string() in TABLES:
            assert spec.metadata["dagster/table_name"] == f"main.{spec.key.to_user_string()}"
            schema = spec.metadata["dagster/column_schema"]
            assert isinstance(schema, dg.TableSchema)
            assert schema.columns
            assert all(column.description for column in schema.columns), spec.key
    projects = materialized["raw_issues"]["projects"]
    assert isinstance(projects, dg.TableMetadataValue)
    assert sorted(str(record.data["project"]) for record in projects.records) == ["APP", "OPS", "ORDER"]
    assert deployment.instance.get_materialized_partitions(dg.AssetKey("raw_issues")) == set(
        DAILY.get_partition_keys()[-2:]
    )


def test_a_failing_project_makes_the_run_red_and_the_others_are_published(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RetryPolicy, "backoff", lambda policy, attempt: 0.01)
    deployment.sandbox.faults.add(
        "server_error", path="/search/jql", times=None, when=lambda request: b"project = 10001" in request.body
    )

    result = deployment.run(days=1, tags=RETRIED)

    assert not result.success
    assert deployment.will_be_repeated(result)
    assert deployment.published("SELECT DISTINCT project_key FROM issues ORDER BY 1") == [("APP",), ("ORDER",)]
    assert deployment.published("SELECT project_key, sync_status FROM ops.tracked_projects ORDER BY 1") == [
        ("APP", "complete"),
        ("OPS", "error"),
        ("ORDER", "complete"),
    ]
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert not checks["every_project_loaded"].passed
    assert "OPS" in checks["every_project_loaded"].metadata
    failures = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert [event.step_key for event in failures] == ["published_database"]
    assert "OPS: " in str(failures[0].event_specific_data)


def test_a_scheduled_run_is_repeated_where_the_site_is_away_and_not_where_it_does_not_know_us(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RetryPolicy, "backoff", lambda policy, attempt: 0.01)
    deployment.sandbox.faults.add("server_error", times=None)
    away = deployment.run(days=1, tags=RETRIED)
    by_hand = deployment.run(days=1)
    deployment.sandbox.faults.clear()
    deployment.sandbox.faults.add("unauthorized", times=None)
    # A repetition inherits what was noted on the run before it.
    rejected = deployment.run(days=1, tags=RETRIED | {"dagster/retry_on_asset_or_op_failure": "true"})

    assert not away.success
    assert not by_hand.success
    assert not rejected.success
    assert deployment.will_be_repeated(away)
    assert not deployment.will_be_repeated(by_hand)
    assert not deployment.will_be_repeated(rejected)


def test_a_run_that_needs_somebody_alerts_them(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.sandbox.faults.add("unauthorized", times=None)
    assert not deployment.run(days=1, tags=RETRIED).success
    with webhook() as hook:
        monkeypatch.setenv("HOOK", hook.url)
        run_alerts(dg.build_sensor_context(instance=deployment.instance))

    (text,) = hook.texts
    assert text.startswith("jira_pipeline: daily_sync failed (127.0.0.1).\n")
    assert "did not accept" in text or "rejected" in text


FETCHED = ("raw_issues", "issue_changes")


def test_each_day_of_a_range_has_a_result_of_the_checks_that_are_about_a_day(deployment: Deployment) -> None:
    deployment.sandbox.faults.add(
        "forbidden", path="/search/jql", times=None, when=lambda request: b"project = 10001" in request.body
    )
    deployment.run(days=3, assets=FETCHED)
    first, second, third = DAILY.get_partition_keys()[-3:]
    assert deployment.current_results("every_project_loaded") == dict.fromkeys((first, second, third), "FAILED")
    assert deployment.current_results("histories_complete") == dict.fromkeys((first, second, third), "SUCCEEDED")
    by_itself = deployment.check("every_project_loaded")
    assert not by_itself.passed
    assert "OPS" in by_itself.metadata

    deployment.sandbox.faults.clear()
    deployment.run(days=1, assets=FETCHED)
    assert deployment.current_results("every_project_loaded") == {
        first: "FAILED",
        second: "FAILED",
        third: "SUCCEEDED",
    }


def test_the_launchpad_takes_projects_and_a_full_refresh(deployment: Deployment) -> None:
    assert deployment.run(days=1, assets=FETCHED).success
    assert deployment.run(days=1, assets=FETCHED, launchpad={"projects": ["OPS"], "full_refresh": True}).success
    refused = deployment.run(days=1, assets=FETCHED, launchpad={"projects": ["NONE"]})

    with Warehouse(deployment.database).connection() as connection:
        runs = connection.execute("SELECT project_key, mode FROM ops.sync_runs ORDER BY started_at").fetchall()
        issues = connection.execute("SELECT count(*) FROM raw_issues").fetchall()
    assert runs[3:] == [("OPS", "full")]
    assert issues == [(len(deployment.sandbox.issues()),)]
    failure = run_failure(refused.all_events)
    assert failure is not None
    assert failure.sentence.startswith("NONE is not among the active tracked projects of ")

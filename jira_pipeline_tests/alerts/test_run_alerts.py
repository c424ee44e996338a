"""The sensor `run_alerts` on a real instance, with real runs, and a webhook that listens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from jira_pipeline import loaded_settings
from jira_pipeline.jira.errors import CredentialsRejected
from jira_pipeline.sensors import run_alerts
from jira_pipeline_tests.alerts.listening import Webhook, webhook
from jira_pipeline_tests.dagster_connections import keep_connections

START = "start_date: 2026-11-01\ntracked_projects: []\n"


class Daemon:
    """An instance and the ticks of the sensor, each with the cursor of the one before."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: str | None = None

    def tick(self) -> str:
        """What the sensor says of a tick."""
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor)
        skipped = run_alerts(context)
        assert isinstance(skipped, dg.SkipReason)
        self.cursor = context.cursor
        return skipped.skip_message or ""

    def run(self, job: str = "daily_sync", error: Exception | None = None, **more: Any) -> None:
        """A run of a job of this name that ends like that."""

        @dg.op(config_schema={"projects": dg.Field(list, default_value=[])}, name="sync_issues")
        def step() -> None:
            if error is not None:
                raise error

        @dg.job(name=job, executor_def=dg.in_process_executor)
        def whole() -> None:
            step()

        result = whole.execute_in_process(instance=self.instance, raise_on_error=False, **more)
        assert result.success is (error is None)


@pytest.fixture(scope="module")
def shared_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    keep_connections()
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as instance:
        yield instance


@pytest.fixture
def daemon(shared_instance: dg.DagsterInstance) -> Daemon:
    for record in shared_instance.get_run_records():
        shared_instance.delete_run(record.dagster_run.run_id)
    return Daemon(shared_instance)


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook that the settings name by a variable."""
    with webhook() as hook:
        config = tmp_path / "jira_pipeline.yaml"
        config.write_text(f"{START}alerts: {{webhook_env: HOOK}}\n", encoding="utf-8")
        monkeypatch.setenv("JIRA_PIPELINE_CONFIG", str(config))
        monkeypatch.setenv("JIRA_SERVER", "https://me:pass@acme.example/jira")
        monkeypatch.setenv("HOOK", hook.url)
        yield hook


class Refusing(dg.Config):
    """Whether the step is to fail."""

    refuses: bool = False


REJECTED = CredentialsRejected("acme.example rejected the API token: make a new one.")


def test_one_message_says_what_failed_and_one_that_it_has_recovered(daemon: Daemon, hook: Webhook) -> None:
    daemon.run()
    assert daemon.tick() == "There is nothing new to tell."
    daemon.run(error=REJECTED)
    assert daemon.tick() == "Told: jira_pipeline: daily_sync failed (webhook)."
    daemon.run(error=REJECTED)
    assert daemon.tick() == "There is nothing new to tell."
    daemon.run()
    daemon.tick()
    daemon.tick()

    failed, recovered = hook.texts
    assert failed.startswith(
        "jira_pipeline: daily_sync failed (acme.example).\nacme.example rejected the API token: make"
    )
    assert recovered.startswith("jira_pipeline: daily_sync has recovered (acme.example).\nRun ")


def test_a_receiver_that_is_down_is_told_at_a_later_tick(daemon: Daemon, hook: Webhook) -> None:
    hook.status = 503
    daemon.run(error=REJECTED)
    said = daemon.tick()
    assert said.startswith("The webhook of the alerts answered 503: ")
    assert "s3cr3t" not in said + (daemon.cursor or "")
    assert hook.bodies == []
    hook.status = 200
    daemon.tick()
    assert len(hook.bodies) == 1


def test_a_run_that_is_going_to_be_repeated_is_waited_for(daemon: Daemon, hook: Webhook) -> None:
    daemon.run(error=REJECTED, tags={"dagster/will_retry": "true"})
    daemon.tick()
    assert hook.bodies == []
    daemon.run(error=REJECTED, tags={"dagster/will_retry": "false"})
    daemon.tick()
    assert len(hook.bodies) == 1


def test_a_run_of_some_projects_only_recovers_nothing(daemon: Daemon, hook: Webhook) -> None:
    daemon.run(error=REJECTED)
    daemon.tick()
    daemon.run(run_config={"ops": {"sync_issues": {"config": {"projects": ["APP"]}}}})
    daemon.tick()
    assert len(hook.bodies) == 1


def test_a_run_of_some_assets_recovers_nothing_and_one_of_all_does(daemon: Daemon, hook: Webhook) -> None:
    ends = ("projects", "raw_issues", "published_database")

    @dg.multi_asset(specs=[dg.AssetSpec(name) for name in ends])
    def sync_issues(config: Refusing) -> Iterator[dg.MaterializeResult[None]]:
        if config.refuses:
            raise REJECTED
        yield from (dg.MaterializeResult(asset_key=name) for name in ends)

    @dg.asset
    def alone() -> None: ...

    job = dg.Definitions(
        assets=[sync_issues, alone], jobs=[dg.define_asset_job("daily_sync", executor_def=dg.in_process_executor)]
    ).resolve_job_def("daily_sync")
    ill = {"ops": {"sync_issues": {"config": {"refuses": True}}}}
    assert not job.execute_in_process(run_config=ill, instance=daemon.instance, raise_on_error=False).success
    daemon.tick()
    assert job.execute_in_process(instance=daemon.instance, asset_selection=[dg.AssetKey("alone")]).success
    daemon.tick()
    assert len(hook.bodies) == 1
    everything = list(job.asset_layer.executable_asset_keys)
    assert job.execute_in_process(instance=daemon.instance, asset_selection=everything).success
    daemon.tick()
    assert len(hook.bodies) == 2


def test_an_unexpected_error_is_told_with_its_step_and_first_line(daemon: Daemon, hook: Webhook) -> None:
    daemon.run("reconcile", ValueError("the roof\nis on fire"))
    daemon.tick()
    assert "The step sync_issues failed unexpectedly: ValueError: the roof\nRun " in hook.texts[0]


def test_a_run_that_succeeds_and_leaves_a_project_out_is_told(daemon: Daemon, hook: Webhook) -> None:
    @dg.asset
    def raw_issues() -> None: ...

    @dg.asset_check(asset=raw_issues)
    def every_project_loaded() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"projects": 2, "OPS": "Project OPS is archived: restore it."},
        )

    job = dg.Definitions(
        assets=[raw_issues],
        asset_checks=[every_project_loaded],
        jobs=[dg.define_asset_job("daily_sync", executor_def=dg.in_process_executor)],
    ).resolve_job_def("daily_sync")
    assert job.execute_in_process(instance=daemon.instance).success
    daemon.tick()
    (text,) = hook.texts
    assert text.startswith("jira_pipeline: daily_sync left something out (acme.example).\nOPS: Project OPS is archived")


def test_a_blocking_check_that_failed_is_told_with_what_it_found(daemon: Daemon, hook: Webhook) -> None:
    @dg.asset
    def issues() -> None: ...

    @dg.asset_check(asset=issues, blocking=True)
    def keys_unique() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=False, metadata={"keys with several rows": 3})

    job = dg.Definitions(
        assets=[issues],
        asset_checks=[keys_unique],
        jobs=[dg.define_asset_job("daily_sync", executor_def=dg.in_process_executor)],
    ).resolve_job_def("daily_sync")
    assert not job.execute_in_process(instance=daemon.instance, raise_on_error=False).success
    daemon.tick()
    assert "The check keys_unique of issues failed (keys with several rows: 3): nothing was" in hook.texts[0]


def test_settings_that_break_later_are_told_to_those_they_named_before(
    daemon: Daemon, hook: Webhook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    loaded_settings.alerts_at_load.cache_clear()
    loaded_settings.alerts_at_load()
    (tmp_path / "jira_pipeline.yaml").write_text("alerts: [", encoding="utf-8")
    daemon.run(error=REJECTED)
    daemon.tick()
    loaded_settings.alerts_at_load.cache_clear()
    assert len(hook.bodies) == 1


def test_without_receivers_the_sensor_says_how_to_name_one(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jira_pipeline.yaml").write_text(START, encoding="utf-8")
    monkeypatch.setenv("JIRA_PIPELINE_CONFIG", str(tmp_path / "jira_pipeline.yaml"))
    assert daemon.tick() == "Nobody is to be told: name a receiver under alerts: in jira_pipeline.yaml."

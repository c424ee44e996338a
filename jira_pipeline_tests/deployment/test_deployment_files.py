"""The files in deploy/ are what the programs that read them understand, and they agree with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from jira_pipeline.jobs import WRITES_WAREHOUSE, daily_sync, reconcile

REPOSITORY = Path(__file__).resolve().parents[2]
DEPLOY = REPOSITORY / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))


def read(name: str) -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return read("compose.yaml")


def test_the_command_line_writes_the_settings_for_one_machine() -> None:
    assert (files("jira_pipeline.cli") / "dagster.yaml").read_text() == (DEPLOY / "dagster.yaml").read_text()


def test_dagster_accepts_the_settings_for_one_machine_and_lets_one_run_at_a_time_write(tmp_path: Path) -> None:
    shutil.copy(DEPLOY / "dagster.yaml", tmp_path)

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.tag_concurrency_limits == [{"key": tag, "limit": 1} for tag in WRITES_WAREHOUSE]
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled, "or no job could ask for a retry"
        assert not instance.run_retries_max_retries
    for job in (daily_sync, reconcile):
        assert job.tags.items() >= WRITES_WAREHOUSE.items()


def test_the_settings_for_postgres_differ_in_the_storage_only() -> None:
    postgres = read("postgres/dagster.yaml")

    assert list(postgres.pop("storage")) == ["postgres"]
    assert postgres == read("dagster.yaml")


def test_no_file_holds_a_password() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file() and not path.name.startswith("."):
            for _, value in re.findall(r"(?im)(password|token|secret)\w*:[ ]*(\S.*)$", path.read_text()):
                assert value.startswith(("${", "{env:")), f"{path.name}: {value}"


def test_compose_gives_credentials_and_data_to_the_code_server_only(compose: dict[str, Any]) -> None:
    services = compose["services"]

    assert set(services) == {"postgres", "code", "webserver", "daemon"}
    assert [name for name, service in services.items() if "env_file" in service] == ["code"]
    assert [name for name, service in services.items() if "./data:/data" in service.get("volumes", ())] == ["code"]
    environment = services["code"]["environment"]
    assert environment["JIRA_PIPELINE_DATABASE"].startswith("/data/")
    assert environment["JIRA_PIPELINE_CONFIG"].startswith("/config/")


def test_compose_opens_no_port_to_other_machines(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]

    assert ports == ["127.0.0.1:3000:3000"]


def test_compose_names_what_there_is(compose: dict[str, Any]) -> None:
    services = compose["services"]

    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in compose["volumes"] or source in ("./config", "./data"), (name, volume)
    build = services["code"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).exists()
    assert read("postgres/workspace.yaml")["load_from"][0]["grpc_server"] == {
        "host": "code",
        "port": int(services["code"]["command"][services["code"]["command"].index("--port") + 1]),
        "location_name": "jira_pipeline",
    }


def test_every_process_that_keeps_records_is_told_where_postgres_is(compose: dict[str, Any]) -> None:
    wanted = {entry["env"] for entry in read("postgres/dagster.yaml")["storage"]["postgres"]["postgres_db"].values()
              if isinstance(entry, dict)}  # fmt: skip

    for name in ("code", "webserver", "daemon"):
        assert wanted <= set(compose["services"][name]["environment"]), name


def test_the_image_is_built_from_files_that_there_are_and_that_are_not_ignored() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in re.findall(r"(?m)^COPY (.*)$", dockerfile) for word in line.split()[:-1]]
    allowed = re.findall(r"(?m)^!(.*)$", (DEPLOY / "Dockerfile.dockerignore").read_text())

    assert copied
    for path in copied:
        assert (REPOSITORY / path).exists(), path
        assert path == "." or any(path.startswith(prefix) for prefix in allowed), path
    assert {"jira_pipeline", "setup.cfg", "pyproject.toml", "README.md"} <= set(allowed), "what pip builds it from"


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no compose plugin here")
    shutil.copytree(DEPLOY, tmp_path / "deploy")
    (tmp_path / "deploy" / ".env").write_text("POSTGRES_PASSWORD=secret\n")

    subprocess.run(["docker", "compose", "-f", tmp_path / "deploy" / "compose.yaml", "config", "--quiet"], check=True)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_the_unit_and_its_command_is_there(unit: Path, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/jira_pipeline/.venv/bin", str(programs)))

    found = subprocess.run(
        ["systemd-analyze", "verify", here], capture_output=True, text=True, env={**os.environ, "HOME": str(tmp_path)}
    )

    assert (found.returncode, [line for line in found.stderr.splitlines() if unit.name in line]) == (0, [])

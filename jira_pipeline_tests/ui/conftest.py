"""One `dagster dev` and one site for everything in this directory: starting them takes longer than most of the tests.

The tests are in one group of pytest-xdist, so one worker runs them all.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jira_pipeline.cli.sandbox import recent_site
from jira_pipeline.partitions import newest_partition
from jira_pipeline.sandbox import Sandbox
from jira_pipeline_tests.deployment.processes import DagsterServer, free_port, running

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECTS = ("APP", "OPS", "ORDER")


@dataclass(frozen=True)
class Deployment:
    """A site, what is configured for it, and the Dagster that follows it."""

    sandbox: Sandbox
    server: DagsterServer
    database: Path

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """An answer of the published file."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def day(before_yesterday: int) -> date:
    """A partition: yesterday's is 0."""
    return newest_partition() - timedelta(days=before_yesterday)


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """`dagster dev` on a site of three projects, with the settings of deploy/dagster.yaml and ten partitions."""
    directory = tmp_path_factory.mktemp("dagster_dev")
    home = directory / "dagster_home"
    home.mkdir()
    shutil.copy(REPOSITORY / "deploy" / "dagster.yaml", home)
    shutil.copy(REPOSITORY / "workspace.yaml", directory)
    (directory / "jira_pipeline.yaml").write_text(
        f'start_date: {day(9)}\nschedule: {{daily_sync: "30 2 * * *", time_zone: Europe/Berlin}}\ntracked_projects:\n'
        + "".join(f'  - key: "{key}"\n' for key in PROJECTS)
    )
    with Sandbox(recent_site(seed=2, issues=60, projects=len(PROJECTS)), flavour="cloud") as sandbox:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIRA_", "DAGSTER_"))}
        environment = {
            **kept,
            **sandbox.credentials,
            "DAGSTER_HOME": str(home),
            "JIRA_PIPELINE_CONFIG": str(directory / "jira_pipeline.yaml"),
            "JIRA_PIPELINE_DATABASE": str(directory / "data" / "jira.duckdb"),
        }
        server = DagsterServer(port := free_port())
        command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
        with running(command, directory=directory, environment=environment):
            server.wait_until_loaded()
            yield Deployment(sandbox, server, directory / "data" / "jira.duckdb")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--save-screenshots", action="store_true", help="Put the screenshots of the Dagster UI into docs/images."
    )

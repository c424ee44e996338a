"""One `dagster dev` and one site for everything in this directory: starting them takes longer than most of the tests.

The tests are in one file, which one worker of pytest-xdist runs (`--dist loadfile`).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from jira_pipeline.cli.sandbox import recent_site
from jira_pipeline.partitions import newest_partition
from jira_pipeline.sandbox import Sandbox
from jira_pipeline_tests.deployment.processes import FORKING_RUNS, DagsterServer, free_port, running

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECTS = ("APP", "OPS", "ORDER")

# Debian's package; a browser of another distribution or maker would do as well.
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WHY_NO_BROWSER = (
    "no Chromium here (Debian: apt-get install chromium)"
    if CHROMIUM is None
    else ("" if importlib.util.find_spec("playwright") else "playwright is not installed")
)


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


@pytest.fixture(scope="module")
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
            **FORKING_RUNS,
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


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """A browser without a window. It keeps the UI's scripts, which take it longer than anything else."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
                *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
            ],
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900}, device_scale_factor=1)
        context.set_default_timeout(60_000)
        yield context
        browser.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A page of the browser, which talks to nobody but the UI."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def screenshots(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where screenshots go: to the documentation if asked for, else away."""
    return REPOSITORY / "docs" / "images" if request.config.getoption("--save-screenshots", default=False) else tmp_path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--save-screenshots", action="store_true", help="Put the screenshots of the Dagster UI into docs/images."
    )

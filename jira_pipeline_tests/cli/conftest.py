from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.fork_server import ForkServer

CONFIG = """\
start_date: 2026-11-01
tracked_projects:
  - key: APP
  - key: OPS
"""


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def sentences(self) -> list[str]:
        """The lines on stderr that are meant for the person at the keyboard."""
        return [line for line in self.stderr.splitlines() if line.startswith("jira-pipeline: ")]


Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A site with the projects APP and OPS, which tests of one module share."""
    with Sandbox(generate_site(seed=3, issues=60, projects=2, max_histories=12), flavour="cloud") as running:
        yield running


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """The variables of somebody who has set up everything right; a test breaks one of them."""
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIRA_", "DAGSTER_"))}
    return {
        **kept,
        **sandbox.credentials,
        "JIRA_PIPELINE_CONFIG": str(tmp_path / "jira_pipeline.yaml"),
        "JIRA_PIPELINE_DATABASE": str(tmp_path / "data" / "jira.duckdb"),
        "COLUMNS": "120",
    }


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path, fork_server: ForkServer) -> Run:
    """Run `jira-pipeline` as its users do: in a process of its own."""

    def run_command(*arguments: str, **changed: str | None) -> Outcome:
        variables = {k: v for k, v in {**environment, **changed}.items() if v is not None}
        program = "from jira_pipeline.cli import main; main()"
        process = fork_server.start(program, *arguments, cwd=tmp_path, env=variables)
        printed, said = process.communicate()
        return Outcome(process.wait(), printed, said)

    return run_command

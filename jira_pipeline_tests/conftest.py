"""What every test may rely on."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from jira_pipeline_tests.fork_server import ForkServer


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """What starts programs in processes of their own without their having to import Dagster first."""
    server = ForkServer()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _no_settings_from_the_developers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sets the variables it is about: a developer's own JIRA_* and DAGSTER_HOME must not leak in."""
    for name in [name for name in os.environ if name.startswith("JIRA_") or name == "DAGSTER_HOME"]:
        if name != "JIRA_PIPELINE_SHARED":
            monkeypatch.delenv(name)

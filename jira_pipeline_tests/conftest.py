"""What every test may rely on."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_from_the_developers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sets the variables it is about: a developer's own JIRA_* and DAGSTER_HOME must not leak in."""
    for name in [name for name in os.environ if name.startswith("JIRA_") or name == "DAGSTER_HOME"]:
        if name != "JIRA_PIPELINE_SHARED":
            monkeypatch.delenv(name)

"""Reading a settings file that a test writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import load_config

SMALLEST = "start_date: 2026-11-01\ntracked_projects: []\n"

Write = Callable[[str], Path]


def complaint(path: Path) -> str:
    """What load_config says about the file; the test fails when it says nothing."""
    with pytest.raises(SettingsError) as raised:
        load_config(path)
    return str(raised.value)

"""A place for settings files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline_tests.settings.reading import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "jira_pipeline.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write

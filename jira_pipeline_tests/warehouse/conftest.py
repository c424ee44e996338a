"""A fresh warehouse for every test that loads something."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline_tests.empty_warehouse import empty_warehouse
from jira_pipeline_tests.warehouse.loading import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty warehouse."""
    empty_warehouse(tmp_path)
    return Store(tmp_path)

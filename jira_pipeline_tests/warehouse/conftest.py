"""A fresh warehouse for every test that loads something."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline_tests.warehouse.loading import Store


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The working file of a warehouse with all its tables and no rows, made once because that takes a while."""
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "jira.duckdb")
    warehouse.prepare()
    return warehouse.working


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Store:
    """An empty warehouse."""
    found = Store(tmp_path)
    shutil.copy(empty_database, found.warehouse.working)
    return found

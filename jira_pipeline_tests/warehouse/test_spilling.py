"""What finds no room in memory goes to the disk of the database, wherever the pipeline has been started."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline_tests.empty_warehouse import empty_warehouse

LARGER_THAN_MEMORY = """
CREATE TEMP TABLE large AS
SELECT hash(i)::VARCHAR || hash(i + 1)::VARCHAR || hash(i + 2)::VARCHAR AS text FROM range(600000) numbers(i)
"""


def spilled_bytes(warehouse: Warehouse) -> int:
    """How much lies beside the database while a connection needs more memory than it may have."""
    with warehouse.connection() as connection:
        connection.execute("SET GLOBAL memory_limit = '25MB'")
        try:
            connection.execute(LARGER_THAN_MEMORY)
            directories = [path for path in warehouse.working.parent.iterdir() if path.is_dir()]
            return sum(file.stat().st_size for directory in directories for file in directory.iterdir())
        finally:
            connection.execute("DROP TABLE IF EXISTS large")
            connection.execute("SET GLOBAL memory_limit = '1GB'")


def test_each_database_has_what_is_spilled_beside_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    warehouses = {name: empty_warehouse(tmp_path / name) for name in ("one", "other")}

    for name in ("one", "other", "one"):
        assert spilled_bytes(warehouses[name]) > 1_000_000, name

    assert list(elsewhere.iterdir()) == []

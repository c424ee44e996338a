"""A warehouse with all its tables and no rows, by copying a file: making the tables takes longer than most tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from jira_pipeline.warehouse.database import Warehouse


def empty_warehouse(directory: Path) -> Warehouse:
    """One in this directory, which is made if need be; what is stored in it already stays."""
    warehouse = Warehouse(directory / "jira.duckdb")
    if not warehouse.working.exists():
        directory.mkdir(parents=True, exist_ok=True)
        warehouse.working.write_bytes(_prepared())
    return warehouse


@cache
def _prepared() -> bytes:
    with TemporaryDirectory() as directory:
        warehouse = Warehouse(Path(directory) / "jira.duckdb")
        warehouse.prepare()
        return warehouse.working.read_bytes()

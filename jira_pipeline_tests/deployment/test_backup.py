"""A backup is a copy of the published file, made at any time; the working file is made from it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.end_to_end.pipeline import Pipeline, assert_same_tables


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(seed=8, issues=30, projects=2), flavour="cloud") as running:
        yield running


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path) -> Pipeline:
    """A pipeline that has synced, derived and published."""
    found = Pipeline(sandbox, tmp_path / "data")
    found.sync()
    found.derive()
    found.warehouse.publish()
    return found


def issues_in(path: Path) -> int:
    with duckdb.connect(str(path), read_only=True) as connection:
        ((issues,),) = connection.execute("SELECT count(*) FROM issues").fetchall()
    return int(issues)


def test_a_copy_that_is_under_way_while_a_run_publishes_is_the_whole_file_as_it_was(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    """As `cp` does it: open, read on, write."""
    published, backup = pipeline.warehouse.published, tmp_path / "backup.duckdb"
    before = published.read_bytes()

    with published.open("rb") as source, backup.open("wb") as target:
        target.write(source.read(1 << 16))
        with pipeline.warehouse.transaction() as connection:
            connection.execute("DELETE FROM issues")
        pipeline.warehouse.publish()
        shutil.copyfileobj(source, target)

    assert backup.read_bytes() == before
    assert issues_in(backup) == 30
    assert issues_in(published) == 0


def test_what_is_restored_goes_on_from_where_the_backup_was_made(pipeline: Pipeline, tmp_path: Path) -> None:
    warehouse, backup = pipeline.warehouse, tmp_path / "backup.duckdb"
    shutil.copy(warehouse.published, backup)
    expected = pipeline.tables()
    shutil.rmtree(warehouse.published.parent)

    warehouse.published.parent.mkdir()
    shutil.copy(backup, warehouse.published)
    shutil.copy(backup, warehouse.working)

    assert_same_tables(pipeline.tables(), expected)
    outcomes = pipeline.sync()
    assert {outcome.mode for outcome in outcomes.values()} == {"incremental"}
    warehouse.publish()
    assert issues_in(warehouse.published) == 30

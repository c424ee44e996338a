"""Whatever somebody does with the published file, the next publishing works."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.durability.processes import REPOSITORY
from jira_pipeline_tests.soak.follower import Follower


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(14, issues=20, projects=1, max_histories=5)) as sandbox:
        yield sandbox


@pytest.fixture
def follower(sandbox: Sandbox, tmp_path: Path) -> Follower:
    """Synced and published once."""
    follower = Follower(sandbox, tmp_path, ["APP"])
    sync_and_publish(follower)
    return follower


def sync_and_publish(follower: Follower) -> None:
    outcomes = follower.sync(follower.newest_partition, follower.newest_partition)
    assert {outcome.error for outcome in outcomes} == {None}
    follower.warehouse.publish()


def published_issues(follower: Follower) -> int:
    with follower.warehouse.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM issues").fetchall()[0][0])


def test_somebody_who_writes_to_it_hinders_neither_publishing_nor_new_readers(
    sandbox: Sandbox, follower: Follower
) -> None:
    program = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("CREATE TABLE mine AS SELECT 1 AS x")
print("writing", flush=True)
sys.stdin.readline()
connection.execute("INSERT INTO mine VALUES (2)")
connection.close()
"""
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(follower.warehouse.published)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "writing\n"
    sandbox.create_issue("APP", summary="Meanwhile")

    sync_and_publish(follower)

    assert published_issues(follower) == 21
    other.communicate("\n", timeout=60)
    assert published_issues(follower) == 21  # what the other one wrote has gone with the old copy
    sync_and_publish(follower)
    assert published_issues(follower) == 21


@pytest.mark.parametrize("content", [b"", b"something else altogether" * 1000])
def test_a_file_of_another_kind_in_its_place_is_replaced(follower: Follower, content: bytes) -> None:
    follower.warehouse.published.unlink()
    follower.warehouse.published.write_bytes(content)

    sync_and_publish(follower)

    assert published_issues(follower) == 20


def test_a_published_file_that_was_deleted_comes_back(follower: Follower) -> None:
    follower.warehouse.published.unlink()

    sync_and_publish(follower)

    assert published_issues(follower) == 20

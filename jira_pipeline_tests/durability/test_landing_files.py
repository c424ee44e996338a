"""Landing files that are damaged between being written and being loaded: nothing wrong is stored, and the next run
completes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.sync.fetch import Landed
from jira_pipeline.warehouse.run_store import RunStore
from jira_pipeline_tests.soak.comparison import untruths
from jira_pipeline_tests.soak.follower import Follower

PROJECTS = ("10000", "10001")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(7, issues=60, projects=2, max_histories=30)) as sandbox:
        yield sandbox


@pytest.fixture
def follower(sandbox: Sandbox, tmp_path: Path) -> Follower:
    return Follower(sandbox, tmp_path, ["APP", "OPS"])


def cut(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def cut_all(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) * 2 // 3] ^= 0x10
    file.write_bytes(bytes(data))


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize(
    ("which", "damage"),
    [
        ("heads", cut_all),
        ("payloads", flip),
        ("payloads", cut),
        ("histories", cut),
        ("histories", flip),
        ("mentions", cut_all),
        ("mentions", flip),
        ("heads", remove),
    ],
)
def test_the_project_fails_with_a_clear_sentence_and_the_other_one_is_stored(
    sandbox: Sandbox,
    follower: Follower,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[Path], None],
    which: str,
) -> None:
    add = RunStore.add

    def add_damaged(store: RunStore, landed: Landed) -> None:
        if landed.plan.project.key == "OPS":
            damage(getattr(landed.file, which))
        add(store, landed)

    monkeypatch.setattr(RunStore, "add", add_damaged)
    newest = follower.newest_partition

    outcomes = {outcome.project_key: outcome for outcome in follower.sync(newest, newest)}

    assert outcomes["APP"].error is None
    assert str(outcomes["OPS"].error).startswith("What was fetched of OPS could not be stored: ")
    assert str(outcomes["OPS"].error).endswith("untouched, and the next run fetches it again.")
    assert follower.rows("SELECT DISTINCT project_key FROM raw_issues") == [("APP",)]
    assert follower.rows("SELECT count(*) FROM issue_changes ANTI JOIN raw_issues USING (issue_id)") == [(0,)]
    assert follower.rows(
        "SELECT sync_status, synced_through, last_sync_error IS NOT NULL FROM ops.tracked_projects "
        "WHERE project_key = 'OPS'"
    ) == [("error", None, True)]
    assert not list(follower.warehouse.landing.iterdir())

    monkeypatch.undo()
    assert {outcome.error for outcome in follower.sync(newest, newest)} == {None}
    assert untruths(follower, sandbox, PROJECTS) == []

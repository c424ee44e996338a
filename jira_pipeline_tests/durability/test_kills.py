"""A sync that is killed at any moment loses nothing that was stored, and the next one completes."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from pathlib import Path

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.durability.conftest import Killing
from jira_pipeline_tests.durability.processes import Remains, finish, project_keys, start_sync
from jira_pipeline_tests.fork_server import ForkServer
from jira_pipeline_tests.soak.comparison import untruths

_SEED = 11


def test_kills_at_random_moments_lose_nothing_and_one_more_run_ends_equal_to_the_truth(
    fork_server: ForkServer, tmp_path: Path, killing: Killing
) -> None:
    dice = random.Random(_SEED)
    with Sandbox(generate_site(_SEED, issues=killing.issues, projects=5, max_histories=8)) as sandbox:
        sandbox.prepare()
        ids = [int(issue["id"]) for issue in sandbox.issues()]
        duration = _duration_of_a_whole_sync(fork_server, sandbox, tmp_path / "undisturbed")
        remains = Remains(tmp_path / "killed")
        stored: set[int] = set()
        published = 0
        killed = 0
        while killed < killing.kills:
            process = start_sync(fork_server, sandbox, tmp_path / "killed")
            # The first ones early, before anything is stored; later ones anywhere, the very end included.
            try:
                process.wait(duration * dice.uniform(0.0, 1.2))
            except subprocess.TimeoutExpired:
                process.kill()
            finish(process)
            assert process.returncode in (0, -signal.SIGKILL)
            killed += process.returncode == -signal.SIGKILL

            found = remains.stored()
            assert found >= stored
            stored = found
            shown = remains.published_rows("SELECT issue_id FROM issues")
            assert len(shown) == len(set(shown)) >= published
            published = len(shown)
            for issue_id in dice.sample(ids, 20):  # so that the next run has something to write
                sandbox.update_issue(str(issue_id), summary=f"After kill {killed}: {dice.random()}")

        assert finish(start_sync(fork_server, sandbox, tmp_path / "killed")) == (0, "")
        tracked = tuple({issue["fields"]["project"]["id"] for issue in sandbox.issues()})
        assert len(tracked) == len(project_keys(sandbox)) == 5
        assert untruths(remains, sandbox, tracked) == []
        assert len(remains.published_rows("SELECT issue_id FROM issues")) == killing.issues
        assert not list(remains.warehouse.landing.iterdir())


def _duration_of_a_whole_sync(fork_server: ForkServer, sandbox: Sandbox, directory: Path) -> float:
    process = start_sync(fork_server, sandbox, directory)
    started = time.monotonic()
    assert finish(process) == (0, "")
    return time.monotonic() - started

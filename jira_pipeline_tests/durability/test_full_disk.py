"""A full disk ends the run with a clear sentence, and the next one completes; nothing that was stored is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.durability.processes import Remains, finish, start_sync
from jira_pipeline_tests.fork_server import ForkServer
from jira_pipeline_tests.soak.comparison import untruths

_SIZE = 64 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MB."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run([mount, "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", place], check=False).returncode:
        pytest.skip("this machine does not allow a small disk to be mounted")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(disk: Path, leaving: int) -> Path:
    """A file that takes all the room but so many bytes."""
    filler = disk / "filler"
    filler.write_bytes(b"\0" * max(0, shutil.disk_usage(disk).free - leaving))
    return filler


@pytest.mark.parametrize("leaving", [0, 300_000, 2_400_000])
def test_nothing_is_lost_and_the_next_run_completes(fork_server: ForkServer, small_disk: Path, leaving: int) -> None:
    """Full from the beginning, while files land or are loaded, and while the copy is made."""
    with Sandbox(generate_site(13, issues=500, projects=2, max_histories=8)) as sandbox:
        assert finish(start_sync(fork_server, sandbox, small_disk)) == (0, "")
        remains = Remains(small_disk)
        before, shown = remains.stored(), remains.published_rows("SELECT count(*) FROM issues")
        assert len(before) == 500
        for issue in sandbox.issues():
            sandbox.update_issue(issue["id"], description="All is new. " * 100, labels=["changed"])
        filler = fill(small_disk, leaving)

        exit_code, said = finish(start_sync(fork_server, sandbox, small_disk))

        assert exit_code in (1, 2)
        assert said.count("\n") == said.count("jira-pipeline: ") >= 1
        assert "make room there" in said or "No space left on device" in said
        assert "Traceback" not in said
        filler.unlink()
        assert remains.stored() == before
        assert remains.published_rows("SELECT count(*) FROM issues") == shown
        assert finish(start_sync(fork_server, sandbox, small_disk)) == (0, "")
        assert untruths(remains, sandbox, ("10000", "10001")) == []
        assert remains.published_rows("SELECT count(*) FROM issues WHERE labels = ['changed']") == [(500,)]

"""What every test may rely on."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from jira_pipeline_tests.fork_server import ForkServer

_TESTS = Path(__file__).parent
# Databases wait for the disk at each commit, and no test is about a computer that loses its power.
_MEMORY = Path("/dev/shm")
_ROOM = 8 << 30  # bytes: four times of what a run of all tests leaves there
# In minutes, not in number of tests. They come first, so that two processes end at about the same time.
_LONGEST = tuple(
    _TESTS / name
    for name in (
        "ui/test_dagster_ui.py",
        "deployment/test_postgres.py",
        "end_to_end/test_daily_job.py",
        "cli/test_reconcile.py",
        "soak/test_soak.py",
        "end_to_end/test_incremental.py",
        "cli/test_sync.py",
        "test_secrets.py",
        "end_to_end/test_real_data.py",
        "warehouse/flow/test_incremental.py",
        "durability/test_full_disk.py",
        "durability/test_kills.py",
        "cli/test_demo.py",
        "cli/test_wrong_settings.py",
        "cli/test_status.py",
        "cli/test_projects.py",
    )
)


def pytest_configure() -> None:
    """Temporary files are made in memory, where there is a lot of it and nobody has said another place."""
    if _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))
    gc.disable()


def pytest_collection_finish() -> None:
    """What has been imported stays: looking through it for garbage was a tenth of the processor time."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    assert all(path.exists() for path in _LONGEST)
    rank = {path: number for number, path in enumerate(_LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="session")
def fork_server() -> Iterator[ForkServer]:
    """What starts programs in processes of their own without their having to import Dagster first."""
    server = ForkServer()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _no_settings_from_the_developers_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sets the variables it is about: a developer's own JIRA_* and DAGSTER_HOME must not leak in."""
    for name in [name for name in os.environ if name.startswith("JIRA_") or name == "DAGSTER_HOME"]:
        if name != "JIRA_PIPELINE_SHARED":
            monkeypatch.delenv(name)

"""How often a sync is killed: a few times in the usual tests, 40 times on a larger site when asked for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Killing:
    """So many kills of syncs of so many issues."""

    kills: int
    issues: int


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, metavar="N", help="Kill N syncs of 20,000 issues (default: 4 syncs of 1,000 issues)."
    )


@pytest.fixture
def killing(request: pytest.FixtureRequest) -> Killing:
    """What is asked for."""
    # Absent when these tests are collected from above: options come from the conftest files of the paths given.
    kills = request.config.getoption("--kills", default=None)
    return Killing(kills, 20_000) if kills else Killing(4, 1_000)

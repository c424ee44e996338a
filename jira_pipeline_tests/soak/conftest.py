"""How long the soak test lasts: two short seeds unless more are asked for."""

from __future__ import annotations

import os

import pytest

from jira_pipeline.jira import cloud, datacenter
from jira_pipeline.sync import walk_scheduler
from jira_pipeline_tests.soak.scenario import Scenario

_SHORT_SEEDS, _SHORT_DAYS = 2, 20
_DAYS = 60


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--soak-seeds",
        type=int,
        metavar="N",
        help="Simulate N sites for 60 days each (default: 2 sites for 20 days; also SOAK_SEEDS in the environment).",
    )
    parser.addoption("--soak-first", type=int, default=1, metavar="SEED", help="The first of the seeds (default: 1).")


def _seeds_asked_for(config: pytest.Config) -> int:
    # Absent when these tests are collected from above: options come from the conftest files of the paths given.
    return config.getoption("--soak-seeds", default=None) or int(os.environ.get("SOAK_SEEDS", 0))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "scenario" not in metafunc.fixturenames:
        return
    asked = _seeds_asked_for(metafunc.config)
    first = metafunc.config.getoption("--soak-first", default=1)
    days = _DAYS if asked else _SHORT_DAYS
    scenarios = [Scenario.of(seed, days) for seed in range(first, first + (asked or _SHORT_SEEDS))]
    metafunc.parametrize("scenario", scenarios, ids=str)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many pages and as many cut walks with a few dozen issues as a real site has with thousands."""
    for dialect in (cloud, datacenter):
        monkeypatch.setattr(dialect, "_PAGE", 6)
        monkeypatch.setattr(dialect, "_ID_PAGE", 8)
    monkeypatch.setattr(walk_scheduler, "_WORTH_SPLITTING", 4)
    monkeypatch.setattr(walk_scheduler, "_PAGES_OF_A_LARGE_PROJECT", 1)


@pytest.fixture
def _takes_long(request: pytest.FixtureRequest) -> None:
    """For tests that only run when seeds are asked for."""
    if not _seeds_asked_for(request.config):
        pytest.skip("takes minutes: part of `make soak`")

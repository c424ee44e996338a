"""Weeks of changes, faults, missed and repeated runs end in the tables of a fresh full sync, and in the truth."""

from __future__ import annotations

from pathlib import Path

from jira_pipeline_tests.soak.scenario import Scenario
from jira_pipeline_tests.soak.simulation import simulate


def test_nothing_is_lost_or_doubled_or_wrong_in_the_end(scenario: Scenario, tmp_path: Path) -> None:
    assert simulate(scenario, tmp_path) == []

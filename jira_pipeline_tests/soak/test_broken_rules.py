"""A test of the soak test: a pipeline with one rule broken does not get through it.

How threads take turns is not in a seed, so a loss may be missed by one: as many as the soak test has are tried.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline_tests.soak.broken_rules import BROKEN_RULES, Break
from jira_pipeline_tests.soak.scenario import Scenario
from jira_pipeline_tests.soak.simulation import simulate

_SEEDS = range(1, 21)  # most rules are found out by the first; a missing overlap only by every seventh or so
_DAYS = 14


@pytest.mark.usefixtures("_takes_long")
@pytest.mark.parametrize("break_rule", BROKEN_RULES, ids=lambda rule: rule.__name__)
def test_a_broken_rule_is_found_out_within_a_few_seeds(
    break_rule: Break, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_rule(monkeypatch)

    assert any(simulate(Scenario.of(seed, _DAYS), tmp_path / str(seed)) for seed in _SEEDS)

"""The check `matching_coverage`: whether enough of the assigned issues are a team member's."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from jira_pipeline.checks import matching_coverage
from jira_pipeline.resources import TrackedProjectsResource, WarehouseResource

ROSTER = "team_members: [{name: Ana Ruiz, email: ana@example.com}]\n"


def evaluate(tmp_path: Path, *, roster: str, matched: int, unmatched: int) -> dg.AssetCheckResult:
    """The check on a roster, and on a member, another person and a bot with so many issues each."""
    config = tmp_path / "jira_pipeline.yaml"
    config.write_text(f"start_date: 2026-11-01\ntracked_projects: []\n{roster}", encoding="utf-8")
    warehouse = WarehouseResource(database=str(tmp_path / "jira.duckdb"))
    with warehouse.get_connection() as connection:
        connection.executemany(
            "INSERT INTO matched_assignees BY NAME SELECT ? AS user_id, ? AS is_matched, ? AS unmatched_reason, "
            "? AS assigned_issues",
            [
                ("u1", True, None, matched),
                ("u2", False, "no_email", unmatched),
                ("u3", False, "not_a_person", 1000),
            ],
        )
    result = matching_coverage(tracked_projects=TrackedProjectsResource(config_path=str(config)), warehouse=warehouse)
    assert isinstance(result, dg.AssetCheckResult)
    assert result.severity is dg.AssetCheckSeverity.WARN
    return result


@pytest.mark.parametrize(("matched", "unmatched", "passed"), [(8, 2, True), (7, 2, False), (0, 0, True), (0, 1, False)])
def test_four_of_five_assigned_issues_are_enough(tmp_path: Path, matched: int, unmatched: int, passed: bool) -> None:
    assert evaluate(tmp_path, roster=ROSTER, matched=matched, unmatched=unmatched).passed is passed


@pytest.mark.parametrize(("share", "passed"), [(70, True), (71, False)])
def test_the_share_is_a_setting(tmp_path: Path, share: int, passed: bool) -> None:
    settings = f"{ROSTER}matching_coverage: {share}\n"
    assert evaluate(tmp_path, roster=settings, matched=7, unmatched=3).passed is passed


def test_without_a_roster_there_is_nothing_to_cover(tmp_path: Path) -> None:
    assert evaluate(tmp_path, roster="", matched=0, unmatched=5).passed

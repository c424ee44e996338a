"""`users unmatched` from the outside: the report, and a CSV that is a roster once it is filled in."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from jira_pipeline.settings import load_config
from jira_pipeline_tests.empty_warehouse import empty_warehouse

from .conftest import CONFIG, Run

ROSTER = "team_members:\n  - {name: Ana Ruiz, email: ana.ruiz@example.com, team: Payments}\n"


@pytest.fixture
def _matched(environment: dict[str, str], tmp_path: Path) -> None:
    """A database in which one of four users with issues is a team member."""
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG + ROSTER, encoding="utf-8")
    warehouse = empty_warehouse(Path(environment["JIRA_PIPELINE_DATABASE"]).parent)
    with warehouse.transaction() as connection:
        connection.executemany(
            "INSERT INTO matched_assignees BY NAME SELECT ? AS user_id, ? AS display_name, ? AS email_address, "
            "? AS is_matched, ? AS unmatched_reason, ? AS assigned_issues, ? AS open_issues",
            [
                ("u1", "Ana Ruiz", "ana.ruiz@example.com", True, None, 6, 1),
                ("u2", "=HYPERLINK(1)", None, False, "no_email", 3, 2),
                ("+3", "Bo, Lindt", "anaruiz@example.org", False, "no_team_member", 5, 0),
                ("u4", "Deploy Bot", None, False, "not_a_person", 9, 9),
                ("u5", "Idle", "idle@example.com", False, "no_team_member", 0, 0),
            ],
        )
    warehouse.publish()


@pytest.mark.usefixtures("_matched")
def test_who_is_unmatched_is_told_with_the_issues_and_with_suggestions(run: Run) -> None:
    outcome = run("users", "unmatched", "--json")
    assert outcome.exit_code == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    assert (told["matched"], told["assigned"]) == (6, 14), "the bot's issues are nobody's"
    assert [(u["user_id"], u["unmatched_reason"], u["assigned_issues"]) for u in told["unmatched"]] == [
        ("u4", "not_a_person", 9),
        ("+3", "no_team_member", 5),
        ("u2", "no_email", 3),
        ("u5", "no_team_member", 0),
    ]
    assert told["unmatched"][1]["suggestions"] == [
        {"member_name": "Ana Ruiz", "reason": "similar address ana.ruiz@example.com"}
    ]


@pytest.mark.usefixtures("_matched")
def test_the_csv_is_the_roster_once_it_is_filled_in(run: Run, tmp_path: Path) -> None:
    outcome = run("users", "unmatched", "--csv", "team.csv")
    assert outcome.exit_code == 0, outcome.stderr
    assert "6 of 14 assigned issues are a team member's (43%)." in outcome.stdout
    assert "1 unmatched users have no issues assigned; --json lists them." in outcome.stdout
    path = tmp_path / "team.csv"
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["name"], r["email"], r["team"], r["jira_account_id"], r["display_name"]) for r in rows] == [
        ("Ana Ruiz", "ana.ruiz@example.com", "Payments", "", ""),
        ("", "anaruiz@example.org", "", "'+3", "Bo, Lindt"),
        ("", "", "", "u2", "'=HYPERLINK(1)"),
    ]
    assert rows[1]["suggestion"] == "Ana Ruiz? (similar address ana.ruiz@example.com)"

    refused = run("users", "unmatched", "--csv", "team.csv")
    assert refused.exit_code == 2
    assert "team.csv is there already and may have been filled in" in refused.sentences[0]

    rows[1]["name"], rows[1]["team"] = "Bo Lindt", "Search"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[:2])
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG + "team_members: team.csv\n", encoding="utf-8")
    members = load_config(tmp_path / "jira_pipeline.yaml").team_members
    assert [(m.name, m.email, m.team, m.jira_account_id) for m in members] == [
        ("Ana Ruiz", "ana.ruiz@example.com", "Payments", None),
        ("Bo Lindt", "anaruiz@example.org", "Search", "+3"),
    ]


def test_before_the_first_sync_it_says_what_to_do(run: Run) -> None:
    outcome = run("users", "unmatched")
    assert outcome.exit_code == 2
    assert "run `jira-pipeline sync` first" in outcome.sentences[0]

"""The team roster, in the settings file or as a CSV file beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jira_pipeline.settings import TeamMember, load_config
from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint

WRONG_MEMBERS = [
    ("- Ana", 4, "[0]", "must be a mapping (of name, email, team, jira_account_id, aliases), not 'Ana'"),
    ("- {email: ana@example.com}", 4, "[0].name", "is missing; add the person's name"),
    ("- name: Null", 4, "[0].name", 'YAML reads Null as nothing, not as text; quote it: "Null"'),
    ("- {name: Ana, e-mail: ana@example.com}", 4, "[0].e-mail", "did you mean 'email'?"),
    ("- {name: Ana, email: n/a}", 4, "[0].email", "'n/a' is not an e-mail address"),
    ("- {name: Ana, aliases: ana}", 4, "[0].aliases", "must be a list, not 'ana'"),
]


@pytest.mark.parametrize(("members", "line", "key", "told"), WRONG_MEMBERS)
def test_a_wrong_team_member_is_told_with_its_line_and_key(
    write: Write, members: str, line: int, key: str, told: str
) -> None:
    path = write(f"{SMALLEST}team_members:\n{members}\n")
    message = complaint(path)
    assert message.startswith(f"{path}, line {line}, team_members{key}: ")
    assert told in message


HEADER = "name,email,team,jira_account_id,aliases\n"
RosterOf = Callable[[str], Path]


@pytest.fixture
def roster_of(tmp_path: Path, write: Write) -> RosterOf:
    """Writes a roster and a settings file beside it that names it, and returns the path of the settings file."""

    def roster_of(csv: str) -> Path:
        (tmp_path / "team.csv").write_text(csv, encoding="utf-8")
        return write(f"{SMALLEST}team_members: team.csv\n")

    return roster_of


def test_the_roster_may_be_a_csv_file_beside_the_settings(roster_of: RosterOf) -> None:
    path = roster_of(
        HEADER
        + 'Ana Ruiz, ana@example.com ,Payments,,"aruiz@example.com; aruiz"\n'
        + "\n"
        + '"Ruiz, Bo",,,557058:abc,\n'
    )
    assert load_config(path).team_members == (
        TeamMember("Ana Ruiz", "ana@example.com", "Payments", None, ("aruiz@example.com", "aruiz")),
        TeamMember("Ruiz, Bo", None, None, "557058:abc", ()),
    )


def test_a_spreadsheets_roster_is_read_with_byte_order_mark_windows_lines_and_columns_of_its_own(
    roster_of: RosterOf,
) -> None:
    path = roster_of("\ufeffTeam , Name,email,office,jira_account_id,Aliases,,\r\nPayments,Ana,,Oslo,,,,\r\n")
    assert load_config(path).team_members == (TeamMember("Ana", team="Payments"),)


@pytest.mark.parametrize(
    ("csv", "line", "key", "told"),
    [
        ("", 1, "header", "has no column name, email, team, jira_account_id, aliases"),
        ("name;email;team;jira_account_id;aliases\n", 1, "header", "must be like name,email,team,"),
        ("name,email,team\n", 1, "header", "has no column jira_account_id, aliases"),
        ("name,Email,email,team,jira_account_id,aliases\n", 1, "header", "has the column email more than once"),
        (f"{HEADER}Ana,ana@example.com\n", 2, "row", "has 2 cells and the header 5"),
        (f"{HEADER}Ruiz, Ana,,,,\n", 2, "row", "has 6 cells and the header 5; quote cells that contain a comma"),
        (f'{HEADER}"Ana,,,,\n', 2, "row", "is not CSV"),
        (f"{HEADER},ana@example.com,,,\n", 2, "name", "is empty"),
        (f"{HEADER}Ana,,,,\nBo,bo at example,,,\n", 3, "email", "'bo at example' is not an e-mail address"),
    ],
)
def test_a_wrong_roster_is_told_with_its_own_file_and_line(
    roster_of: RosterOf, csv: str, line: int, key: str, told: str
) -> None:
    path = roster_of(csv)
    message = complaint(path)
    assert message.startswith(f"{path.parent / 'team.csv'}, line {line}, {key}: ")
    assert told in message


def test_problems_of_settings_and_roster_are_told_together(tmp_path: Path, write: Write) -> None:
    (tmp_path / "team.csv").write_text(f"{HEADER},ana@example.com,,,\n", encoding="utf-8")
    message = complaint(write(f"{SMALLEST}team_members: team.csv\ntime_zone: Mars\n"))
    assert "has 2 problems" in message
    assert f"{tmp_path / 'team.csv'}, line 2, name: " in message
    assert "line 4, time_zone: " in message


def test_a_missing_roster_is_told_where_it_is_named(tmp_path: Path, write: Write) -> None:
    path = write(f"{SMALLEST}team_members: absent.csv\n")
    told = f"{path}, line 3, team_members: {tmp_path / 'absent.csv'} does not exist: write the roster there"
    assert complaint(path).startswith(told)


def test_a_roster_that_is_not_utf_8_is_told_with_both_lines(tmp_path: Path, write: Write) -> None:
    (tmp_path / "team.csv").write_bytes(f"{HEADER}Zo\xeb,,,,\n".encode("latin-1"))
    path = write(f"{SMALLEST}team_members: team.csv\n")
    told = f"{path}, line 3, team_members: {tmp_path / 'team.csv'}, line 2: the text is not UTF-8"
    assert complaint(path).startswith(told)

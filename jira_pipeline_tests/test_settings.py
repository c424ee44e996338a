"""jira_pipeline.yaml: what it means, and what is told about each thing that can be wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import (
    CycleTimeClock,
    SyncSettings,
    TeamMember,
    TrackedProject,
    Workflow,
    config_path_from,
    database_path_from,
    load_config,
)

SMALLEST = "start_date: 2026-11-01\ntracked_projects: []\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a settings file and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "jira_pipeline.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def complaint(path: Path) -> str:
    """What load_config says about the file; the test fails when it says nothing."""
    with pytest.raises(SettingsError) as raised:
        load_config(path)
    return str(raised.value)


# What the file means


def test_the_smallest_file_gives_the_documented_defaults(write: Write) -> None:
    path = write(SMALLEST)
    config = load_config(path)
    assert config.path == path
    assert config.start_date == date(2026, 11, 1)
    assert config.tracked_projects == ()
    assert config.time_zone == "UTC"
    assert config.team_members == ()
    assert config.cycle_time == CycleTimeClock(start="created", stop="resolved")
    assert config.workflow == Workflow(started=(), done=(), waiting=())
    assert config.sync == SyncSettings(overlap_hours=12, concurrency=8)


def test_every_setting_is_read(write: Write) -> None:
    config = load_config(
        write(
            """\
start_date: 2026-11-01
time_zone: Europe/Berlin
tracked_projects:
  - key: APP
  - id: "10000"
    active: false
    story_points_field: customfield_10016
  - {key: web, id: 10001}
team_members:
  - {name: Ana Ruiz, email: ana@example.com, team: Payments, jira_account_id: null, aliases: [aruiz@example.com]}
  - name: Bo
cycle_time: {from: started, to: done}
workflow:
  started: [In Progress, 3]
  done: [Released]
  waiting: ["10004", Ready for QA]
sync: {overlap_hours: 0.5, concurrency: 32}
"""
        )
    )
    assert config.time_zone == "Europe/Berlin"
    assert config.tracked_projects == (
        TrackedProject(key="APP", id=None, active=True, story_points_field=None),
        TrackedProject(key=None, id="10000", active=False, story_points_field="customfield_10016"),
        TrackedProject(key="WEB", id="10001"),
    )
    assert config.team_members == (
        TeamMember("Ana Ruiz", "ana@example.com", "Payments", jira_account_id=None, aliases=("aruiz@example.com",)),
        TeamMember("Bo", email=None, team=None, jira_account_id=None, aliases=()),
    )
    assert config.cycle_time == CycleTimeClock(start="started", stop="done")
    assert config.workflow == Workflow(
        started=("In Progress", "3"), done=("Released",), waiting=("10004", "Ready for QA")
    )
    assert config.sync == SyncSettings(overlap_hours=0.5, concurrency=32)


@pytest.mark.parametrize("key", ["time_zone", "team_members", "cycle_time", "workflow", "sync"])
def test_an_optional_key_left_empty_keeps_its_default(write: Write, key: str) -> None:
    assert load_config(write(f"{SMALLEST}{key}:\n")) == load_config(write(SMALLEST))


def test_anchors_aliases_and_merges_are_understood(write: Write) -> None:
    config = load_config(
        write(
            """\
start_date: 2026-11-01
tracked_projects:
  - &first {key: APP, active: false, story_points_field: customfield_1}
  - {<<: *first, key: WEB}
workflow: {started: &busy [Doing], waiting: *busy}
"""
        )
    )
    assert config.tracked_projects == (
        TrackedProject("APP", active=False, story_points_field="customfield_1"),
        TrackedProject("WEB", active=False, story_points_field="customfield_1"),
    )
    assert config.workflow == Workflow(started=("Doing",), waiting=("Doing",))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    path.write_text(SMALLEST, encoding="utf-8-sig")
    assert load_config(path).start_date == date(2026, 11, 1)


# What is told about a wrong one: the line, the key, what to do

WRONG_VALUES = [
    ("tracked_projects: []", 1, "start_date", "is missing; add start_date: YYYY-MM-DD"),
    ("start_date: 2026-11-01", 1, "tracked_projects", "is missing; add tracked_projects: []"),
    ("start_date: 2026-11-01\ntracked_projects:", 2, "tracked_projects", "is empty; write tracked_projects: []"),
    (f"{SMALLEST}time_zome: UTC", 3, "time_zome", "did you mean 'time_zone'?"),
    (f"{SMALLEST}colour: red", 3, "colour", "the known keys are start_date, time_zone"),
    (f"{SMALLEST}sync: {{overlap: 3}}", 3, "sync.overlap", "did you mean 'overlap_hours'?"),
    (f"{SMALLEST}cycle_time: {{start: created}}", 3, "cycle_time.start", "the known keys are from, to"),
    (f"{SMALLEST}workflow: {{Done: [x]}}", 3, "workflow.Done", "did you mean 'done'?"),
    (f"{SMALLEST}? [a, b]\n: 1", 3, "a list", "is not a key of this file"),
    (f"{SMALLEST}start_date: 2026-11-02", 3, "start_date", "already given on line 1"),
    (f"{SMALLEST}sync: {{concurrency: 3, concurrency: 4}}", 3, "sync.concurrency", "already given on line 3"),
    ("start_date: soon\ntracked_projects: []", 1, "start_date", "must be a day of the calendar as YYYY-MM-DD"),
    ("start_date: 2026-02-30\ntracked_projects: []", 1, "start_date", "must be a day of the calendar"),
    ("start_date: 2026-11-01 10:00:00\ntracked_projects: []", 1, "start_date", "must be a day of the calendar"),
    ("start_date: 20261101\ntracked_projects: []", 1, "start_date", "must be a day of the calendar"),
    ("start_date: [2026-11-01]\ntracked_projects: []", 1, "start_date", "must be a day of the calendar"),
    ("start_date: 9999-01-01\ntracked_projects: []", 1, "start_date", "is out of range; write a day from 2000-01-01"),
    ("start_date: 1999-12-31\ntracked_projects: []", 1, "start_date", "is out of range; write a day from 2000-01-01"),
    (f"{SMALLEST}time_zone: Europe/Berlim", 3, "time_zone", "did you mean Europe/Berlin?"),
    (f"{SMALLEST}time_zone: europe/berlin", 3, "time_zone", "did you mean Europe/Berlin?"),
    (f"{SMALLEST}time_zone: '+02:00'", 3, "time_zone", "is not an IANA time zone; write one such as UTC"),
    (f"{SMALLEST}time_zone: ../UTC", 3, "time_zone", "is not an IANA time zone"),
    (f"{SMALLEST}time_zone: [UTC]", 3, "time_zone", "must be a text, not a list"),
    (f"{SMALLEST}cycle_time: {{from: begun}}", 3, "cycle_time.from", "must be created or started, not 'begun'"),
    (f"{SMALLEST}cycle_time: {{to: closed}}", 3, "cycle_time.to", "must be resolved or done, not 'closed'"),
    (f"{SMALLEST}cycle_time: created", 3, "cycle_time", "must be a mapping (of from, to), not 'created'"),
    (f"{SMALLEST}workflow: [x]", 3, "workflow", "must be a mapping (of started, done, waiting), not a list"),
    (f"{SMALLEST}workflow: {{done: Closed}}", 3, "workflow.done", "must be a list, not 'Closed'"),
    (f"{SMALLEST}workflow:\n  done:\n  - Closed\n  - No", 6, "workflow.done[1]", 'quote it: "No"'),
    (f"{SMALLEST}workflow: {{done: [null]}}", 3, "workflow.done[0]", 'quote it: "null"'),
    (f"{SMALLEST}workflow: {{done: ['']}}", 3, "workflow.done[0]", "is empty; write a text"),
    (f"{SMALLEST}sync: {{overlap_hours: -1}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760, not '-1'"),
    (f"{SMALLEST}sync: {{overlap_hours: .nan}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760"),
    (f"{SMALLEST}sync: {{overlap_hours: .inf}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760"),
    (f"{SMALLEST}sync: {{overlap_hours: 12h}}", 3, "sync.overlap_hours", "not '12h'"),
    (f"{SMALLEST}sync: {{overlap_hours: 12:30}}", 3, "sync.overlap_hours", "not '12:30'"),
    (f"{SMALLEST}sync: {{overlap_hours: true}}", 3, "sync.overlap_hours", "not 'true'"),
    (f"{SMALLEST}sync: {{concurrency: 0}}", 3, "sync.concurrency", "whole number of threads from 1 to 32, not '0'"),
    (f"{SMALLEST}sync: {{concurrency: 33}}", 3, "sync.concurrency", "from 1 to 32, not '33'"),
    (f"{SMALLEST}sync: {{concurrency: 8.0}}", 3, "sync.concurrency", "from 1 to 32, not '8.0'"),
    (f"{SMALLEST}sync: {{concurrency: '8'}}", 3, "sync.concurrency", "from 1 to 32, not '8'"),
    (f"{SMALLEST}sync: {{concurrency: 010}}", 3, "sync.concurrency", "from 1 to 32, not '010'"),
]


@pytest.mark.parametrize(("text", "line", "key", "told"), WRONG_VALUES)
def test_a_wrong_value_is_told_with_its_line_and_key(write: Write, text: str, line: int, key: str, told: str) -> None:
    path = write(text)
    message = complaint(path)
    assert message.startswith(f"{path}, line {line}, {key}: ")
    assert told in message
    assert "\n" not in message


WRONG_PROJECTS = [
    ("- APP", 3, "[0]", "must be a mapping; write - key: APP"),
    ("- [APP]", 3, "[0]", "must be a mapping (of key, id, active, story_points_field), not a list"),
    ("- active: true", 3, "[0]", "names no project; add key: or id:"),
    ("- key:", 3, "[0]", "names no project; add key: or id:"),
    ("- key: NULL", 3, "[0]", 'YAML reads NULL as nothing, not as text; quote it: "NULL"'),
    ("- key: NO", 3, "[0].key", 'YAML reads NO as a boolean, not as text; quote it: "NO"'),
    ("- key: ON", 3, "[0].key", 'YAML reads ON as a boolean, not as text; quote it: "ON"'),
    ("- key: ''", 3, "[0].key", "is empty"),
    ("- key: MY-APP", 3, "[0].key", "'MY-APP' is not a project key"),
    ("- key: 1APP", 3, "[0].key", "'1APP' is not a project key"),
    ("- key: ÄPP", 3, "[0].key", "'ÄPP' is not a project key"),
    ("- key: 'A\" OR 1'", 3, "[0].key", "is not a project key"),
    ("- key: 10000", 3, "[0].key", "'10000' is not a project key"),
    ("- id: APP", 3, "[0].id", "'APP' is not a project id, which has digits only"),
    ("- id: 1.5", 3, "[0].id", 'quote it: "1.5"'),
    ("- {key: APP, active: 'yes'}", 3, "[0].active", "must be true or false (without quotes), not 'yes'"),
    ("- {key: APP, active: 1}", 3, "[0].active", "must be true or false"),
    ("- {key: APP, story_points_field: Story Points}", 3, "[0].story_points_field", "like customfield_10016"),
    ("- {key: APP, story_point_field: x}", 3, "[0].story_point_field", "did you mean 'story_points_field'?"),
    ("- key: APP\n- key: WEB\n- key: APP", 5, "[2].key", "project APP is already tracked on line 3"),
    ("- key: APP\n- key: app", 4, "[1].key", "project APP is already tracked on line 3"),
    ("- id: '10000'\n- {key: APP, id: 10000}", 4, "[1].id", "project 10000 is already tracked on line 3"),
]


@pytest.mark.parametrize(("projects", "line", "key", "told"), WRONG_PROJECTS)
def test_a_wrong_project_is_told_with_its_line_and_key(
    write: Write, projects: str, line: int, key: str, told: str
) -> None:
    path = write(f"start_date: 2026-11-01\ntracked_projects:\n{projects}\n")
    message = complaint(path)
    assert message.startswith(f"{path}, line {line}, tracked_projects{key}: ")
    assert told in message
    assert "\n" not in message


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


def test_a_start_within_the_next_year_is_allowed_and_a_later_one_is_not(write: Write) -> None:
    today = datetime.now(UTC).date()
    near, far = today + timedelta(days=300), today + timedelta(days=400)
    assert load_config(write(f"start_date: {near}\ntracked_projects: []")).start_date == near
    assert f"{far} is out of range" in complaint(write(f"start_date: {far}\ntracked_projects: []"))


def test_all_problems_are_told_at_once_in_the_order_of_their_lines(write: Write) -> None:
    path = write("tracked_projects:\n- key: NO\n- key: APP\nsync: {concurrency: 99}\ntime_zone: Mars\n")
    first, *rest = complaint(path).split("\n")
    assert first == f"{path} has 4 problems, correct each of them:"
    assert [line.split(": ")[0] for line in rest] == [
        f"{path}, line 1, start_date",
        f"{path}, line 2, tracked_projects[0].key",
        f"{path}, line 4, sync.concurrency",
        f"{path}, line 5, time_zone",
    ]


def test_a_long_list_of_problems_is_cut_with_their_number_told(write: Write) -> None:
    projects = "\n".join(f"- key: no-{number}" for number in range(50))
    lines = complaint(write(f"start_date: 2026-11-01\ntracked_projects:\n{projects}\n")).split("\n")
    assert lines[0].endswith("has 50 problems, correct each of them:")
    assert lines[-1] == "... and 30 more."
    assert len(lines) == 22


# Files that cannot be read as settings at all


def test_a_missing_file_is_told_with_the_variable_that_names_it(tmp_path: Path) -> None:
    message = complaint(tmp_path / "absent.yaml")
    assert message.startswith(f"{tmp_path / 'absent.yaml'} does not exist: ")
    assert "JIRA_PIPELINE_CONFIG" in message


def test_a_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f"{tmp_path} cannot be read (Is a directory): give a readable file."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_told(write: Write) -> None:
    path = write(SMALLEST)
    path.chmod(0)
    assert "cannot be read (Permission denied)" in complaint(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty: write at least start_date: and tracked_projects:."),
        ("# nothing but a comment\n", "is empty: "),
        ("APP\n", "holds 'APP', not a mapping: "),
        ("- APP\n", "holds a list, not a mapping: "),
        (f"{SMALLEST}sync: {{\n", ", line 4: is not YAML ("),
        (f"{SMALLEST}\tsync: 1\n", ", line 3: is not YAML ("),
        (f"{SMALLEST}workflow: *nowhere\n", ", line 3: is not YAML ("),
        (f"{SMALLEST}---\n{SMALLEST}", ", line 3: is not YAML ("),
        (f"{SMALLEST}\x00", ", line 3: has a character that YAML forbids"),
        (f"{SMALLEST}workflow: {'[' * 5000}", "nests too deeply or contains itself"),
        (f"{SMALLEST}sync: &self {{<<: *self}}\n", "nests too deeply or contains itself"),
        (f"{SMALLEST}sync: {{<<: [3]}}\n", ", line 3, sync: must be a mapping"),
        (f"{SMALLEST}sync: !!python/object/apply:os.abort []\n", ", line 3, sync: must be a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_of_settings_is_told(write: Write, text: str, told: str) -> None:
    path = write(text)
    message = complaint(path)
    assert message.startswith(f"{path}{told}" if told.startswith(",") else f"{path} {told}")
    assert "\n" not in message


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    path.write_bytes(f"{SMALLEST}# caf\xe9\n".encode("latin-1"))
    assert complaint(path) == f"{path}, line 3: the text is not UTF-8; save the file as UTF-8."


# The roster as a CSV file

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
    path = roster_of("\ufeffTeam , Name,email,office,jira_account_id,Aliases\r\nPayments,Ana,,Oslo,,\r\n")
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


# The files that environment variables name


@pytest.mark.parametrize("environ", [{}, {"JIRA_PIPELINE_CONFIG": ""}, {"JIRA_PIPELINE_CONFIG": "  "}])
def test_the_settings_file_is_jira_pipeline_yaml_in_the_working_directory(environ: dict[str, str]) -> None:
    assert config_path_from(environ) == Path("jira_pipeline.yaml")


def test_the_variable_names_another_settings_file() -> None:
    assert config_path_from({"JIRA_PIPELINE_CONFIG": "~/team.yaml"}) == Path.home() / "team.yaml"


def test_the_database_is_data_jira_duckdb_unless_the_variable_names_another() -> None:
    assert database_path_from({}) == Path("data/jira.duckdb")
    assert database_path_from({"JIRA_PIPELINE_DATABASE": "~/flow.duckdb"}) == Path.home() / "flow.duckdb"


@pytest.mark.parametrize("name", ["ops.duckdb", "OPS.db", "main", "temp.duckdb", "system.duckdb", "ops.v2.duckdb"])
def test_a_database_that_duckdb_would_take_for_a_schema_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^JIRA_PIPELINE_DATABASE is data/.*: DuckDB would confuse"):
        database_path_from({"JIRA_PIPELINE_DATABASE": f"data/{name}"})


@pytest.mark.parametrize("name", ["operations.duckdb", "jira.ops.duckdb", "maintenance"])
def test_a_database_whose_name_only_contains_such_a_word_is_accepted(name: str) -> None:
    assert database_path_from({"JIRA_PIPELINE_DATABASE": name}) == Path(name)


@pytest.mark.parametrize("name", [":memory:", "md:flow", "s3://bucket/jira.duckdb"])
def test_a_database_that_is_no_local_file_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="share a file, give its path"):
        database_path_from({"JIRA_PIPELINE_DATABASE": name})


def test_a_directory_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a directory: give the path of a file in it"):
        database_path_from({"JIRA_PIPELINE_DATABASE": str(tmp_path)})

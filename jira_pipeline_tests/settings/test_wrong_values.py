"""What is told about each wrong value of jira_pipeline.yaml: the line, the key, what to do."""

from __future__ import annotations

import pytest

from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint

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
    (f"{SMALLEST}flow: {{sle: {{day: 3}}}}", 3, "flow.sle.day", "did you mean 'days'?"),
    (f"{SMALLEST}flow: {{sle: {{percentile: 100}}}}", 3, "flow.sle.percentile", "from 1 to 99, not '100'"),
    (f"{SMALLEST}flow: {{stale_days: 0}}", 3, "flow.stale_days", "whole number of days from 1 to 3650"),
    (f"{SMALLEST}flow: {{bug_types: Bug}}", 3, "flow.bug_types", "must be a list"),
    (f"{SMALLEST}calendar: {{}}", 3, "calendar", "has no working time"),
    (f"{SMALLEST}calendar: {{week: {{monday: []}}}}", 3, "calendar.week.monday", "did you mean 'mon'?"),
    (f"{SMALLEST}calendar: {{week: {{mon: [9-17]}}}}", 3, "calendar.week.mon[0]", "is no span of time"),
    (f"{SMALLEST}calendar: {{week: {{mon: ['17:00-09:00']}}}}", 3, "calendar.week.mon[0]", "order the spans"),
    (
        f"{SMALLEST}calendar: {{week: {{mon: ['09:00-13:00', '12:00-17:00']}}}}",
        3,
        "calendar.week.mon[1]",
        "order the spans",
    ),
    (
        f"{SMALLEST}calendar: {{week: {{mon: ['09:00-17:00']}}, days: {{christmas: []}}}}",
        3,
        "calendar.days.christmas",
        "is no date",
    ),
    (
        f"{SMALLEST}calendar: {{week: {{mon: ['09:00-17:00']}}, time_zone: Berlin}}",
        3,
        "calendar.time_zone",
        "is not an IANA time zone",
    ),
    (f"{SMALLEST}sync: {{overlap_hours: -1}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760, not '-1'"),
    (f"{SMALLEST}sync: {{overlap_hours: .nan}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760"),
    (f"{SMALLEST}sync: {{overlap_hours: .inf}}", 3, "sync.overlap_hours", "number of hours from 0 to 8760"),
    (f"{SMALLEST}sync: {{overlap_hours: 12h}}", 3, "sync.overlap_hours", "not '12h'"),
    (f"{SMALLEST}sync: {{overlap_hours: 12:30}}", 3, "sync.overlap_hours", "not '12:30'"),
    (f"{SMALLEST}sync: {{overlap_hours: true}}", 3, "sync.overlap_hours", "not 'true'"),
    (f"{SMALLEST}sync: {{concurrency: 0}}", 3, "sync.concurrency", "whole number of requests from 1 to 32, not '0'"),
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
    ("- [APP]", 3, "[0]", "must be a mapping (of key, id, active, story_points_field, workflow), not a list"),
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

"""issues: what each column is read from, and what becomes of null, missing, wrong-typed, huge and odd values."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jira_pipeline.jira.fields import FieldRole
from jira_pipeline_tests.empty_warehouse import empty_warehouse
from jira_pipeline_tests.warehouse.loading import Json, Store, issue, record

POINTS, ESTIMATE, SPRINT, EPIC, FLAGGED = (f"customfield_{n}" for n in (10026, 10016, 10020, 10014, 10021))


def role(name: str, field_id: str, rank: int = 1, project_id: str | None = None) -> FieldRole:
    return FieldRole(name, field_id, name, rank, False, "for the test", project_id)


ROLES = (
    role("story_points", POINTS),
    role("sprint", SPRINT),
    role("epic_link", EPIC),
    role("flagged", FLAGGED),
)
WHOLE: Json = {
    "summary": "Fix login",
    "description": "It fails.",
    "issuetype": {"name": "Sub-task", "subtask": True, "hierarchyLevel": -1},
    "status": {"id": "3", "name": "Doing", "statusCategory": {"key": "indeterminate"}},
    "statuscategorychangedate": "2026-11-02T08:00:00.000+0000",
    "priority": {"name": "High"},
    "resolution": {"name": "Done"},
    "assignee": {"accountId": "a1"},
    "reporter": {"accountId": "a2"},
    "creator": {"accountId": "a3"},
    "parent": {"key": "APP-9"},
    POINTS: 3.5,
    FLAGGED: [{"value": "Impediment"}],
    "labels": ["b", "a"],
    "components": [{"name": "API"}],
    "fixVersions": [{"name": "1.0"}],
    SPRINT: [{"id": 12, "name": "Sprint 1"}],
    "duedate": "2026-12-24",
    "resolutiondate": "2026-11-02T09:00:00.000+0100",
}
ROW: Json = {
    "summary": "Fix login",
    "description": "It fails.",
    "issue_type": "Sub-task",
    "is_subtask": True,
    "hierarchy_level": -1,
    "status_id": "3",
    "status": "Doing",
    "status_category": "indeterminate",
    "status_category_changed_at": datetime(2026, 11, 2, 8, tzinfo=UTC),
    "priority": "High",
    "resolution": "Done",
    "assignee_id": "a1",
    "reporter_id": "a2",
    "creator_id": "a3",
    "parent_key": "APP-9",
    "story_points": 3.5,
    "is_flagged": True,
    "labels": ["b", "a"],
    "components": ["API"],
    "fix_versions": ["1.0"],
    "sprint_ids": [12],
    "sprint_names": ["Sprint 1"],
    "due_date": date(2026, 12, 24),
    "resolved_at": datetime(2026, 11, 2, 8, tzinfo=UTC),
}
KEYS = {
    "issue_id": 1,
    "issue_key": "APP-1",
    "project_id": "10000",
    "project_key": "APP",
    "created_at": datetime(2026, 11, 1, 9, tzinfo=UTC),
    "updated_at": datetime(2026, 11, 2, 10, tzinfo=UTC),
}
FIELDS = (*WHOLE, "project")
COLUMNS_OF: dict[str, tuple[str, ...]] = {
    "issuetype": ("issue_type", "is_subtask", "hierarchy_level"),
    "status": ("status_id", "status", "status_category"),
    "statuscategorychangedate": ("status_category_changed_at",),
    "assignee": ("assignee_id",),
    "reporter": ("reporter_id",),
    "creator": ("creator_id",),
    "parent": ("parent_key",),
    POINTS: ("story_points",),
    FLAGGED: ("is_flagged",),
    "fixVersions": ("fix_versions",),
    SPRINT: ("sprint_ids", "sprint_names"),
    "duedate": ("due_date",),
    "resolutiondate": ("resolved_at",),
    "project": ("project_id", "project_key"),
}
EMPTY: Json = {
    **dict.fromkeys(ROW),
    "is_subtask": False,
    "hierarchy_level": 0,
    "is_flagged": False,
    "labels": [],
    "components": [],
    "fix_versions": [],
    "sprint_ids": [],
    "sprint_names": [],
}
SURPRISES: tuple[Any, ...] = (
    None, 0, -1, 1.5, 10**25, True, "", "text", "12", "=SUM(A1:A9)", "'; DROP TABLE issues; --", "x\u0000y", "🛒 日本",
    [], [None], [1, "a", None, {}], [[["deep"]]], {}, {"id": None, "name": None, "key": None}, {"id": [], "name": {}},
    {"unknown": {"nested": [1]}},
)  # fmt: skip


def test_every_column_is_read_from_its_field(store: Store) -> None:
    row = store.typed(issue(1, **WHOLE), *ROLES)

    assert {name: row[name] for name in (*KEYS, *ROW)} == {**KEYS, **ROW}


def test_an_issue_with_nothing_but_its_key_is_a_row_of_nulls(store: Store) -> None:
    bare = {"id": "1", "key": "APP-1", "fields": {"created": "2026-11-01T09:00:00Z", "updated": "2026-11-02T10:00:00Z"}}

    row = store.typed(bare, *ROLES)

    assert {name: row[name] for name in EMPTY} == EMPTY
    assert (row["project_id"], row["project_key"]) == ("10000", "APP"), "the project that was being fetched"


@pytest.fixture(scope="module")
def odd_values(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Of every field, issues with each value in turn, and one without it, in one load beside an issue that is well."""
    directory = tmp_path_factory.mktemp("odd")
    empty_warehouse(directory)
    store = Store(directory)
    odd = [each for field in FIELDS for each in _with_odd_values(field)]
    store.load(issue(1, **WHOLE), *odd)
    assert store.derive(*ROLES) == len(odd) + 1
    return store


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_of_any_type_spoils_no_other_column_and_no_other_issue(odd_values: Store, field: str) -> None:
    odd = [int(each["id"]) for each in _with_odd_values(field)]
    own = COLUMNS_OF.get(field, (field,))
    others = [name for name in ROW if name not in own]
    assert others

    rows = odd_values.rows(
        f"SELECT issue_id, {', '.join(others)} FROM issues WHERE issue_id IN (SELECT unnest($1)) ORDER BY issue_id",
        [1, *odd],
    )

    assert [row[0] for row in rows] == [1, *odd]
    assert len(odd) > 4
    for row in rows:
        assert dict(zip(others, row[1:], strict=True)) == {name: ROW[name] for name in others}, row[0]
    assert odd_values.value("SELECT description FROM issues WHERE issue_id = 1") == "It fails."


def _with_odd_values(field: str) -> list[Json]:
    """Their ids, in order, are of a hundred that no other field's issues have."""
    first = 100 * (FIELDS.index(field) + 1)
    missing = issue(first, **WHOLE)
    missing["fields"].pop(field)
    return [
        missing,
        *(
            issue(n, **{**WHOLE, field: value})
            for n, value in enumerate(SURPRISES, start=first + 1)
            if _can_be_read(field, value)
        ),
    ]


def _can_be_read(field: str, value: Any) -> bool:
    """A project that is no object makes the issue unreadable: it belongs to nobody's window."""
    return field != "project" or value is None or (isinstance(value, dict) and not isinstance(value.get("id"), list))


def test_a_missing_field_and_a_null_field_read_alike(store: Store) -> None:
    fields = [name for name in WHOLE if name != "summary"]
    missing = {name: issue(n, **WHOLE) for n, name in enumerate(fields)}
    for name, each in missing.items():
        each["fields"].pop(name)
    store.load(*missing.values(), *(issue(100 + n, **{**WHOLE, name: None}) for n, name in enumerate(fields)))
    store.derive(*ROLES)

    for n, name in enumerate(fields):
        own = COLUMNS_OF.get(name, (name,))
        query = f"SELECT {', '.join(own)} FROM issues WHERE issue_id IN ({n}, {100 + n})"
        assert store.rows(query) == [tuple(EMPTY[column] for column in own)] * 2, name


def test_text_is_kept_to_the_letter(store: Store) -> None:
    texts = [
        "=SUM(A1:A9)",
        "'; DROP TABLE issues; --",
        "日本語 🛒 é",
        "a\u0000b",
        '"quoted" \\ back',
        "two\nlines\r\n",
        "  ",
    ]
    store.load(*(issue(n, summary=t, description=t, labels=[t], components=[{"name": t}]) for n, t in enumerate(texts)))
    store.derive()

    assert store.rows("SELECT summary, description, labels, components FROM issues ORDER BY issue_id") == [
        (text, text, [text], [text]) for text in texts
    ]


def test_half_a_surrogate_pair_becomes_the_replacement_character(store: Store) -> None:
    raw = json.dumps(issue(summary="x")).replace('"x"', '"a\\ud83d b \\ud83d\\ude80"').encode()

    assert store.typed(raw)["summary"] == "a\ufffd b 🚀"


@pytest.mark.parametrize("megabytes", [5, 20])
def test_a_huge_description_is_kept_whole(store: Store, megabytes: int) -> None:
    text = "0123456789abcdef" * (megabytes << 16)
    store.load(issue(1, description=text), issue(2, description="small"))
    store.derive()

    assert store.rows("SELECT length(description), md5(description) = md5($1) FROM issues ORDER BY issue_id", text) == [
        (len(text), True),
        (5, False),
    ]


def test_a_description_in_document_format_becomes_its_text(store: Store) -> None:
    """REST v3 sends Atlassian Document Format: the leaves' text in document order, a line a block."""
    document = {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "heading", "attrs": {"level": 1}, "content": [{"type": "text", "text": "Steps"}]},
            {
                "type": "paragraph",
                "content": [
                    {"type": "text", "text": "Open "},
                    {"type": "text", "text": "the page", "marks": [{"type": "strong"}]},
                    {"type": "hardBreak"},
                    {"type": "text", "text": "and wait."},
                ],
            },
            {"type": "bulletList", "content": [
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "one"}]}]},
                {"type": "listItem", "content": [{"type": "paragraph", "content": [{"type": "text", "text": "two"}]}]},
            ]},
            {"type": "paragraph", "content": [{"type": "inlineCard", "attrs": {"url": "https://example.com/x"}}]},
        ],
    }  # fmt: skip

    assert store.typed(issue(description=document))["description"] == (
        "Steps\nOpen the page\nand wait.\none\ntwo\nhttps://example.com/x"
    )


def test_an_empty_document_is_no_description(store: Store) -> None:
    assert store.typed(issue(description={"type": "doc", "version": 1, "content": []}))["description"] is None


def test_a_document_of_five_megabytes_is_read(store: Store) -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "x" * 980}]}

    row = store.typed(issue(description={"type": "doc", "content": [paragraph] * 5000}))

    assert row["description"] == "\n".join(["x" * 980] * 5000)


def test_story_points_are_a_number_or_nothing(store: Store) -> None:
    """Unset is NULL and never 0, which some teams use as an estimate; -1 is another one."""
    numbers: list[tuple[Any, float | None]] = [
        (3, 3.0), (0.5, 0.5), (0, 0.0), (-1, -1.0), ("5", 5.0), ("-1", -1.0), (" 2.5 ", 2.5),
    ]  # fmt: skip
    nothing = [(value, None) for value in (None, "", "M", "NaN", "Infinity", "1e400", {"value": "3"}, [3], True)]
    cases = numbers + nothing
    store.load(*(issue(n, **{POINTS: value}) for n, (value, _) in enumerate(cases)))
    store.derive(role("story_points", POINTS))

    read = [row[0] for row in store.rows("SELECT story_points FROM issues ORDER BY issue_id")]

    assert [(value, points) for (value, _), points in zip(cases, read, strict=True)] == cases


def test_of_several_story_point_fields_the_first_with_a_value_counts(store: Store) -> None:
    store.load(
        issue(1, **{ESTIMATE: 1, POINTS: 2}), issue(2, **{ESTIMATE: None, POINTS: 2}), issue(3, **{POINTS: None})
    )

    store.derive(role("story_points", ESTIMATE, 1), role("story_points", POINTS, 2))

    assert store.rows("SELECT story_points FROM issues ORDER BY issue_id") == [(1.0,), (2.0,), (None,)]


def test_a_projects_own_story_point_field_wins_over_the_sites(store: Store) -> None:
    other = {"id": "20000", "key": "OPS"}
    store.load(issue(1, **{ESTIMATE: 1, POINTS: 2}), issue(2, key="OPS-1", project=other, **{ESTIMATE: 1, POINTS: 2}))

    store.derive(role("story_points", ESTIMATE), role("story_points", POINTS, project_id="20000"))

    assert store.rows("SELECT story_points FROM issues ORDER BY issue_id") == [(1.0,), (2.0,)]


def test_without_any_known_field_the_custom_columns_are_empty(store: Store) -> None:
    row = store.typed(issue(**WHOLE))

    assert (row["story_points"], row["sprint_ids"], row["sprint_names"], row["is_flagged"]) == (None, [], [], False)


def test_another_field_in_a_role_types_the_issues_anew(store: Store) -> None:
    store.load(issue(1, **{ESTIMATE: 1, POINTS: 2}))
    store.derive(role("story_points", ESTIMATE))
    assert store.rows("SELECT story_points FROM issues") == [(1.0,)]

    derived = store.derive(role("story_points", POINTS))

    assert derived == 1
    assert store.rows("SELECT story_points FROM issues") == [(2.0,)]


def test_an_unchanged_issue_is_not_typed_again(store: Store) -> None:
    store.derive(*ROLES)
    store.load(issue(1), issue(2))

    assert store.derive(*ROLES) == 0


def test_a_load_types_what_it_stores(store: Store) -> None:
    store.load(issue(1), issue(2))
    store.load(issue(2, updated="2026-11-09T10:00:00.000+0000", summary="new"))

    assert store.rows("SELECT issue_id, summary FROM issues ORDER BY 1") == [(1, "Fix login"), (2, "new")]
    assert store.derive() == 0


def test_what_a_load_types_is_what_typing_the_stored_payloads_gives(store: Store) -> None:
    store.derive(*ROLES)
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"text": "ADF"}]}]}
    store.load(issue(1, **WHOLE), issue(2), issue(3, **WHOLE | {"description": document, POINTS: "x", SPRINT: None}))
    loaded = store.rows("SELECT * FROM issues ORDER BY issue_id")

    store.rows("DELETE FROM issues")

    assert store.derive(*ROLES) == 3
    assert store.rows("SELECT * FROM issues ORDER BY issue_id") == loaded
    assert [row[0] for row in store.rows("SELECT story_points FROM issues ORDER BY issue_id")] == [3.5, None, None]


def test_a_field_that_plays_a_role_beside_its_own_is_still_read_as_itself(store: Store) -> None:
    row = store.typed(issue(1, **WHOLE), role("story_points", "summary"), role("sprint", "labels"))
    assert (row["summary"], row["labels"], row["story_points"]) == ("Fix login", ["b", "a"], None)


def test_a_removed_issue_leaves_and_returns(store: Store) -> None:
    store.load(issue(1), issue(2))
    store.derive()

    store.rows("UPDATE raw_issues SET removed_at = now() WHERE issue_id = 1")
    store.derive()
    assert store.rows("SELECT issue_id FROM issues") == [(2,)]

    store.rows("UPDATE raw_issues SET removed_at = NULL")
    store.derive()
    assert store.rows("SELECT issue_id FROM issues ORDER BY 1") == [(1,), (2,)]


def test_sprints_of_cloud_are_objects(store: Store) -> None:
    sprints = [
        {"id": 3, "name": "Sprint 3: search, [filters] = fast", "state": "closed"},
        {"id": 4, "state": "future"},
        {"name": "no id"},
    ]

    row = store.typed(issue(**{SPRINT: sprints}), role("sprint", SPRINT))

    assert row["sprint_ids"] == [3, 4, None]
    assert row["sprint_names"] == ["Sprint 3: search, [filters] = fast", None, "no id"]


@pytest.mark.parametrize(
    "form",
    [
        "com.atlassian.greenhopper.service.sprint.Sprint@1f4a[id=12,rapidViewId=3,state=CLOSED,name={},goal=x,"
        "startDate=2026-01-01T08:00:00.000Z,endDate=<null>,completeDate=<null>,sequence=12]",
        "com.atlassian.greenhopper.service.sprint.Sprint@1f4a[rapidViewId=3,state=ACTIVE,name={},startDate=<null>,id=12]",
        "com.atlassian.greenhopper.service.sprint.Sprint@1f4a[id=12,state=FUTURE,name={}]",
    ],
    ids=["usual", "id last", "name last"],
)
def test_sprints_of_data_center_are_printed_java_objects(store: Store, form: str) -> None:
    """Their names may hold everything that separates one key from the next."""
    names = [
        "Sprint 12", "search, filters", "[hardening] 3", "goal=stability 2", "Спринт 1", "x]", "=,[]", "two\nlines",
        "name=twice",
    ]  # fmt: skip
    store.load(*(issue(n, **{SPRINT: [form.format(name)]}) for n, name in enumerate(names)))
    store.derive(role("sprint", SPRINT))

    assert store.rows("SELECT sprint_ids, sprint_names FROM issues ORDER BY issue_id") == [
        ([12], [name]) for name in names
    ]


def test_the_epic_link_of_data_center_is_the_parent_where_there_is_no_other(store: Store) -> None:
    store.load(issue(1, **{EPIC: "APP-5"}), issue(2, parent={"key": "APP-6"}, **{EPIC: "APP-5"}), issue(3))

    store.derive(role("epic_link", EPIC))

    assert store.rows("SELECT parent_key FROM issues ORDER BY issue_id") == [("APP-5",), ("APP-6",), (None,)]


@pytest.mark.parametrize("key", ["undefined", "later", None])
def test_an_unknown_status_category_is_taken_from_the_sites_list_or_null(store: Store, key: str | None) -> None:
    store.rows("INSERT INTO statuses (status_id, name, status_category) VALUES ('1', 'To Do', 'done')")

    listed = store.typed(issue(1, status={"id": "1", "name": "To Do", "statusCategory": {"key": key}}))
    unlisted = store.typed(issue(2, status={"id": "2", "name": "Odd", "statusCategory": {"key": key}}))

    assert (listed["status_category"], unlisted["status_category"]) == ("done", None)


def test_a_person_is_known_by_account_id_then_key_then_name(store: Store) -> None:
    people = (
        {"accountId": "a1", "key": "k", "name": "n"},
        {"key": "JIRAUSER1", "name": "ana"},
        {"name": "ana"},
        {},
        None,
    )
    store.load(*(issue(n, assignee=person) for n, person in enumerate(people)))
    store.derive()

    ids = [row[0] for row in store.rows("SELECT assignee_id FROM issues ORDER BY issue_id")]
    assert ids == ["a1", "JIRAUSER1", "ana", None, None]


def test_epics_stand_above_and_subtasks_below_where_jira_does_not_say(store: Store) -> None:
    types = (
        {"name": "Epic"},
        {"name": "Story"},
        {"name": "Teilaufgabe", "subtask": True},
        {"name": "X", "hierarchyLevel": 2},
    )
    store.load(*(issue(n, issuetype=kind) for n, kind in enumerate(types)))
    store.derive()

    assert store.rows("SELECT hierarchy_level FROM issues ORDER BY issue_id") == [(1,), (0,), (-1,), (2,)]


def test_what_is_no_instant_is_null(store: Store) -> None:
    values = ("2026-13-01", "soon", "2026-11-02T10:00:00", "99999999999999999", "+12026-01-01T00:00:00Z")
    store.load(*(issue(n, resolutiondate=value) for n, value in enumerate(values)))
    store.derive()

    assert store.rows("SELECT resolved_at FROM issues") == [(None,)] * len(values)


def test_the_payload_of_a_typed_issue_is_what_the_page_held(store: Store) -> None:
    raw = json.dumps(issue(1, **WHOLE)).encode()
    store.load(raw)

    assert json.loads(store.value("SELECT payload FROM raw_issues")) == json.loads(record(raw).payload)

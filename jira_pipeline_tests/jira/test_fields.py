"""Which field plays which role: found by type where the type is unique to it, by exact name where it is not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jira_pipeline.jira.fields import Field, FieldRole, configured_story_points, discover_roles, story_points_roles

SHARED = Path(os.environ.get("JIRA_PIPELINE_SHARED") or Path(__file__).resolve().parents[3] / "shared")
FLOAT = "com.atlassian.jira.plugin.system.customfieldtypes:float"
ESTIMATE = "com.pyxis.greenhopper.jira:jsw-story-points"
CHECKBOXES = "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"


def catalogue(*entries: dict[str, Any]) -> tuple[Field, ...]:
    """Fields as `GET /field` lists them."""
    return msgspec.json.decode(json.dumps(entries), type=tuple[Field, ...])


def entry(field_id: str, name: str, custom: str | None, **more: Any) -> dict[str, Any]:
    return {"id": field_id, "name": name, "schema": {"type": "any", "custom": custom}, **more}


STORY_POINTS = entry("customfield_2", "Story Points", FLOAT)
STORY_POINT_ESTIMATE = entry("customfield_1", "Story point estimate", ESTIMATE)


def points(*entries: dict[str, Any], **options: Any) -> list[tuple[str, int, bool]]:
    return [
        (role.field_id, role.rank, role.is_ambiguous) for role in story_points_roles(catalogue(*entries), **options)
    ]


def role_ids(fields: tuple[Field, ...], role: str) -> list[str]:
    return [each.field_id for each in discover_roles(fields) if each.role == role]


def test_story_point_estimate_is_known_by_its_own_type_whatever_its_name() -> None:
    assert points(entry("customfield_1", "Schätzung", ESTIMATE)) == [("customfield_1", 1, False)]


@pytest.mark.parametrize("name", ["Story Points", "story points", "Story  points ", "STORY POINT ESTIMATE"])
def test_story_points_are_a_number_field_of_exactly_that_name(name: str) -> None:
    assert points(entry("customfield_2", name, FLOAT)) == [("customfield_2", 1, False)]


def test_the_name_before_translation_counts_where_jira_gives_it() -> None:
    assert points(entry("customfield_2", "Story-Punkte", FLOAT, untranslatedName="Story Points")) == [
        ("customfield_2", 1, False)
    ]


@pytest.mark.parametrize(
    "other",
    [
        entry("customfield_3", "Original story points", "com.atlassian.jpo:jpo-custom-field-original-story-points"),
        entry("customfield_3", "Original story points", FLOAT),
        entry("customfield_3", "Points", FLOAT),
        entry("customfield_3", "Story Points", "com.atlassian.jira.plugin.system.customfieldtypes:textfield"),
        entry("customfield_3", "Story Points", None),
        {"id": "timeestimate", "name": "Story Points"},
    ],
    ids=lambda each: f"{each['name']} {each.get('schema', {}).get('custom')}",
)
def test_what_merely_sounds_alike_is_not_taken(other: dict[str, Any]) -> None:
    assert points(other) == []
    assert points(other, STORY_POINTS) == [("customfield_2", 1, False)]


def test_several_candidates_are_kept_in_order_and_marked_ambiguous() -> None:
    """Team-managed and company-managed projects of one site fill different fields, so neither can be left out."""
    assert points(STORY_POINTS, STORY_POINT_ESTIMATE) == [("customfield_1", 1, True), ("customfield_2", 2, True)]
    assert points(STORY_POINTS, STORY_POINT_ESTIMATE, team_managed_first=False) == [
        ("customfield_2", 1, True),
        ("customfield_1", 2, True),
    ]


def test_two_fields_of_one_name_are_ambiguous_and_the_reason_says_what_to_do() -> None:
    roles = story_points_roles(catalogue(STORY_POINTS, {**STORY_POINTS, "id": "customfield_9"}))

    assert [role.field_id for role in roles] == ["customfield_2", "customfield_9"]
    assert all("2 candidates: set story_points_field" in role.reason for role in roles)


def test_a_configured_field_is_a_role_of_its_project_and_must_exist() -> None:
    fields = catalogue(STORY_POINTS, STORY_POINT_ESTIMATE)

    assert configured_story_points("10000", "customfield_2", fields) == FieldRole(
        "story_points", "customfield_2", "Story Points", 1, False, "story_points_field in the configuration", "10000"
    )
    assert configured_story_points("10000", "customfield_77", fields) is None


def test_sprint_epic_link_and_flagged_are_found_by_type_and_flagged_by_name_too() -> None:
    fields = catalogue(
        entry("customfield_5", "Iteration", "com.pyxis.greenhopper.jira:gh-sprint"),
        entry("customfield_6", "Epic", "com.pyxis.greenhopper.jira:gh-epic-link"),
        entry("customfield_7", "Flagged", CHECKBOXES),
        entry("customfield_8", "Flags", CHECKBOXES),
        entry("customfield_9", "Flagged", FLOAT),
        {"id": "summary", "name": "Sprint"},
    )

    assert {role.role: role.field_id for role in discover_roles(fields)} == {
        "sprint": "customfield_5",
        "epic_link": "customfield_6",
        "flagged": "customfield_7",
    }


def test_a_site_without_agile_fields_has_no_roles() -> None:
    assert discover_roles(catalogue({"id": "summary", "name": "Summary"}, entry("customfield_1", "Team", None))) == ()


# --- catalogues of real sites ---------------------------------------------------------------------------------------


def real(site: str) -> tuple[Field, ...]:
    path = SHARED / "data" / "fields" / f"{site}.json"
    if not path.is_file():
        pytest.skip(f"the catalogue {path.name} of a real site is not here: set JIRA_PIPELINE_SHARED")
    return msgspec.json.decode(path.read_bytes(), type=tuple[Field, ...])


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        # Two fields named after story points, but `Original story points` is Portfolio's own type: only one counts.
        ("apache", [("customfield_12310293", False)]),
        # One number field of the name.
        ("hyperledger", [("customfield_10002", False)]),
        # A bug tracker without estimates: nothing, rather than some number field.
        ("mojang", []),
        ("qt", [("customfield_10183", False)]),
        # Cloud: team-managed and company-managed projects side by side.
        ("sakai", [("customfield_10016", True), ("customfield_10026", True)]),
    ],
)
def test_story_points_of_a_real_site(site: str, expected: list[tuple[str, bool]]) -> None:
    roles = story_points_roles(real(site))

    assert [(role.field_id, role.is_ambiguous) for role in roles] == expected


@pytest.mark.parametrize(
    ("site", "sprint", "epic_link", "flagged"),
    [
        ("apache", "customfield_12310921", "customfield_12311120", "customfield_12310290"),
        ("hyperledger", "customfield_10004", "customfield_10006", "customfield_10000"),
        ("mojang", "customfield_11601", "customfield_11602", "customfield_10002"),
        ("qt", "customfield_10302", "customfield_10400", "customfield_10180"),
        ("sakai", "customfield_10020", "customfield_10014", "customfield_10021"),
    ],
)
def test_the_other_roles_of_a_real_site_have_one_field_each(
    site: str, sprint: str, epic_link: str, flagged: str
) -> None:
    fields = real(site)

    assert (role_ids(fields, "sprint"), role_ids(fields, "epic_link"), role_ids(fields, "flagged")) == (
        [sprint],
        [epic_link],
        [flagged],
    )

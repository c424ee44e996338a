"""Which of a site's fields plays which role: ids and names differ on every site, so they are looked up, never assumed.

Sources: the Agile field types of Jira Software (`com.pyxis.greenhopper.jira:*`), which are unique to their role, and
for company-managed story points the field name, because their type is that of any number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

_STORY_POINT_ESTIMATE = "com.pyxis.greenhopper.jira:jsw-story-points"
_NUMBER = "com.atlassian.jira.plugin.system.customfieldtypes:float"
_CHECKBOXES = "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"
_UNIQUE_TYPES = {
    "com.pyxis.greenhopper.jira:gh-sprint": "sprint",
    "com.pyxis.greenhopper.jira:gh-epic-link": "epic_link",
}
_STORY_POINT_NAMES = frozenset({"story points", "story point estimate"})


class FieldSchema(msgspec.Struct, frozen=True):
    """The `schema` of a field: `custom` names the type of a custom field."""

    type: str | None = None
    items: str | None = None
    system: str | None = None
    custom: str | None = None


class Field(msgspec.Struct, frozen=True):
    """One entry of `GET /field`."""

    id: str
    name: str = ""
    untranslatedName: str | None = None
    schema: FieldSchema | None = None

    @property
    def type_name(self) -> str:
        """The custom field type, empty for system fields."""
        return (self.schema.custom if self.schema else None) or ""

    @property
    def stable_name(self) -> str:
        """The name before translation where Jira gives it, folded for comparison."""
        return " ".join((self.untranslatedName or self.name).casefold().split())


@dataclass(frozen=True)
class FieldRole:
    """One field in one role. Several fields of one role are read in the order of `rank`: the first with a value counts.

    `project_id` is None when it holds for every project that has no rows of its own for this role.
    """

    role: str
    field_id: str
    field_name: str
    rank: int
    is_ambiguous: bool
    reason: str
    project_id: str | None = None


def discover_roles(fields: Sequence[Field]) -> tuple[FieldRole, ...]:
    """Roles that the whole site shares: story_points, sprint, epic_link, flagged."""
    roles = list(story_points_roles(fields))
    for field in fields:
        role = _UNIQUE_TYPES.get(field.type_name)
        if role:
            roles.append(
                FieldRole(role, field.id, field.name, 1, False, f"the only field type made for it ({field.type_name})")
            )
        elif field.type_name == _CHECKBOXES and field.stable_name == "flagged":
            roles.append(FieldRole("flagged", field.id, field.name, 1, False, "check boxes named Flagged"))
    return tuple(roles)


def story_points_roles(fields: Iterable[Field], *, team_managed_first: bool = True) -> tuple[FieldRole, ...]:
    """Fields that may hold story points: `Story point estimate` by its own type, `Story points` by its exact name among
    number fields. Both are used on sites with team-managed and company-managed projects, so both are kept in order and
    marked ambiguous; a field that merely sounds alike (`Original story points`) is not taken."""
    by_type: list[Field] = []
    by_name: list[Field] = []
    for field in fields:
        if field.type_name == _STORY_POINT_ESTIMATE:
            by_type.append(field)
        elif field.type_name == _NUMBER and field.stable_name in _STORY_POINT_NAMES:
            by_name.append(field)
    ordered = [*by_type, *by_name] if team_managed_first else [*by_name, *by_type]
    ambiguous = len(ordered) > 1
    return tuple(
        FieldRole(
            "story_points",
            field.id,
            field.name,
            rank,
            ambiguous,
            ("the field type of team-managed projects" if field in by_type else "a number field of exactly that name")
            + (
                f", one of {len(ordered)} candidates: set story_points_field if the order is wrong" if ambiguous else ""
            ),
        )
        for rank, field in enumerate(ordered, start=1)
    )


def configured_story_points(project_id: str, field_id: str, fields: Iterable[Field]) -> FieldRole | None:
    """The field that the configuration names for a project, or None when the site has no such field."""
    for field in fields:
        if field.id == field_id:
            return FieldRole(
                "story_points", field.id, field.name, 1, False, "story_points_field in the configuration", project_id
            )
    return None

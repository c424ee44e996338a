"""The field catalogue: what `GET /field` lists, and which custom field means what on the sandbox's own sites."""

from __future__ import annotations

from typing import Any

from .model import JsonObject

STORY_POINTS = "customfield_10026"
STORY_POINT_ESTIMATE = "customfield_10016"
SPRINT = "customfield_10020"
EPIC_LINK = "customfield_10014"
FLAGGED = "customfield_10021"
RANK = "customfield_10019"

UNUSED_FIELDS = tuple(f"customfield_{number}" for number in range(10_100, 10_180))
"""Custom fields that every issue of a generated site has and nobody fills, as on real sites."""
PADDING_FIELD = "customfield_19999"

_SYSTEM: tuple[tuple[str, str, str], ...] = (
    ("summary", "Summary", "string"),
    ("description", "Description", "string"),
    ("issuetype", "Issue Type", "issuetype"),
    ("project", "Project", "project"),
    ("status", "Status", "status"),
    ("priority", "Priority", "priority"),
    ("resolution", "Resolution", "resolution"),
    ("assignee", "Assignee", "user"),
    ("reporter", "Reporter", "user"),
    ("creator", "Creator", "user"),
    ("created", "Created", "datetime"),
    ("updated", "Updated", "datetime"),
    ("resolutiondate", "Resolved", "datetime"),
    ("statuscategorychangedate", "Status Category Changed", "datetime"),
    ("duedate", "Due date", "date"),
    ("parent", "Parent", "issuelink"),
    ("subtasks", "Sub-tasks", "array"),
    ("labels", "Labels", "array"),
    ("components", "Components", "array"),
    ("versions", "Affects versions", "array"),
    ("fixVersions", "Fix versions", "array"),
    ("issuelinks", "Linked Issues", "array"),
    ("environment", "Environment", "string"),
    ("votes", "Votes", "votes"),
    ("watches", "Watchers", "watches"),
    ("timespent", "Time Spent", "number"),
    ("timeestimate", "Remaining Estimate", "number"),
    ("timeoriginalestimate", "Original estimate", "number"),
    ("workratio", "Work Ratio", "number"),
    ("lastViewed", "Last Viewed", "datetime"),
    ("security", "Security Level", "securitylevel"),
)
_CLAUSE_NAMES = {
    "issuetype": ["issuetype", "type"],
    "created": ["created", "createdDate"],
    "updated": ["updated", "updatedDate"],
    "resolutiondate": ["resolutiondate", "resolved"],
    "duedate": ["due", "duedate"],
    "components": ["component"],
    "versions": ["affectedVersion"],
    "fixVersions": ["fixVersion"],
    "statuscategorychangedate": ["statusCategoryChangedDate"],
}
_GREENHOPPER = "com.pyxis.greenhopper.jira:"
_TYPES = "com.atlassian.jira.plugin.system.customfieldtypes:"


def system_field(field_id: str, name: str, kind: str) -> JsonObject:
    """The catalogue entry of a field that Jira brings along."""
    return {
        "id": field_id,
        "key": field_id,
        "name": name,
        "custom": False,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": _CLAUSE_NAMES.get(field_id, [field_id]),
        "schema": {"type": kind, "system": field_id},
    }


def custom_field(field_id: str, name: str, kind: str, custom: str, items: str | None = None) -> JsonObject:
    """The catalogue entry of a custom field; `custom` is its type's plug-in key."""
    number = int(field_id.removeprefix("customfield_"))
    schema: JsonObject = {"type": kind, "custom": custom, "customId": number}
    if items:
        schema["items"] = items
    return {
        "id": field_id,
        "key": field_id,
        "name": name,
        "untranslatedName": name,
        "custom": True,
        "orderable": True,
        "navigable": True,
        "searchable": True,
        "clauseNames": [f"cf[{number}]", name],
        "schema": schema,
    }


def standard_catalogue() -> list[JsonObject]:
    """The fields of a generated site: Jira's own, the agile ones, and two for story points as real sites have them."""
    return [system_field(*entry) for entry in _SYSTEM] + [
        custom_field(STORY_POINTS, "Story Points", "number", _TYPES + "float"),
        custom_field(STORY_POINT_ESTIMATE, "Story point estimate", "number", _GREENHOPPER + "jsw-story-points"),
        custom_field(SPRINT, "Sprint", "array", _GREENHOPPER + "gh-sprint", "json"),
        custom_field(EPIC_LINK, "Epic Link", "any", _GREENHOPPER + "gh-epic-link"),
        custom_field(FLAGGED, "Flagged", "array", _TYPES + "multicheckboxes", "option"),
        custom_field(RANK, "Rank", "any", _GREENHOPPER + "gh-lexo-rank"),
        *(custom_field(each, f"Unused {each[-3:]}", "string", _TYPES + "textfield") for each in UNUSED_FIELDS),
        custom_field(PADDING_FIELD, "Release notes", "string", _TYPES + "textarea"),
    ]


def infer_fields(examples: dict[str, Any]) -> list[JsonObject]:
    """A catalogue for issues of a file: one entry a field met, its kind guessed from one of its values."""
    known = {field_id: (field_id, name, kind) for field_id, name, kind in _SYSTEM}
    catalogue: list[JsonObject] = []
    for field_id, example in sorted(examples.items()):
        if field_id.startswith("customfield_"):
            catalogue.append(_guess(field_id, example))
        else:
            catalogue.append(system_field(*known.get(field_id, (field_id, field_id.capitalize(), "any"))))
    return catalogue


def _guess(field_id: str, example: Any) -> JsonObject:
    first = example[0] if isinstance(example, list) and example else None
    name = f"Custom field {field_id.removeprefix('customfield_')}"
    if isinstance(first, str) and ".sprint.Sprint@" in first:
        return custom_field(field_id, "Sprint", "array", _GREENHOPPER + "gh-sprint", "json")
    if isinstance(first, dict) and {"boardId", "state"} <= first.keys():
        return custom_field(field_id, "Sprint", "array", _GREENHOPPER + "gh-sprint", "json")
    if isinstance(example, bool | str | None):
        return custom_field(field_id, name, "string", _TYPES + "textfield")
    if isinstance(example, int | float):
        return custom_field(field_id, name, "number", _TYPES + "float")
    if isinstance(example, list):
        return custom_field(field_id, name, "array", _TYPES + "multiselect", "option")
    return custom_field(field_id, name, "option", _TYPES + "select")

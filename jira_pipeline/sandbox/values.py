"""What a change of one field writes: the new value inside `fields`, and the items of the history.

Item shapes after real changelogs: ids in `from`/`to`, display texts in `fromString`/`toString`; one item for each
version or component that is added or removed; sprints as comma-separated id lists; the parent on Cloud as
`IssueParentAssociation` without a fieldId.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .fields import EPIC_LINK, FLAGGED, SPRINT, STORY_POINTS
from .index import Row
from .model import SELF_BASE, JsonObject, Sprint, Status, User
from .site import Site
from .sprints import sprint_value

Items = list[JsonObject]

_NAMED_IDS = {
    "priority": {"Highest": "1", "High": "2", "Medium": "3", "Low": "4", "Lowest": "5"},
    "resolution": {"Done": "10000", "Won't Do": "10001", "Duplicate": "10002", "Cannot Reproduce": "10003"},
    "issuetype": {"Epic": "10000", "Story": "10001", "Task": "10002", "Sub-task": "10003", "Bug": "10004"},
}
_COLLECTIONS = {"components": "Component", "fixVersions": "Fix Version", "versions": "Version"}
FIELD_NAMES = {
    "issue_type": "issuetype", "due_date": "duedate", "fix_versions": "fixVersions",
    "affects_versions": "versions", "resolved": "resolutiondate",
}  # fmt: skip
"""Keyword arguments of `update_issue` whose name is not the field's id."""


class UnknownValue(ValueError):
    """A change names a field, person, status or sprint that the site does not have."""


def change(site: Site, row: Row, fields: JsonObject, name: str, value: Any) -> Items:
    """Set one field to a value in `fields` and return the items to record, none if it had that value already."""
    field_id = FIELD_NAMES.get(name, name)
    handler = _HANDLERS.get(field_id)
    if handler is not None:
        return handler(site, row, fields, field_id, value)
    if field_id in _COLLECTIONS:
        return _collection(site, row, fields, field_id, value)
    if field_id.startswith("customfield_"):
        return _custom(site, row, fields, field_id, value)
    raise UnknownValue(f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.")


def named(kind: str, name: str) -> JsonObject:
    """A priority, resolution or issue type by name."""
    number = _NAMED_IDS[kind].get(name) or str(20_000 + sum(name.encode()))
    value: JsonObject = {"self": f"{SELF_BASE}/rest/api/2/{kind}/{number}", "id": number, "name": name}
    if kind == "issuetype":
        value["subtask"] = name == "Sub-task"
    return value


def find_status(site: Site, row_project: int, wanted: str) -> Status:
    """A status by id or name, those of the project's own workflow first."""
    workflow = site.projects[row_project].workflow
    known = [site.statuses[each] for each in workflow] + list(site.statuses.values())
    for status in known:
        if wanted == status.id or wanted.lower() == status.name.lower():
            return status
    raise UnknownValue(f"There is no status '{wanted}'.")


def find_user(site: Site, wanted: str) -> User:
    """A user by identity, name, e-mail or display name."""
    if wanted in site.users:
        return site.users[wanted]
    for user in site.users.values():
        if wanted in (user.account_id, user.key, user.name, user.email, user.display_name):
            return user
    raise UnknownValue(f"User '{wanted}' does not exist.")


def item(site: Site, field: str, field_id: str | None, old: tuple[Any, Any], new: tuple[Any, Any]) -> JsonObject:
    """One item of a history; `old` and `new` are pairs of raw value and text. Data Center has no fieldId."""
    value: JsonObject = {"field": field, "fieldtype": "custom" if (field_id or "").startswith("custom") else "jira"}
    if field_id and site.flavour == "cloud":
        value["fieldId"] = field_id
    return value | {"from": old[0], "fromString": old[1], "to": new[0], "toString": new[1]}


def _text(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old = fields.get(field_id)
    fields[field_id] = value
    plain = value if isinstance(value, str | None) else str(value)
    return [] if old == value else [item(site, field_id, field_id, (None, _plain(old)), (None, plain))]


def _date(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old, new = fields.get(field_id), str(value) if value is not None else None
    fields[field_id] = new
    return [] if old == new else [item(site, field_id, field_id, (old, old), (new, new))]


def _status(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old, new = fields.get("status") or {}, find_status(site, row.project_id, str(value))
    if old.get("id") == new.id:
        return []
    fields["status"] = new.as_json()
    return [item(site, "status", "status", (old.get("id"), old.get("name")), (new.id, new.name))]


def _user(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old = fields.get(field_id)
    new = find_user(site, str(value)) if value is not None else None
    fields[field_id] = new.as_json(site.flavour) if new else None
    before = (_identity(old), (old or {}).get("displayName"))
    after = (new.identity(site.flavour), new.display_name) if new else (None, None)
    return [] if before[0] == after[0] else [item(site, field_id, field_id, before, after)]


def _named(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old, new = fields.get(field_id) or {}, named(field_id, value) if value is not None else None
    fields[field_id] = new
    before, after = (old.get("id"), old.get("name")), (new["id"], new["name"]) if new else (None, None)
    return [] if before == after else [item(site, field_id, field_id, before, after)]


def _labels(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old, new = fields.get("labels") or [], list(value or [])
    fields["labels"] = new
    return [] if old == new else [item(site, "labels", "labels", ("", " ".join(old)), ("", " ".join(new)))]


def _collection(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    path = "component" if field_id == "components" else "version"
    old = {each["name"]: each for each in fields.get(field_id) or []}
    new = {name: old.get(name) or _part(path, name) for name in value or []}
    fields[field_id] = list(new.values())
    label = _COLLECTIONS[field_id]
    gone = [item(site, label, field_id, (old[n]["id"], n), (None, None)) for n in old if n not in new]
    came = [item(site, label, field_id, (None, None), (new[n]["id"], n)) for n in new if n not in old]
    return gone + came


def _part(path: str, name: str) -> JsonObject:
    number = str(10_000 + sum(name.encode()))
    return {"self": f"{SELF_BASE}/rest/api/2/{path}/{number}", "id": number, "name": name}


def _story_points(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    used = site.projects[row.project_id].story_points_fields
    target = used[0] if used else site.custom_field_id("Story Points") or STORY_POINTS
    return _custom(site, row, fields, target, None if value is None else float(value))


def _sprint(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    target = site.custom_field_id("Sprint") or SPRINT
    wanted = [] if value is None else value if isinstance(value, list) else [value]
    new = [_find_sprint(site, each) for each in wanted]
    old = [site.sprints[each] for each in _sprint_ids(fields.get(target)) if each in site.sprints]
    kept = [each for each in old if each.state == "closed" and each not in new]
    after = kept + new
    fields[target] = [sprint_value(site.flavour, each) for each in after] or None
    if [each.id for each in old] == [each.id for each in after]:
        return []
    pairs = [(", ".join(str(s.id) for s in side), ", ".join(s.name for s in side)) for side in (old, after)]
    return [item(site, "Sprint", target, pairs[0], pairs[1])]


def _find_sprint(site: Site, wanted: Any) -> Sprint:
    for sprint in site.sprints.values():
        if wanted in (sprint.id, str(sprint.id), sprint.name):
            return sprint
    raise UnknownValue(f"There is no sprint '{wanted}'.")


def _sprint_ids(value: Any) -> list[int]:
    ids = []
    for each in value or []:
        text = each["id"] if isinstance(each, dict) else each.partition("[id=")[2].partition(",")[0]
        ids.append(int(text))
    return ids


def _flagged(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    old = bool(fields.get(FLAGGED))
    fields[FLAGGED] = (
        [{"self": f"{SELF_BASE}/rest/api/2/customFieldOption/10019", "value": "Impediment", "id": "10019"}]
        if value
        else None
    )
    sides = [("[10019]", "Impediment") if side else (None, "") for side in (old, bool(value))]
    return [] if old == bool(value) else [item(site, "Flagged", FLAGGED, sides[0], sides[1])]


def _parent(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    parent = site.row(str(value)) if value is not None else None
    if value is not None and parent is None:
        raise UnknownValue(f"Issue '{value}' does not exist.")
    key = site.key_of(parent) if parent else None
    if site.flavour == "datacenter" and not (fields.get("issuetype") or {}).get("subtask"):
        target = site.custom_field_id("Epic Link") or EPIC_LINK
        old_key = fields.get(target)
        fields[target] = key
        if old_key == key:
            return []
        old_row = site.row(old_key) if old_key else None
        sides = ((str(old_row.id) if old_row else None, old_key), (str(parent.id) if parent else None, key))
        return [item(site, "Epic Link", target, *sides)]
    old = fields.get("parent") or {}
    fields["parent"] = parent_value(site, parent) if parent else None
    before, after = (old.get("id"), old.get("key")), (str(parent.id) if parent else None, key)
    return [] if before == after else [item(site, "IssueParentAssociation", None, before, after)]


def parent_value(site: Site, parent: Row) -> JsonObject:
    """The object `parent` of a sub-task or, on Cloud, of an issue in an epic."""
    values = site.field_values(parent)
    shown = {name: values.get(name) for name in ("summary", "status", "priority", "issuetype")}
    url = f"{SELF_BASE}/rest/api/2/issue/{parent.id}"
    return {"id": str(parent.id), "key": site.key_of(parent), "self": url, "fields": shown}


def _custom(site: Site, row: Row, fields: JsonObject, field_id: str, value: Any) -> Items:
    entry = next((each for each in site.fields if each["id"] == field_id), None)
    if entry is None:
        raise UnknownValue(f"Field '{field_id}' cannot be set. It is not on the appropriate screen, or unknown.")
    old = fields.get(field_id)
    fields[field_id] = value
    return [] if old == value else [item(site, entry["name"], field_id, (None, _plain(old)), (None, _plain(value)))]


def _plain(value: Any) -> str | None:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return None if value is None else str(value)


def _identity(person: JsonObject | None) -> str | None:
    return None if person is None else person.get("accountId") or person.get("key") or person.get("name")


_HANDLERS: dict[str, Callable[[Site, Row, JsonObject, str, Any], Items]] = {
    "summary": _text,
    "description": _text,
    "environment": _text,
    "duedate": _date,
    "status": _status,
    "assignee": _user,
    "reporter": _user,
    "priority": _named,
    "resolution": _named,
    "issuetype": _named,
    "labels": _labels,
    "story_points": _story_points,
    "sprint": _sprint,
    "flagged": _flagged,
    "parent": _parent,
}

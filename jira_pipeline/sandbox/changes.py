"""Changes to a running site: issues created, edited, deleted and moved, projects renamed.

Each takes the instant of the change in epoch milliseconds and holds the site's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from .documents import encode
from .fields import EPIC_LINK
from .index import Row
from .model import SELF_BASE, JsonObject, Project, User
from .site import Site
from .times import format_jira, parse_jira
from .values import Items, UnknownValue, change, find_status, find_user, item, named


def create_issue(site: Site, project_key: str, at: int, author: User, values: JsonObject) -> Row:
    """Create an issue in the project's first status, or in `status`. Raises UnknownValue for a bad name."""
    with site.lock:
        project = _existing_project(site, project_key)
        status = _first_status(site, project, values.get("status"))
        row = Row(site.next_issue_id(), project.id, site.next_number(project.id), at, at, None, status)
        fields = _blank_fields(site, project, row, author)
        for name, value in values.items():
            if name != "status":
                change(site, row, fields, name, value)
        row = _with_resolution(site, row, fields, values, at)
        site.store(row, encode(fields), [])
        return row


def update_issue(site: Site, key: str, at: int, author: User, values: JsonObject) -> Row:
    """Set fields of an issue, as one history. What already has the value leaves no trace. Moves `updated`.

    A project that sets resolutions does so when a status of category Done is entered, and clears them on leaving it,
    unless `resolution` is among the values.
    """
    with site.lock:
        row = existing(site, key)
        fields = site.field_values(row)
        items: Items = []
        old_category = (fields.get("status") or {}).get("statusCategory", {}).get("key")
        for name, value in values.items():
            items += change(site, row, fields, name, value)
        items += _resolve(site, row, fields, values, old_category, at)
        if not items:
            return row
        return _record(site, row, fields, items, at, author)


def delete_issue(site: Site, key: str) -> None:
    """Delete an issue for good."""
    with site.lock:
        site.remove(existing(site, key))


def move_issue(site: Site, key: str, project_key: str, at: int, author: User) -> Row:
    """Move an issue to another project: same id, a new key, and the old key goes on leading to it."""
    with site.lock:
        row, target = existing(site, key), _existing_project(site, project_key)
        source = site.projects[row.project_id]
        if source.id == target.id:
            raise UnknownValue(f"{key} is in project {target.key} already.")
        fields = site.field_values(row)
        moved = replace(row, project_id=target.id, number=site.next_number(target.id))
        items = [
            item(site, "Key", None, (None, site.key_of(row)), (None, site.key_of(moved))),
            item(site, "project", "project", (str(source.id), source.name), (str(target.id), target.name)),
        ]
        fields["project"] = target.as_json(site.flavour)
        old = fields["status"]
        if target.workflow and old["id"] not in target.workflow:
            new = site.statuses[_equivalent(site, target, old["id"])]
            fields["status"] = new.as_json()
            items.append(item(site, "status", "status", (old["id"], old["name"]), (new.id, new.name)))
        old_key = site.key_of(row)
        stored = _record(site, moved, fields, items, at, author)
        for child in _rows_of(site, source):
            _follow(site, child, old_key, site.key_of(stored))
        return stored


def rename_project(site: Site, key: str, new_key: str | None, new_name: str | None) -> None:
    """Give a project another key or name. Issues show it at once, without a history or a new `updated`."""
    with site.lock:
        project = _existing_project(site, key)
        former = (*project.former_keys, project.key.upper()) if new_key else project.former_keys
        renamed = replace(project, key=new_key or project.key, name=new_name or project.name, former_keys=former)
        for row in _rows_of(site, project):
            document = site.document(row)
            fields = site.documents.fields(document)
            fields["project"] = {**fields["project"], "key": renamed.key, "name": renamed.name}
            _rekey(fields, lambda key: _with_project_key(key, project.key, renamed.key))
            site.documents.put(row.id, encode(fields), site.documents.histories(document))
        site.set_project(renamed)


def rename_user(site: Site, identity: str, values: JsonObject) -> None:
    """Change a user's display_name, email, name or active. Issues and histories show it at once.

    What histories say in `fromString` and `toString` stays as it was. Neither is there a history, nor does `updated`
    move.
    """
    with site.lock:
        user = find_user(site, identity)
        if user.original is not None:
            raise UnknownValue(f"User '{identity}' comes from a file and cannot be renamed.")
        renamed = replace(user, **values)
        old, new = encode(user.as_json(site.flavour)), encode(renamed.as_json(site.flavour))
        for row in site.rows.values():
            document = site.document(row)
            fields, histories = encode(site.documents.fields(document)), site.documents.histories(document)
            if old in fields or any(old in history for history in histories):
                site.documents.put(row.id, fields.replace(old, new), [each.replace(old, new) for each in histories])
        site.users[user.identity(site.flavour)] = renamed


def existing(site: Site, key: str) -> Row:
    """An issue by id or key. Raises UnknownValue when there is none."""
    row = site.row(key)
    if row is None:
        raise UnknownValue(f"Issue '{key}' does not exist.")
    return row


def _rows_of(site: Site, project: Project) -> list[Row]:
    return [row for row in site.rows.values() if row.project_id == project.id]


def _rekey(fields: JsonObject, rename: Callable[[str], str]) -> None:
    """Rename the key of the parent or epic that an issue's fields name."""
    if isinstance(fields.get("parent"), dict):
        fields["parent"] = {**fields["parent"], "key": rename(fields["parent"]["key"])}
    if isinstance(fields.get(EPIC_LINK), str):
        fields[EPIC_LINK] = rename(fields[EPIC_LINK])


def _with_project_key(key: str, old: str, new: str) -> str:
    project, _, number = key.rpartition("-")
    return f"{new}-{number}" if project == old else key


def _follow(site: Site, child: Row, old_key: str, new_key: str) -> None:
    """Let a child of a moved issue name its parent's new key, which leaves no history."""
    document = site.document(child)
    fields = site.documents.fields(document)
    before = encode(fields)
    _rekey(fields, lambda key: new_key if key == old_key else key)
    after = encode(fields)
    if after != before:
        site.documents.put(child.id, after, site.documents.histories(document))


def _existing_project(site: Site, key: str) -> Project:
    project = site.project(key)
    if project is None:
        raise UnknownValue(f"Project '{key}' does not exist.")
    return project


def _first_status(site: Site, project: Project, wanted: Any) -> str:
    if wanted is not None:
        return find_status(site, project.id, str(wanted)).id
    if project.workflow:
        return project.workflow[0]
    return next((each.id for each in site.statuses.values() if each.category == "new"), next(iter(site.statuses)))


def _equivalent(site: Site, target: Project, status_id: str) -> str:
    category = site.statuses[status_id].category if status_id in site.statuses else "new"
    return next((each for each in target.workflow if site.statuses[each].category == category), target.workflow[0])


def _blank_fields(site: Site, project: Project, row: Row, author: User) -> JsonObject:
    instant = format_jira(row.created, site.zone)
    person = author.as_json(site.flavour)
    fields: JsonObject = {
        "summary": "",
        "issuetype": named("issuetype", "Task"),
        "project": project.as_json(site.flavour),
        "status": site.statuses[row.status_id].as_json(),
        "priority": named("priority", "Medium"),
        "resolution": None,
        "resolutiondate": None,
        "created": instant,
        "updated": instant,
        "statuscategorychangedate": instant,
        "assignee": None,
        "reporter": person,
        "creator": person,
        "labels": [],
        "components": [],
        "versions": [],
        "fixVersions": [],
        "description": None,
        "duedate": None,
        "subtasks": [],
        "issuelinks": [],
        "votes": {"self": f"{SELF_BASE}/rest/api/2/issue/{row.id}/votes", "votes": 0, "hasVoted": False},
    }
    return fields | {entry["id"]: None for entry in site.fields if entry["id"].startswith("customfield_")}


def _with_resolution(site: Site, row: Row, fields: JsonObject, values: JsonObject, at: int) -> Row:
    _resolve(site, row, fields, values, None, at)
    resolved = fields.get("resolutiondate")
    return replace(row, resolved=parse_jira(resolved) if resolved else None)


def _resolve(site: Site, row: Row, fields: JsonObject, values: JsonObject, old_category: str | None, at: int) -> Items:
    """What follows from the other changes: resolution and its date, and the date of the status category."""
    items: Items = []
    category = (fields.get("status") or {}).get("statusCategory", {}).get("key")
    if category != old_category:
        if "statuscategorychangedate" in fields:
            fields["statuscategorychangedate"] = format_jira(at, site.zone)
        if "resolution" not in values and site.projects[row.project_id].sets_resolution:
            items += change(site, row, fields, "resolution", "Done" if category == "done" else None)
    if ("resolution" in values or items) and "resolutiondate" not in values:
        resolved = fields.get("resolution") is not None
        fields["resolutiondate"] = format_jira(at, site.zone) if resolved else None
    return items


def _created(history: bytes) -> int:
    created: str = msgspec.json.decode(history)["created"]
    return parse_jira(created)


def _record(site: Site, row: Row, fields: JsonObject, items: Items, at: int, author: User) -> Row:
    """Add a history in its place in time, and store the issue with what it changed."""
    histories = site.documents.histories(site.document(row))
    history = {
        "id": str(site.next_history_id()),
        "author": author.as_json(site.flavour),
        "created": format_jira(at, site.zone),
        "items": items,
    }
    place = len(histories)
    while place and _created(histories[place - 1]) > at:
        place -= 1
    histories.insert(place, encode(history))
    updated = max(row.updated, at)
    fields["updated"] = format_jira(updated, site.zone)
    resolved = fields.get("resolutiondate")
    status = str((fields.get("status") or {}).get("id", row.status_id))
    row = replace(row, updated=updated, resolved=parse_jira(resolved) if resolved else None, status_id=status)
    site.store(row, encode(fields), histories)
    return row

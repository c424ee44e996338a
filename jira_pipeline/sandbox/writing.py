"""Jira's own write endpoints in small, for people who try things by hand."""

from __future__ import annotations

from typing import Any

from . import changes
from .answers import Context, Refusal, json_answer, json_body, not_found
from .http_server import Request, Response
from .index import Row
from .model import SELF_BASE, JsonObject
from .values import UnknownValue

_BY_NAME = ("priority", "resolution", "issuetype")
_BY_NAMES = ("components", "fixVersions", "versions")


def create(context: Context, request: Request) -> Response:
    """POST /issue with `fields` as Jira takes them."""
    fields = _fields(request)
    project = fields.pop("project", None) or {}
    key = str(project.get("key") or project.get("id") or "")
    try:
        row = changes.create_issue(context.site, key, _now(context), context.site.account, _values(fields))
    except UnknownValue as error:
        raise Refusal(400, str(error)) from None
    url = f"{SELF_BASE}/rest/api/2/issue/{row.id}"
    return json_answer({"id": str(row.id), "key": context.site.key_of(row), "self": url}, 201)


def edit(context: Context, request: Request, key: str) -> Response:
    """PUT /issue/{key} with `fields`."""
    row = _visible(context, key)
    _update(context, row, _values(_fields(request)))
    return Response(204)


def delete(context: Context, request: Request, key: str) -> Response:
    """DELETE /issue/{key}."""
    row = _visible(context, key)
    changes.delete_issue(context.site, str(row.id))
    return Response(204)


def transitions(context: Context, request: Request, key: str) -> Response:
    """GET /issue/{key}/transitions: to every status of the workflow; a transition bears its status's id."""
    site, row = context.site, _visible(context, key)
    workflow = site.projects[row.project_id].workflow or tuple(site.statuses)
    found = [{"id": each, "name": site.statuses[each].name, "to": site.statuses[each].as_json()} for each in workflow]
    return json_answer({"expand": "transitions", "transitions": found})


def transition(context: Context, request: Request, key: str) -> Response:
    """POST /issue/{key}/transitions."""
    row = _visible(context, key)
    body = json_body(request)
    wanted = str((body.get("transition") or {}).get("id") or "")
    if wanted not in context.site.statuses:
        raise Refusal(400, f"Transition id '{wanted}' is not valid for this issue.")
    _update(context, row, {**_values(body.get("fields") or {}), "status": wanted})
    return Response(204)


def _visible(context: Context, key: str) -> Row:
    row = context.site.issue(key)
    if row is None:
        raise not_found()
    return row


def _update(context: Context, row: Row, values: JsonObject) -> None:
    try:
        changes.update_issue(context.site, str(row.id), _now(context), context.site.account, values)
    except UnknownValue as error:
        raise Refusal(400, str(error)) from None


def _now(context: Context) -> int:
    return context.site.clock_milliseconds()


def _fields(request: Request) -> JsonObject:
    fields = json_body(request).get("fields")
    if not isinstance(fields, dict):
        raise Refusal(400, "The request has no fields.")
    return dict(fields)


def _values(fields: JsonObject) -> JsonObject:
    """Jira's notation of values, such as {"name": "High"}, as `changes` takes them."""
    return {name: _value(name, value) for name, value in fields.items()}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict) and name in (*_BY_NAME, "assignee", "reporter", "parent"):
        return next((value[key] for key in ("accountId", "key", "name", "id") if key in value), None)
    if isinstance(value, list) and name in _BY_NAMES:
        return [each["name"] if isinstance(each, dict) else each for each in value]
    return value

"""Endpoints that only Jira Data Center has, after the 10.3 OpenAPI document and Atlassian's knowledge base."""

from __future__ import annotations

from typing import Any

from . import search
from .answers import Context, Refusal, bad_jql, json_answer, json_body, text_list, whole_number
from .documents import encode
from .http_server import Request, Response
from .jql import JqlError
from .model import JsonObject
from .people import directory
from .render import ALL_FIELDS, issue_bytes, select

MAX_PAGE = 1000
"""jira.search.views.default.max"""
MAX_WINDOW = 10_000
"""jira.search.platform.max.result.window of Jira 11"""

_SEARCH_PROPERTIES = ("jql", "startAt", "maxResults", "validateQuery", "fields", "expand", "properties", "fieldsByKeys")
_MAX_USERS = 1000
_MAX_USER_LIST = 2000


def search_issues(context: Context, request: Request) -> Response:
    """GET and POST /search: offset paging with a total, capped at 1,000 a page and a window of 10,000.

    `maxResults=0` only counts. POST wants `expand` as an array.
    """
    asked = _search_body(request) if request.method == "POST" else _search_query(request)
    start = max(0, whole_number(asked.get("startAt"), "startAt", 0))
    limit = whole_number(asked.get("maxResults"), "maxResults", 50)
    limit = MAX_PAGE if limit < 0 else min(limit, MAX_PAGE)
    if start + limit > MAX_WINDOW:
        raise Refusal(500, f"Search limit exceeded: startAt + maxResults must not be larger than {MAX_WINDOW}.")
    selection = select(asked["fields"], ALL_FIELDS)
    expand = asked["expand"]
    site = context.site
    fault = context.fault.kind if context.fault else None
    with site.lock:
        site.refresh_index()
        try:
            prepared = search.prepare(site, str(asked.get("jql") or ""))
        except JqlError as error:
            raise bad_jql(error) from None
        size = min(limit, max(1, context.fault.size)) if fault == "short_page" and context.fault else limit
        found = search.take(site, prepared, 0 if fault == "empty_page" else size, None, start)
        current = [site.rows[row.id] for row in found.rows if row.id in site.rows]
        changelog: Any = "search" if "changelog" in expand else "none"
        issues = [issue_bytes(site, row, selection, changelog, context.version) for row in current]
        count = search.total(site, prepared)
    head: JsonObject = {"expand": "schema,names", "startAt": start, "maxResults": limit, "total": count}
    if "names" in expand:
        head["names"] = {entry["id"]: entry["name"] for entry in site.fields}
    if fault == "truncated_result":
        head["warningMessages"] = ["The result was truncated."]
    return Response(200, b"".join([encode(head)[:-1], b',"issues":[', b",".join(issues), b"]}"]))


def user_search(context: Context, request: Request) -> Response:
    """GET /user/search: people whose name, key or e-mail contains `username`; never more than 1,000 in all."""
    wanted = (request.parameter("username") or request.parameter("query") or "").lower()
    if not wanted:
        raise Refusal(400, "The username query parameter was not provided.")
    start = whole_number(request.parameter("startAt"), "startAt", 0)
    size = min(_MAX_USERS, whole_number(request.parameter("maxResults"), "maxResults", 50))
    inactive = request.parameter("includeInactive") == "true"
    people = [
        user
        for user in directory(context.site)
        if (user.active or inactive)
        and (wanted == "." or any(wanted in text.lower() for text in (user.name, user.display_name, user.email or "")))
    ]
    return json_answer([user.as_json("datacenter") for user in people[:_MAX_USERS][start : start + size]])


def user_list(context: Context, request: Request) -> Response:
    """GET /user/list (Jira 10): everybody, by cursor, at most 2,000 a page."""
    size = min(_MAX_USER_LIST, whole_number(request.parameter("maxResults"), "maxResults", 100))
    cursor = whole_number(request.parameter("cursor"), "cursor", 0)
    people = directory(context.site)
    chosen = people[cursor : cursor + size]
    end = cursor + len(chosen)
    answer: JsonObject = {"values": [user.as_json("datacenter") for user in chosen], "isLast": end >= len(people)}
    if end < len(people):
        answer["nextCursor"] = str(end)
    return json_answer(answer)


def _search_query(request: Request) -> JsonObject:
    return {
        **{name: request.parameter(name) for name in ("jql", "startAt", "maxResults")},
        "fields": request.query.get("fields", []),
        "expand": [each for text in request.query.get("expand", []) for each in text.split(",")],
    }


def _search_body(request: Request) -> JsonObject:
    body = json_body(request, _SEARCH_PROPERTIES)
    for name in ("fields", "expand"):
        body[name] = text_list(body.get(name))
    return body

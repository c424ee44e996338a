"""Endpoints that only Jira Cloud has, after the v3 OpenAPI document and what was measured on live sites."""

from __future__ import annotations

from typing import Any

from . import search
from .answers import Context, Refusal, bad_jql, json_answer, json_body, page, text_list, whole_number
from .documents import encode
from .http_server import Request, Response
from .index import Position
from .jql import JqlError
from .model import JsonObject, Project, User
from .page_tokens import BAD_TOKEN, read_token, write_token
from .people import directory, lead_of
from .render import ALL_FIELDS, ID_ONLY, issue_bytes, select
from .site import Site
from .times import format_jira

REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline "
    "is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
UNBOUNDED = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."

_SEARCH_PROPERTIES = (
    "jql", "nextPageToken", "maxResults", "fields", "expand", "properties", "fieldsByKeys", "reconcileIssues",
)  # fmt: skip
_MAX_IDS_PAGE = 5000
_MAX_FIELDS_PAGE = 100
_MAX_BULK_ISSUES = 100


def removed_search(context: Context, request: Request) -> Response:
    """GET and POST /search, which Atlassian took away in 2025."""
    raise Refusal(410, REMOVED)


def search_jql(context: Context, request: Request) -> Response:
    """GET and POST /search/jql: token paging without a total. The token is checked first, then the page size."""
    asked = _search_body(request) if request.method == "POST" else _search_query(request)
    if context.identity != "account":
        return json_answer({"issues": [], "isLast": True})
    fault = context.fault.kind if context.fault else None
    if fault == "expired_token":
        raise Refusal(400, BAD_TOKEN)
    jql = str(asked.get("jql") or "")
    place = read_token(str(asked["nextPageToken"]), jql) if asked.get("nextPageToken") else {}
    limit = whole_number(asked.get("maxResults"), "maxResults", 50)
    if not 1 <= limit <= _MAX_IDS_PAGE:
        raise Refusal(400, f"The value of maxResults must be between 1 and {_MAX_IDS_PAGE}.")
    selection = select(asked["fields"], ID_ONLY)
    expand = str(asked.get("expand") or "").split(",")
    if not selection.only_identity or "changelog" in expand:
        limit = min(limit, _MAX_FIELDS_PAGE)
    reconcile = asked["reconcileIssues"]
    if len(reconcile) > 50:
        raise Refusal(400, "You may only reconcile a maximum of 50 issues at a time.")
    site = context.site
    with site.lock:
        site.refresh_index()
        if reconcile:
            site.reconcile({int(each) for each in reconcile if str(each).isdigit()})
        try:
            prepared = search.prepare(site, jql)
        except JqlError as error:
            raise bad_jql(error) from None
        if not prepared.bounded:
            raise Refusal(400, UNBOUNDED)
        if fault == "short_page" and context.fault:
            limit = min(limit, max(1, context.fault.size))
        after = Position(*place["k"]) if place.get("k") and not site.tokens_drift else None
        found = search.take(site, prepared, limit, after, place.get("o", 0))
        if fault == "empty_page":
            return _search_page([], write_token(jql, after, place.get("o", 0)))
        current = [site.rows[row.id] for row in found.rows if row.id in site.rows]
        changelog: Any = "search" if "changelog" in expand else "none"
        issues = [issue_bytes(site, row, selection, changelog, context.version) for row in current]
    token = write_token(jql, found.after, found.offset) if found.more else None
    extra: JsonObject = {}
    if fault == "repeated_token":
        token = str(asked.get("nextPageToken") or write_token(jql, None))
    elif fault == "missing_token" and token is not None:
        token, extra["isLast"] = None, False
    elif fault == "truncated_result":
        extra["warnings"] = ["The result was truncated due to ingestion limit."]
    extra |= _names_and_schema(site, expand)
    return _search_page(issues, token, extra)


def approximate_count(context: Context, request: Request) -> Response:
    """POST /search/approximate-count."""
    body = json_body(request, ("jql",))
    with context.site.lock:
        context.site.refresh_index()
        try:
            prepared = search.prepare(context.site, str(body.get("jql") or ""))
        except JqlError as error:
            raise bad_jql(error) from None
        if not prepared.bounded:
            raise Refusal(400, UNBOUNDED)
        return json_answer({"count": search.total(context.site, prepared)})


def bulk_fetch_issues(context: Context, request: Request) -> Response:
    """POST /issue/bulkfetch: up to 100 issues by id or key, read from the database and not from the index."""
    body = json_body(request, ("issueIdsOrKeys", "fields", "expand", "properties", "fieldsByKeys"))
    wanted = text_list(body.get("issueIdsOrKeys"))
    if not wanted:
        raise Refusal(400, "issueIdsOrKeys must not be empty.")
    if len(wanted) > _MAX_BULK_ISSUES:
        raise Refusal(400, f"You may only fetch a maximum of {_MAX_BULK_ISSUES} issues at a time.")
    selection = select(text_list(body.get("fields")), ALL_FIELDS)
    changelog: Any = "search" if "changelog" in text_list(body.get("expand")) else "none"
    with context.site.lock:
        rows = {row.id: row for each in wanted if (row := context.site.issue(each)) is not None}
        issues = [issue_bytes(context.site, row, selection, changelog, context.version) for row in rows.values()]
    return Response(200, b'{"issueErrors":[],"issues":[' + b",".join(issues) + b"]}")


def project_search(context: Context, request: Request) -> Response:
    """GET /project/search: pages of at most 100, live projects unless `status` says otherwise.

    `action=view`, the default, also lists a project that the account may administer and not browse; JQL then fails.
    """
    start = whole_number(request.parameter("startAt"), "startAt", 0)
    size = min(100, whole_number(request.parameter("maxResults"), "maxResults", 50))
    statuses = set(",".join(request.query.get("status", ["live"])).split(","))
    access = {"live": "open", "archived": "archived", "deleted": "trashed"}
    shown = {access.get(status, "") for status in statuses}
    if "live" in statuses and request.parameter("action", "view") == "view":
        shown.add("forbidden")
    expand = (request.parameter("expand") or "").split(",")
    keys = {key.upper() for key in request.query.get("keys", [])}
    with context.site.lock:
        projects = [each for each in context.site.projects.values() if each.access in shown]
        projects = [each for each in projects if not keys or each.key.upper() in keys]
        values = [_project(context.site, each, expand) for each in sorted(projects, key=lambda each: each.key)]
    return json_answer(page(values, start, size, f"{context.base_url}{request.path}"))


def users_search(context: Context, request: Request) -> Response:
    """GET /users/search: a bare array. Pages are cut first and filtered afterwards, so they come back shorter."""
    start = whole_number(request.parameter("startAt"), "startAt", 0)
    size = min(1000, whole_number(request.parameter("maxResults"), "maxResults", 50))
    with context.site.lock:
        people = directory(context.site)[start : start + size]
    return json_answer([user.as_json("cloud") for user in people if _listed(user)])


def tenant_info(context: Context, request: Request) -> Response:
    """GET /_edge/tenant_info, which tells the cloud id to anybody."""
    return json_answer({"cloudId": context.cloud_id})


def _listed(user: User) -> bool:
    return user.account_type != "customer" and user.account_id != "unknown"


def _search_query(request: Request) -> JsonObject:
    query = request.query
    return {
        "jql": request.parameter("jql"),
        "nextPageToken": request.parameter("nextPageToken"),
        "maxResults": request.parameter("maxResults"),
        "fields": query.get("fields", []),
        "expand": ",".join(query.get("expand", [])),
        "reconcileIssues": [each for text in query.get("reconcileIssues", []) for each in text.split(",")],
    }


def _search_body(request: Request) -> JsonObject:
    body = json_body(request, _SEARCH_PROPERTIES)
    if not isinstance(body.get("expand", ""), str | None):
        raise Refusal(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    for name in ("fields", "reconcileIssues", "properties"):
        body[name] = text_list(body.get(name))
    return body


def _search_page(issues: list[bytes], token: str | None, extra: JsonObject | None = None) -> Response:
    tail: JsonObject = dict(extra or {})
    if token is not None:
        tail["nextPageToken"] = token
    tail.setdefault("isLast", token is None)
    # Joined once: a page is megabytes, and every further copy of it is as much fresh memory.
    parts = [part for issue in issues for part in (b",", issue)]
    parts[:1] = [b'{"issues":[']
    return Response(200, b"".join([*parts, b"],", encode(tail)[1:]]))


def _names_and_schema(site: Site, expand: list[str]) -> JsonObject:
    extra: JsonObject = {}
    if "names" in expand:
        extra["names"] = {entry["id"]: entry["name"] for entry in site.fields}
    if "schema" in expand:
        extra["schema"] = {entry["id"]: entry["schema"] for entry in site.fields if "schema" in entry}
    return extra


def _project(site: Site, project: Project, expand: list[str]) -> JsonObject:
    value = project.as_json("cloud")
    value = {**value, "style": project.style, "isPrivate": False, "archived": project.access == "archived"}
    if "insight" in expand:
        rows = [row for row in site.rows.values() if row.project_id == project.id]
        value["insight"] = {"totalIssueCount": len(rows)}
        if rows:
            value["insight"]["lastIssueUpdateTime"] = format_jira(max(row.updated for row in rows), site.zone)
    lead = lead_of(site, project)
    if "lead" in expand and lead is not None:
        value["lead"] = lead.as_json("cloud")
    if "projectKeys" in expand:
        value["projectKeys"] = [project.key, *project.former_keys]
    return value

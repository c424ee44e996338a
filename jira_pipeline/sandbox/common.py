"""Endpoints that both flavours have."""

from __future__ import annotations

from typing import Any

from .answers import Context, Refusal, json_answer, not_found, whole_number
from .http_server import Request, Response
from .model import JsonObject, Project, Sprint
from .people import lead_of, myself
from .render import ALL_FIELDS, issue_bytes, select
from .site import Site
from .sprints import sprint_json
from .times import format_jira

_MAX_SPRINTS = 50


def server_info(context: Context, request: Request) -> Response:
    """GET /serverInfo, which anybody may ask."""
    cloud = context.site.flavour == "cloud"
    return json_answer(
        {
            "baseUrl": context.base_url,
            "version": "1001.0.0-SNAPSHOT" if cloud else "10.3.24",
            "versionNumbers": [1001, 0, 0] if cloud else [10, 3, 24],
            "deploymentType": "Cloud" if cloud else "Server",
            "buildNumber": 100_293 if cloud else 10_030_024,
            "serverTime": format_jira(context.site.clock_milliseconds(), context.site.zone),
            "serverTitle": "Jira sandbox",
        }
    )


def get_myself(context: Context, request: Request) -> Response:
    """GET /myself."""
    return json_answer(myself(context.site))


def get_fields(context: Context, request: Request) -> Response:
    """GET /field: every field that the account can see."""
    return json_answer(context.site.fields)


def get_statuses(context: Context, request: Request) -> Response:
    """GET /status: every status with its category. Names repeat when team-managed projects own theirs."""
    values: list[JsonObject] = []
    for status in context.site.statuses.values():
        value = dict(status.as_json())
        if status.project_id is not None and context.site.flavour == "cloud":
            value["scope"] = {"type": "PROJECT", "project": {"id": str(status.project_id)}}
        values.append(value)
    return json_answer(values)


def get_issue(context: Context, request: Request, key: str) -> Response:
    """GET /issue/{key}: by id, key or former key, from the database and not from the index."""
    expand = (request.parameter("expand") or "").split(",")
    selection = select(request.query.get("fields", []), ALL_FIELDS)
    changelog: Any = "issue" if "changelog" in expand else "none"
    with context.site.lock:
        row = context.site.issue(key)
        if row is None:
            raise not_found()
        return Response(200, issue_bytes(context.site, row, selection, changelog, context.version))


def get_project(context: Context, request: Request, key: str) -> Response:
    """GET /project/{key}: by id, key or former key."""
    project = context.site.project(key)
    if project is None or project.access not in ("open", "archived"):
        raise Refusal(404, f"No project could be found with key '{key}'.")
    return json_answer(project_detail(context.site, project))


def validate_project_key(context: Context, request: Request) -> Response:
    """GET /projectvalidate/key: whether a new project could have a key.

    It says that a key is taken whether or not the account may see the project that has it.
    """
    key = request.parameter("key") or ""
    taken = context.site.project(key) is not None
    errors = {"projectKey": "A project with that project key already exists."} if taken else {}
    return json_answer({"errorMessages": [], "errors": errors})


def list_projects(context: Context, request: Request) -> Response:
    """GET /project: unpaged; archived ones only on Data Center with includeArchived."""
    include = request.parameter("includeArchived") == "true" and context.site.flavour == "datacenter"
    shown = ("open", "archived") if include else ("open",)
    projects = sorted(context.site.projects.values(), key=lambda each: each.key)
    return json_answer([project_detail(context.site, each) for each in projects if each.access in shown])


def project_detail(site: Site, project: Project) -> JsonObject:
    """A project as lists of projects show it."""
    value = {**project.as_json(site.flavour), "archived": project.access == "archived"}
    lead = lead_of(site, project)
    if lead is not None:
        value["lead"] = lead.as_json(site.flavour)
    return value


def boards(context: Context, request: Request) -> Response:
    """GET /rest/agile/1.0/board: one Scrum board a project that has sprints."""
    values = [_board(context.site, board_id) for board_id in sorted({each.board_id for each in _sprints(context.site)})]
    wanted = request.parameter("projectKeyOrId")
    if wanted:
        project = context.site.project(wanted)
        values = [each for each in values if project is not None and each["location"]["projectId"] == project.id]
    return json_answer(_agile_page(values, request))


def board_configuration(context: Context, request: Request, board: str) -> Response:
    """GET /rest/agile/1.0/board/{id}/configuration: which field the board estimates with."""
    project = context.site.projects.get(int(board))
    if project is None:
        raise Refusal(
            404,
            "The requested board cannot be viewed because it either does not exist or you do not have "
            "permission to view it.",
        )
    configuration: JsonObject = {"id": int(board), "name": f"{project.key} board", "type": "scrum"}
    if project.story_points_fields:
        field_id = project.story_points_fields[0]
        configuration["estimation"] = {"type": "field", "field": {"fieldId": field_id}}
    return json_answer(configuration)


def board_sprints(context: Context, request: Request, board: str) -> Response:
    """GET /rest/agile/1.0/board/{id}/sprint, oldest first; `state` filters."""
    states = (request.parameter("state") or "closed,active,future").split(",")
    chosen = [each for each in _sprints(context.site) if each.board_id == int(board) and each.state in states]
    return json_answer(_agile_page([sprint_json(each) for each in chosen], request))


def get_sprint(context: Context, request: Request, sprint: str) -> Response:
    """GET /rest/agile/1.0/sprint/{id}."""
    found = context.site.sprints.get(int(sprint))
    if found is None:
        raise Refusal(404, "Sprint does not exist or you do not have permission to view it.")
    return json_answer(sprint_json(found))


def _sprints(site: Site) -> list[Sprint]:
    return sorted(site.sprints.values(), key=lambda each: each.id)


def _board(site: Site, board_id: int) -> JsonObject:
    """Boards of the sandbox bear their project's id."""
    project = site.projects[board_id]
    location = {"projectId": project.id, "projectKey": project.key, "projectName": project.name}
    return {"id": board_id, "name": f"{project.key} board", "type": "scrum", "location": location}


def _agile_page(values: list[JsonObject], request: Request) -> JsonObject:
    start = whole_number(request.parameter("startAt"), "startAt", 0)
    size = min(_MAX_SPRINTS, whole_number(request.parameter("maxResults"), "maxResults", _MAX_SPRINTS))
    chosen = values[start : start + size]
    return {"maxResults": size, "startAt": start, "isLast": start + len(chosen) >= len(values), "values": chosen}

"""From a request to its answer: faults, credentials, routes, identity headers, and the record of what was asked."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any

from . import cloud, cloud_changelogs, common, control, datacenter, writing
from .answers import Context, Endpoint, Refusal, json_answer, refusal_answer
from .credentials import Identity, OAuthCredentials, TokenCredentials
from .documents import encode
from .faults import Fault, Faults
from .http_server import Request, Response
from .mishaps import failed_page, replaced, spoiled
from .oauth import answer_token_request
from .site import Site
from .spoiling import PageFails


@dataclass(frozen=True)
class RecordedRequest:
    """A request that was answered. `body` is the JSON that came with it, None without one."""

    method: str
    path: str
    params: dict[str, list[str]]
    body: Any
    status: int


@dataclass(frozen=True)
class Route:
    """An endpoint and what its address looks like. `anonymous` ones need no credentials."""

    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint
    anonymous: bool = False


def _route(methods: str, path: str, endpoint: Endpoint, anonymous: bool = False) -> list[Route]:
    return [Route(method, re.compile(path), endpoint, anonymous) for method in methods.split()]


_API = "/rest/api/(?:2|3|latest)"
_VERSION_3 = "/rest/api/3/"
_KEY = "/([^/]+)"
_SHARED = [
    *_route("GET", f"{_API}/serverInfo", common.server_info, anonymous=True),
    *_route("GET", f"{_API}/myself", common.get_myself),
    *_route("GET", f"{_API}/field", common.get_fields),
    *_route("GET", f"{_API}/status", common.get_statuses),
    *_route("GET", f"{_API}/project", common.list_projects),
    *_route("GET", f"{_API}/projectvalidate/key", common.validate_project_key),
    *_route("GET", f"{_API}/issue{_KEY}", common.get_issue),
    *_route("POST", f"{_API}/issue", writing.create),
    *_route("PUT", f"{_API}/issue{_KEY}", writing.edit),
    *_route("DELETE", f"{_API}/issue{_KEY}", writing.delete),
    *_route("GET", f"{_API}/issue{_KEY}/transitions", writing.transitions),
    *_route("POST", f"{_API}/issue{_KEY}/transitions", writing.transition),
    *_route("GET", "/rest/agile/1.0/board", common.boards),
    *_route("GET", "/rest/agile/1.0/board/([0-9]+)/configuration", common.board_configuration),
    *_route("GET", "/rest/agile/1.0/board/([0-9]+)/sprint", common.board_sprints),
    *_route("GET", "/rest/agile/1.0/sprint/([0-9]+)", common.get_sprint),
]
_CLOUD = [
    *_route("GET POST", f"{_API}/search/jql", cloud.search_jql, anonymous=True),
    *_route("GET POST", f"{_API}/search", cloud.removed_search),
    *_route("POST", f"{_API}/search/approximate-count", cloud.approximate_count),
    *_route("POST", f"{_API}/changelog/bulkfetch", cloud_changelogs.bulk_fetch_changelogs),
    *_route("POST", f"{_API}/issue/bulkfetch", cloud.bulk_fetch_issues),
    *_route("GET", f"{_API}/issue{_KEY}/changelog", cloud_changelogs.issue_changelog),
    *_route("GET", f"{_API}/project/search", cloud.project_search),
    *_route("GET", f"{_API}/users(?:/search)?", cloud.users_search),
    *_route("GET", "/_edge/tenant_info", cloud.tenant_info, anonymous=True),
]
_DATA_CENTER = [
    *_route("GET POST", f"{_API}/search", datacenter.search_issues),
    *_route("GET", f"{_API}/user/search", datacenter.user_search),
    *_route("GET", f"{_API}/user/list", datacenter.user_list),
]
_LAST = [*_route("GET", f"{_API}/project{_KEY}", common.get_project)]
_WITHHELD = ("/users/search", "/users", "/user/search", "/user/list")


class Api:
    """Answers requests to one site. `context_path` is where a Data Center site lives below its host."""

    def __init__(
        self, site: Site, faults: Faults, credentials: TokenCredentials | OAuthCredentials, context_path: str
    ) -> None:
        self.site = site
        self.faults = faults
        self.credentials = credentials
        self.context_path = context_path
        self.base_url = ""
        self.users_forbidden = False
        self.requests: list[RecordedRequest] = []
        self.control: control.Control | None = None
        self._lock = threading.Lock()
        routes = _CLOUD if site.flavour == "cloud" else _DATA_CENTER
        self._routes = [*routes, *_SHARED, *_LAST]

    def answer(self, request: Request) -> Response:
        """The answer to a request, recorded in `requests`."""
        if request.path.startswith(f"{self.context_path}/sandbox/") and self.control is not None:
            return self.control.answer(request)
        fault = self.faults.choose(request)
        if fault is not None and fault.kind == "site_change" and fault.action is not None:
            fault.action()
        response = replaced(fault, self.site) if fault is not None else None
        if response is None:
            response = self._respond(request, fault)
            if fault is not None:
                response = spoiled(fault, response)
        response.headers.setdefault("Date", format_datetime(self.site.clock(), usegmt=True))
        self._record(request, response)
        return response

    def _respond(self, request: Request, fault: Fault | None) -> Response:
        if isinstance(self.credentials, OAuthCredentials) and request.path == "/oauth/token":
            return answer_token_request(self.credentials, request)
        path, through_gateway = self._local_path(request.path)
        identity = self.credentials.identify(request.headers.get("authorization"), through_gateway)
        if fault is not None and fault.kind == "anonymous":
            identity = "rejected"
        try:
            response = self._dispatch(request, path, identity, fault)
        except Refusal as refusal:
            response = refusal_answer(refusal)
        except PageFails:
            response = failed_page()
        self._identify(response, identity)
        return response

    def _dispatch(self, request: Request, path: str, identity: Identity, fault: Fault | None) -> Response:
        routes = [] if self.site.flavour == "datacenter" and path.startswith(_VERSION_3) else self._routes
        for route in routes:
            match = route.pattern.fullmatch(path) if route.method == request.method else None
            if match is None:
                continue
            if identity != "account" and not route.anonymous:
                return unauthorized()
            if self.users_forbidden and path.endswith(_WITHHELD):
                raise Refusal(403, "You are not authorized to perform this action.")
            version = 3 if path.startswith(_VERSION_3) else 2
            context = Context(self.site, self.base_url, self.credentials.cloud_id, version, identity, fault)
            return route.endpoint(context, request, *match.groups())
        return json_answer({"message": f"null for uri: {request.path}", "status-code": 404}, 404)

    def _local_path(self, path: str) -> tuple[str, bool]:
        """The path on the site, and whether it came through the gateway of scoped tokens and OAuth."""
        gateway = f"/ex/jira/{self.credentials.cloud_id}"
        if self.site.flavour == "cloud" and path.startswith(gateway + "/"):
            return path[len(gateway) :], True
        if not path.startswith(self.context_path + "/"):
            return "", False
        return path[len(self.context_path) :], False

    def _identify(self, response: Response, identity: Identity) -> None:
        """The headers by which a client can tell who it was taken for."""
        if self.site.flavour == "datacenter":
            name = self.site.account.name if identity == "account" else "anonymous"
            response.headers.setdefault("X-AUSERNAME", name)
        elif identity == "account":
            response.headers["X-AACCOUNTID"] = self.site.account.account_id
        if identity == "rejected":
            response.headers["X-Seraph-LoginReason"] = "AUTHENTICATED_FAILED"

    def _record(self, request: Request, response: Response) -> None:
        try:
            body = request.json() if request.body else None
        except ValueError:
            body = request.body.decode(errors="replace")
        with self._lock:
            self.requests.append(RecordedRequest(request.method, request.path, request.query, body, response.status))


def unauthorized() -> Response:
    """The 401 of missing or wrong credentials."""
    message = "Client must be authenticated to access this resource."
    body = encode({"message": message, "status-code": 401})
    return Response(401, body, headers={"WWW-Authenticate": 'OAuth realm=""'})

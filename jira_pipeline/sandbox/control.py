"""Addresses under /sandbox/ that change the site in ways Jira has no endpoint for, by hand with curl.

They need no credentials, since the sandbox listens on the loopback interface only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .answers import Refusal, json_answer, json_body, refusal_answer
from .faults import Fault
from .http_server import Request, Response
from .model import JsonObject
from .values import UnknownValue

if TYPE_CHECKING:
    from .sandbox import Sandbox


class Control:
    """The control addresses of one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._actions: dict[str, Callable[[str, JsonObject], Any]] = {
            "move": lambda key, body: {"key": sandbox.move_issue(key, str(body["project"]))},
            "update": lambda key, body: sandbox.update_issue(key, **body),
            "rename": lambda key, body: sandbox.rename_project(key, new_key=body.get("key"), new_name=body.get("name")),
            "forbid": lambda key, body: sandbox.forbid_project(key),
            "allow": lambda key, body: sandbox.allow_project(key),
            "archive": lambda key, body: sandbox.archive_project(key),
            "trash": lambda key, body: sandbox.trash_project(key),
        }

    def answer(self, request: Request) -> Response:
        """Answer GET or POST /sandbox/…; what the addresses are is in the error for an unknown one."""
        try:
            return json_answer(self._respond(request))
        except Refusal as refusal:
            return refusal_answer(refusal)
        except (UnknownValue, KeyError, TypeError, ValueError) as error:
            return refusal_answer(Refusal(400, f"{type(error).__name__}: {error}"))

    def _respond(self, request: Request) -> Any:
        parts = request.path.partition("/sandbox/")[2].split("/")
        sandbox = self._sandbox
        if request.method == "GET" and parts == ["issues"]:
            return sandbox.issues()
        if request.method == "GET" and parts == ["requests"]:
            return [asdict(each) for each in sandbox.requests]
        if request.method == "POST":
            body = json_body(request)
            if parts[0] in ("issues", "projects") and len(parts) == 3 and parts[2] in self._actions:
                return self._actions[parts[2]](parts[1], body)
            if parts == ["credentials", "revoke"]:
                return sandbox.revoke_credentials()
            if parts == ["credentials", "restore"]:
                return sandbox.restore_credentials()
            if parts == ["faults"]:
                rule = {name: body.pop(name) for name in ("path", "method", "nth", "times") if name in body}
                sandbox.faults.add(Fault(**body), **rule)
                return None
            if parts == ["faults", "clear"]:
                return sandbox.faults.clear()
        raise Refusal(
            404,
            "Addresses: GET /sandbox/issues, /sandbox/requests; POST /sandbox/issues/KEY/{move,update}, "
            "/sandbox/projects/KEY/{rename,forbid,allow,archive,trash}, /sandbox/credentials/{revoke,restore}, "
            "/sandbox/faults, /sandbox/faults/clear.",
        )

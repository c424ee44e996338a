"""Building blocks of endpoints: answers, refusals with Jira's messages, and reading of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .credentials import Identity
from .documents import encode
from .faults import Fault
from .http_server import Request, Response
from .jql import JqlError
from .model import JsonObject
from .site import Site


@dataclass(frozen=True)
class Context:
    """What an endpoint knows besides its request: the site, the API version, who asks, and a fault to put in."""

    site: Site
    base_url: str
    cloud_id: str
    version: int
    identity: Identity
    fault: Fault | None


Endpoint = Callable[..., Response]


class Refusal(Exception):
    """The request is answered with an error status and Jira's list of messages."""

    def __init__(self, status: int, *messages: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(*messages)
        self.status = status
        self.headers = headers or {}


def json_answer(value: Any, status: int = 200) -> Response:
    """An answer with a JSON body."""
    return Response(status, encode(value))


def refusal_answer(refusal: Refusal) -> Response:
    """A refusal in Jira's form."""
    return Response(
        refusal.status, encode({"errorMessages": list(refusal.args), "errors": {}}), headers=dict(refusal.headers)
    )


def bad_jql(error: JqlError) -> Refusal:
    """The 400 of a query that Jira does not accept."""
    return Refusal(400, str(error))


def not_found() -> Refusal:
    """The 404 of an issue that is missing or forbidden; the two are not told apart."""
    return Refusal(404, "Issue does not exist or you do not have permission to see it.")


def whole_number(value: Any, name: str, default: int) -> int:
    """A parameter as an integer. Raises Refusal (400) when it is none."""
    if value is None:
        return default
    try:
        if isinstance(value, bool | float):
            raise ValueError
        return int(value)
    except (ValueError, TypeError):
        raise Refusal(400, f"The value of {name} must be a whole number.") from None


def json_body(request: Request, allowed: Iterable[str] | None = None) -> JsonObject:
    """The JSON object of a request's body. Unknown properties are refused, as Jira's own parser does."""
    try:
        body = request.json() if request.body else {}
    except ValueError:
        body = None
    if not isinstance(body, dict) or (allowed is not None and not body.keys() <= set(allowed)):
        raise Refusal(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    return body


def text_list(value: Any) -> list[str]:
    """A list of strings from a JSON body, None meaning empty. Raises Refusal (400) when it is something else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str | int) for each in value):
        raise Refusal(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    return [str(each) for each in value]


def page(values: list[Any], start_at: int, max_results: int, self_url: str) -> JsonObject:
    """Jira's page object with startAt, total and isLast."""
    chosen = values[start_at : start_at + max_results]
    return {
        "self": self_url,
        "maxResults": max_results,
        "startAt": start_at,
        "total": len(values),
        "isLast": start_at + len(chosen) >= len(values),
        "values": chosen,
    }

"""How the faults look from outside: answers that replace the real one, and real ones that are spoiled."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

from .documents import encode
from .faults import Fault
from .http_server import Response, WireFault
from .site import Site

_LOGIN_PAGE = (
    b'<!DOCTYPE html>\n<html lang="en"><head><title>Log in - Jira</title></head><body><form action="/login.jsp" '
    b'method="post"><input name="os_username"><input name="os_password" type="password"></form></body></html>'
)
_WIRE: dict[str, WireFault] = {
    "reset_before_headers": "reset_before_headers", "reset_after_headers": "reset_after_headers",
    "cut_body": "cut_body", "hang": "hang",
}  # fmt: skip
_NEAR_LIMIT = {"X-RateLimit-NearLimit": "true", "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "12"}
_DATE_AHEAD = timedelta(seconds=2)


def replaced(fault: Fault, site: Site) -> Response | None:
    """The answer that a fault gives in place of the real one; None if the request is still to be answered."""
    kind = fault.kind
    if kind == "too_many_requests":
        return _too_many(fault, site)
    if kind == "server_error":
        return failed_page(fault.status)
    if kind == "redirect":
        return Response(302, headers={"Location": fault.location})
    if kind == "html_page":
        return Response(200, _LOGIN_PAGE, "text/html;charset=UTF-8")
    if kind == "empty_body":
        return Response(200, b"")
    if kind == "unauthorized":
        return Response(401, b'{"message":"Unauthorized","status-code":401}')
    if kind == "forbidden":
        body = b'{"errorMessages":["You do not have permission to do this."],"errors":{}}'
        return Response(403, body, headers=identity(site))
    if kind == "captcha":
        headers = {
            "X-Seraph-LoginReason": "AUTHENTICATION_DENIED",
            "X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example.com/login.jsp",
        }
        return Response(403, b"<html><body>Basic Authentication Failure</body></html>", "text/html", headers)
    if kind == "anonymous" and site.flavour == "datacenter":
        return _unknown_user(fault)
    if kind == "hang":
        return Response(wire="hang", hang_seconds=fault.seconds)
    if kind == "reset_before_headers":
        return Response(wire="reset_before_headers")
    return None


def identity(site: Site) -> dict[str, str]:
    """The header by which Jira says as whom it has answered, in refusals too."""
    if site.flavour == "cloud":
        return {"X-AACCOUNTID": site.account.account_id}
    return {"X-AUSERNAME": site.account.name}


def spoiled(fault: Fault, response: Response) -> Response:
    """A real answer as the fault leaves it."""
    if fault.kind in _WIRE:
        response.wire = _WIRE[fault.kind]
    elif fault.kind == "near_limit":
        response.headers |= _NEAR_LIMIT
    elif fault.kind == "malformed_json":
        response.body = response.body[: len(response.body) // 2]
    return response


def _unknown_user(fault: Fault) -> Response:
    """What a node of Data Center answers that takes the client for nobody: 401, or like something that is missing."""
    messages = {
        400: "A value with ID '10000' does not exist for the field 'project'.",
        404: "Issue does not exist or you do not have permission to see it.",
    }
    status = fault.status if fault.status in messages else 401
    body = encode({"errorMessages": [messages.get(status, "You are not authenticated.")], "errors": {}})
    return Response(status, body, headers={"X-AUSERNAME": "anonymous", "X-Seraph-LoginReason": "AUTHENTICATED_FAILED"})


def failed_page(status: int = 500) -> Response:
    """The HTML page of a server or a proxy that failed."""
    text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Response(status, text.encode(), "text/html;charset=UTF-8")


def _too_many(fault: Fault, site: Site) -> Response:
    headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0"}
    if site.flavour == "cloud":
        headers["RateLimit-Reason"] = "jira-burst-based"
    else:
        headers |= {"X-RateLimit-Interval-Seconds": "60", "X-RateLimit-FillRate": "10"}
    if fault.retry_after == "date":
        headers["Retry-After"] = format_datetime(site.clock() + _DATE_AHEAD, usegmt=True)
    elif fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    return Response(429, b'{"errorMessages":["Rate limit exceeded."],"errors":{}}', headers=headers)

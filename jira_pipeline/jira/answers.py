"""What an answer of Jira means: what was asked for, worth another attempt, or an error with one sentence about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from requests.structures import CaseInsensitiveDict

from jira_pipeline.jira.auth import Credentials
from jira_pipeline.jira.errors import (
    CredentialsRejected,
    JiraError,
    NotJira,
    PageTokenRejected,
    ProjectUnavailable,
    RequestRefused,
)
from jira_pipeline.jira.retry import RETRYABLE_STATUS, answer_time, retry_after


@dataclass(frozen=True)
class Answer:
    """A whole answer: the body has been read to its end."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes

    @property
    def server_time(self) -> datetime | None:
        """The site's clock when it answered."""
        return answer_time(self.headers)


@dataclass(eq=False)  # not frozen: an exception on its way is given its traceback
class Retry(Exception):
    """Why an attempt is to be made again. `after`: seconds that Jira asks to wait; `too_many`: it limits our rate;
    `signed_out`: it no longer took us for who we are."""

    reason: str
    after: float | None = None
    too_many: bool = False
    signed_out: bool = False


def judge(answer: Answer, method: str, path: str, credentials: Credentials, identity_header: str | None) -> None:
    """Return when the answer is what was asked for. Raises `Retry` when another attempt may bring it, and a `JiraError`
    when none will.

    `identity_header` is the header by which the site said at sign-in who we are; None: not signed in yet, or not told.
    """
    status, headers = answer.status, answer.headers
    server = credentials.server
    if status in RETRYABLE_STATUS:
        raise Retry(f"it answered {status}", retry_after(headers), too_many=status == 429)
    if 300 <= status < 400:
        raise NotJira(
            f"{server} redirects to {_host(headers.get('Location', ''), server)}: "
            "set JIRA_SERVER to the address that Jira itself uses."
        )
    login_reason = headers.get("X-Seraph-LoginReason", "")
    if status == 403 and "AUTHENTICATION_DENIED" in login_reason:
        raise CredentialsRejected(
            f"Jira at {server} wants a CAPTCHA solved before it lets this account in: "
            "sign in once in a browser with the same account, then run again."
        )
    if is_signed_out(answer):
        if identity_header is not None and headers.get("X-AUSERNAME", "").casefold() == "anonymous":
            raise Retry("a node of the site took us for somebody anonymous", signed_out=True)
        raise CredentialsRejected(credentials.rejection)
    if identity_header is not None and status < 500 and not _knows_us(headers, identity_header):
        # A proxy's page or an empty body says nothing about the credentials.
        from_jira = bool(answer.body) and not is_html(answer)
        raise Retry("it answered without saying who we are, as it does to somebody anonymous", signed_out=from_jira)
    if status == 200 and not is_html(answer):
        return
    if is_html(answer) and identity_header is None:
        raise NotJira(
            f"{server} answered {method} {path} with a web page ({status}), not with Jira's REST API: "
            "check JIRA_SERVER (the base URL, with the context path if there is one) "
            "and that no login page stands before it."
        )
    if status == 200:
        raise Retry("it answered with a web page instead of JSON")
    raise _refusal(answer, method, path, server)


def _refusal(answer: Answer, method: str, path: str, server: str) -> JiraError:
    said = _error_messages(answer.body)
    if answer.status == 410:
        return NotJira(f"Jira at {server} says that {path} has been removed: update jira_pipeline. It said: {said}")
    if answer.status == 400 and "page token" in said.casefold():
        return PageTokenRejected(f"Jira at {server} did not accept a page token any more: {said}", status=400)
    if answer.status == 400 and "for the field 'project'" in said.casefold():
        return ProjectUnavailable(
            f"Jira at {server} does not show this project to the account: check its permission to browse it. "
            f"It said: {said}"
        )
    return RequestRefused(
        f"Jira at {server} refused {method} {path} with {answer.status}: {said}",
        status=answer.status,
    )


def _error_messages(body: bytes) -> str:
    """Jira's own words from an error body, shortened; never the whole body, which may hold anything."""
    try:
        decoded = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "(no readable message)"
    if not isinstance(decoded, dict):
        return "(no readable message)"
    messages = [str(m) for m in decoded.get("errorMessages") or []]
    messages += (
        [f"{k}: {v}" for k, v in (decoded.get("errors") or {}).items()]
        if isinstance(decoded.get("errors"), dict)
        else []
    )
    if isinstance(decoded.get("message"), str):
        messages.append(decoded["message"])
    return " ".join(messages)[:500] or "(no message)"


def is_signed_out(answer: Answer) -> bool:
    """Whether the answer says that the credentials were not accepted."""
    # Cloud's search lets anybody in, and tells only by this header that it did not accept the credentials.
    login_reason = answer.headers.get("X-Seraph-LoginReason", "")
    return answer.status == 401 or "AUTHENTICATED_FAILED" in login_reason


def _knows_us(headers: Mapping[str, str], identity_header: str) -> bool:
    value = headers.get(identity_header)
    return value is not None and value.casefold() != "anonymous"


def is_html(answer: Answer) -> bool:
    """Whether the answer is a web page, by what it says of itself or by how it begins."""
    kind = answer.headers.get("Content-Type", "")
    return "html" in kind.casefold() or answer.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _host(location: str, server: str) -> str:
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else server

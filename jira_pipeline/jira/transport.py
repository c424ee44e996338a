"""The one place through which every request to Jira goes: sign-in, time-outs, retries, and what each answer means.

How answers are classified (docs/faults.md has the table): passing faults are retried here; `RunFatal` errors concern
every request of the run; the rest concerns the request that was made and is raised to whoever made it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from jira import JIRA
from requests.structures import CaseInsensitiveDict

from jira_pipeline.jira.auth import Credentials
from jira_pipeline.jira.errors import (
    CredentialsRejected,
    JiraError,
    NotJira,
    PageTokenRejected,
    ProjectUnavailable,
    RequestRefused,
    SiteUnavailable,
)
from jira_pipeline.jira.limiter import Limiter
from jira_pipeline.jira.oauth import BearerToken, OAuthTokens
from jira_pipeline.jira.retry import RETRYABLE_STATUS, RetryPolicy, answer_time, retry_after

T = TypeVar("T")
_CHUNK = 1 << 18


class Meter:
    """Counts what one project's requests cost. Shared by the threads that work for that project."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        self.retries = 0
        self.bytes_received = 0

    def count(self, *, requests: int = 0, retries: int = 0, bytes_received: int = 0) -> None:
        """Add to the counts."""
        with self._lock:
            self.requests += requests
            self.retries += retries
            self.bytes_received += bytes_received


@dataclass(frozen=True)
class Answer:
    """A whole answer: the body has been read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def server_time(self) -> datetime | None:
        """The site's clock when it answered."""
        return answer_time(self.headers)


@dataclass(frozen=True)
class _Retry(Exception):
    reason: str
    after: float | None = None
    too_many: bool = False
    signed_out: bool = False


class Transport:
    """Sends requests to one site for all threads: one session a thread, one limiter for all."""

    def __init__(
        self, credentials: Credentials, *, policy: RetryPolicy | None = None, limiter: Limiter | None = None
    ) -> None:
        self.credentials = credentials
        self.policy = policy or RetryPolicy()
        self.limiter = limiter or Limiter()
        self.identity_header: str | None = None
        self._oauth = OAuthTokens(credentials.oauth) if credentials.oauth else None
        self._threads = threading.local()
        # Threads that decode at once only take the interpreter's lock from each other, at a fifth of their time.
        self._decoding = threading.Lock()

    def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        decode: Callable[[bytes], T],
        meter: Meter | None = None,
    ) -> T:
        """GET `path` (below `rest/api/2/`, or from the site's root when it starts with `/`) and decode the body."""
        return self.exchange("GET", path, params=params, decode=decode, meter=meter)[0]

    def post(
        self, path: str, body: Mapping[str, Any], *, decode: Callable[[bytes], T], meter: Meter | None = None
    ) -> T:
        """POST a JSON body to `path` and decode the answer's. Only for Jira's reading endpoints: it is retried."""
        return self.exchange("POST", path, body=body, decode=decode, meter=meter)[0]

    def exchange(
        self,
        method: str,
        path: str,
        *,
        decode: Callable[[bytes], T],
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        meter: Meter | None = None,
    ) -> tuple[T, Answer]:
        """Make one request until it succeeds; returns the decoded body and the answer.

        Raises `SiteUnavailable` when the attempts or the time are used up, and at once what no retry can cure.
        """
        meter = meter or Meter()
        deadline = self.limiter.now() + self.policy.total_seconds
        attempt = 0
        wait = 0.0
        renewed = False
        while True:
            started = self.limiter.wait(wait)
            signature = self._oauth.current() if self._oauth else None
            attempt += 1
            meter.count(requests=1)
            try:
                answer = self._send(method, path, params, body, signature)
                meter.count(bytes_received=len(answer.body))
                if self._oauth and signature and not renewed and _is_signed_out(answer):
                    self._oauth.renew(signature)
                    renewed = True
                    raise _Retry("it did not accept the access token", after=0.0)
                self._judge(answer, method, path)
                decoded = self._decoded(answer, decode)
                self._keep_pace(answer, started)
                return decoded, answer
            except _Retry as fault:
                wait = fault.after if fault.after is not None else self.policy.backoff(attempt)
                if fault.too_many:
                    self.limiter.slow_down(started)
                # A wait that nobody will sit out ends this request, and must not hold the other threads either.
                if attempt >= self.policy.attempts or self.limiter.now() + wait > deadline:
                    if fault.signed_out:
                        raise CredentialsRejected(self.credentials.rejection) from fault
                    raise SiteUnavailable(
                        f"Jira at {self.credentials.server} did not answer {method} {path} "
                        f"in {attempt} attempts: {fault.reason}. Nothing is lost; the next run takes it up again."
                    ) from fault
                if fault.too_many or fault.after is not None:
                    # Jira's own word concerns the account, not this request: everybody waits.
                    self.limiter.pause(wait)
                meter.count(retries=1)

    def _keep_pace(self, answer: Answer, started: float) -> None:
        # Cloud says so when less than a fifth of the allowance is left.
        if CaseInsensitiveDict(answer.headers).get("X-RateLimit-NearLimit", "").casefold() == "true":
            self.limiter.slow_down(started)
        else:
            self.limiter.speed_up()

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        signature: BearerToken | None,
    ) -> Answer:
        client = self._client()
        url = self.credentials.server + path if path.startswith("/") else client._get_url(path)
        started = time.monotonic()
        try:
            # The unbound parent method keeps jira-python's authentication and headers, and leaves out its retries;
            # its own `request` would read the body whatever `stream` says.
            response = requests.Session.request(
                client._session,
                method,
                url,
                params=dict(params) if params else None,
                data=msgspec.json.encode(body) if body is not None else None,
                timeout=(self.policy.connect_timeout, self.policy.read_timeout),
                auth=signature,
                allow_redirects=False,
                stream=True,
            )
            with response:
                chunks = []
                for chunk in response.iter_content(_CHUNK):
                    chunks.append(chunk)
                    if time.monotonic() - started > self.policy.read_timeout * 5:
                        raise _Retry("the body came too slowly")
                return Answer(response.status_code, response.headers, b"".join(chunks))
        except requests.exceptions.SSLError as error:
            raise NotJira(
                f"The certificate of {self.credentials.server} could not be verified: "
                "check JIRA_SERVER, or set REQUESTS_CA_BUNDLE to your company's certificate file."
            ) from error
        except requests.exceptions.RequestException as error:
            raise _Retry(_plain_reason(error)) from error

    def _client(self) -> JIRA:
        client: JIRA | None = getattr(self._threads, "client", None)
        if client is None:
            client = JIRA(
                self.credentials.server,
                options={"headers": {"User-Agent": "jira-pipeline", "Accept": "application/json"}},
                get_server_info=False,
                max_retries=0,
                **self.credentials.client_options(),
            )
            self._threads.client = client
        return client

    def _decoded(self, answer: Answer, decode: Callable[[bytes], T]) -> T:
        try:
            with self._decoding:
                return decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if _is_html(answer):
                raise _Retry("it answered with a web page instead of JSON") from error
            raise _Retry(f"the body of {len(answer.body)} bytes is not readable JSON") from error

    def _judge(self, answer: Answer, method: str, path: str) -> None:
        status, headers = answer.status, CaseInsensitiveDict(answer.headers)
        server = self.credentials.server
        if status in RETRYABLE_STATUS:
            raise _Retry(f"it answered {status}", retry_after(headers), too_many=status == 429)
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
        if _is_signed_out(answer):
            if self.identity_header is not None and headers.get("X-AUSERNAME", "").casefold() == "anonymous":
                raise _Retry("a node of the site took us for somebody anonymous", signed_out=True)
            raise CredentialsRejected(self.credentials.rejection)
        if self.identity_header is not None and status < 500 and not _knows_us(headers, self.identity_header):
            # A proxy's page or an empty body says nothing about the credentials.
            from_jira = bool(answer.body) and not _is_html(answer)
            raise _Retry(
                "it answered without saying who we are, as it does to somebody anonymous", signed_out=from_jira
            )
        if status == 200 and not _is_html(answer):
            return
        if _is_html(answer) and self.identity_header is None:
            raise NotJira(
                f"{server} answered {method} {path} with a web page ({status}), not with Jira's REST API: "
                "check JIRA_SERVER (the base URL, with the context path if there is one) "
                "and that no login page stands before it."
            )
        if status == 200:
            raise _Retry("it answered with a web page instead of JSON")
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


def _is_signed_out(answer: Answer) -> bool:
    # Cloud's search lets anybody in, and tells only by this header that it did not accept the credentials.
    login_reason = CaseInsensitiveDict(answer.headers).get("X-Seraph-LoginReason", "")
    return answer.status == 401 or "AUTHENTICATED_FAILED" in login_reason


def _knows_us(headers: Mapping[str, str], identity_header: str) -> bool:
    value = headers.get(identity_header)
    return value is not None and value.casefold() != "anonymous"


def _is_html(answer: Answer) -> bool:
    kind = CaseInsensitiveDict(answer.headers).get("Content-Type", "")
    return "html" in kind.casefold() or answer.body[:64].lstrip().lower().startswith((b"<!doctype", b"<html"))


def _host(location: str, server: str) -> str:
    parts = urlsplit(location)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else server


def _plain_reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "the connection was not accepted in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "the answer did not come in time"
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return "the answer was cut off"
    return "the connection failed"

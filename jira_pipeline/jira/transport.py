"""The one place through which every request to Jira goes: sign-in, time-outs, pace and retries.

`answers` says what each answer means (docs/faults.md has the table): passing faults are retried here; `RunFatal` errors
concern every request of the run; the rest concerns the request that was made and is raised to whoever made it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
import requests
from jira import JIRA

from jira_pipeline.jira.answers import Answer, Retry, is_html, is_signed_out, judge
from jira_pipeline.jira.auth import Credentials
from jira_pipeline.jira.errors import (
    CredentialsRejected,
    NotJira,
    SiteUnavailable,
)
from jira_pipeline.jira.limiter import Limiter
from jira_pipeline.jira.oauth import BearerToken, OAuthTokens
from jira_pipeline.jira.retry import RetryPolicy

T = TypeVar("T")
_CHUNK = 1 << 20  # bytes: an answer has some megabytes, and every chunk is copied once more


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
            attempt += 1
            try:
                with self.limiter.request(wait) as started:
                    signature = self._oauth.current() if self._oauth else None
                    meter.count(requests=1)
                    answer = self._send(method, path, params, body, signature)
                meter.count(bytes_received=len(answer.body))
                if self._oauth and signature and not renewed and is_signed_out(answer):
                    self._oauth.renew(signature)
                    renewed = True
                    raise Retry("it did not accept the access token", after=0.0)
                judge(answer, method, path, self.credentials, self.identity_header)
                decoded = self._decoded(answer, decode)
                self._keep_pace(answer, started)
                return decoded, answer
            except Retry as fault:
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
        if answer.headers.get("X-RateLimit-NearLimit", "").casefold() == "true":
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
                        raise Retry("the body came too slowly")
                return Answer(response.status_code, response.headers, b"".join(chunks))
        except requests.exceptions.SSLError as error:
            raise NotJira(
                f"The certificate of {self.credentials.server} could not be verified: "
                "check JIRA_SERVER, or set REQUESTS_CA_BUNDLE to your company's certificate file."
            ) from error
        except requests.exceptions.RequestException as error:
            raise Retry(_plain_reason(error)) from error

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
            _settle_environment(client._session, self.credentials.server)
            self._threads.client = client
        return client

    def _decoded(self, answer: Answer, decode: Callable[[bytes], T]) -> T:
        try:
            with self._decoding:
                return decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if is_html(answer):
                raise Retry("it answered with a web page instead of JSON") from error
            raise Retry(f"the body of {len(answer.body)} bytes is not readable JSON") from error


def _settle_environment(session: requests.Session, server: str) -> None:
    # requests would look through the environment for proxies and certificates before every request, a millisecond each.
    found = session.merge_environment_settings(server, {}, None, None, None)
    session.proxies, session.verify = found["proxies"], found["verify"]
    session.trust_env = False


def _plain_reason(error: requests.exceptions.RequestException) -> str:
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "the connection was not accepted in time"
    if isinstance(error, requests.exceptions.Timeout):
        return "the answer did not come in time"
    if isinstance(error, (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError)):
        return "the answer was cut off"
    return "the connection failed"

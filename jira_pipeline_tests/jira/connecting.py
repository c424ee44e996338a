"""Signing in to sandboxes, quickly even where they fail, and a server that answers whatever a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jira_pipeline.jira.auth import Credentials, credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.pages import IssuePage, IssueRecord
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Sandbox

FAST = RetryPolicy(
    attempts=4, first_wait=0.01, longest_wait=0.05, total_seconds=20.0, connect_timeout=5.0, read_timeout=5.0
)
IMPATIENT = RetryPolicy(
    attempts=2, first_wait=0.01, longest_wait=0.05, total_seconds=20.0, connect_timeout=1.0, read_timeout=0.3
)
TOKEN = "a-secret-token-of-the-tests"


def sign_in(sandbox: Sandbox, policy: RetryPolicy = FAST) -> JiraSite:
    """Connect with the sandbox's credentials; the requests of that are not recorded."""
    site = connect(credentials_from(sandbox.credentials), policy=policy)
    sandbox.clear_requests()
    return site


def walked(site: JiraSite, window: IssueWindow, meter: Meter | None = None) -> list[IssuePage]:
    """All pages of a window, their issues with whole histories."""
    meter = meter or Meter()
    return [replace(page, issues=site.complete(page.issues, meter=meter)) for page in site.walk(window, meter=meter)]


def issues_of(pages: Iterable[IssuePage]) -> list[IssueRecord]:
    """The issues of pages, in order."""
    return [issue for page in pages for issue in page.issues]


def bearer(server: str) -> Credentials:
    """Credentials with a token that must never be seen anywhere."""
    return Credentials(server, personal_access_token=TOKEN)


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[str, int], Reply]


@contextmanager
def answering(answer: Answering) -> Iterator[tuple[str, list[str]]]:
    """A server that answers by path and by how many requests came before; gives its address and the paths asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            reply = answer(self.path, len(asked) - 1)
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body)), **reply.headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.do_GET()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)

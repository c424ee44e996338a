"""Every answer of a token endpoint, and the one sentence that it becomes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.jira.errors import AccessTokenUnavailable, CredentialsRejected, JiraError, NotJira
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.token_endpoint import OAuthApp, request_tokens

FAST = RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.02, connect_timeout=2.0, read_timeout=0.5)
SECRETS = ("hidden-secret", "hidden-refresh")


@contextmanager
def endpoint(
    status: int, body: object, headers: Mapping[str, str] | None = None
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A token endpoint with one answer; gives its address, and the requests it had: headers and body."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append({"headers": dict(self.headers), "body": json.loads(sent)})
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/oauth/token", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def ask(url: str) -> Any:
    return request_tokens(OAuthApp("client", "hidden-secret", url), "hidden-refresh", policy=FAST)


def test_the_request_is_the_one_that_atlassian_documents() -> None:
    with endpoint(200, {"access_token": "a", "refresh_token": "r", "expires_in": 3600}) as (url, asked):
        pair = ask(url)

    assert (pair.access_token, pair.refresh_token) == ("a", "r")
    (request,) = asked
    assert request["headers"]["Content-Type"] == "application/json"
    assert request["body"] == {
        "grant_type": "refresh_token",
        "client_id": "client",
        "client_secret": "hidden-secret",
        "refresh_token": "hidden-refresh",
    }


def test_a_netrc_file_adds_nothing_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with endpoint(200, {"access_token": "a"}) as (url, asked):
        ask(url)

    assert "Authorization" not in asked[0]["headers"]


def test_without_a_new_refresh_token_the_old_one_stays() -> None:
    """RFC 6749 §6: the server may leave it out."""
    with endpoint(200, {"access_token": "a", "expires_in": 100}) as (url, _):
        pair = ask(url)

    assert pair.refresh_token == "hidden-refresh"
    assert pair.expires_at - pair.renew_at == pytest.approx(50)  # a short life is halved


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("code", ["invalid_grant", "unauthorized_client"])
def test_a_dead_refresh_token_says_to_authorise_again_whatever_the_status(status: int, code: str) -> None:
    body = {"error": code, "error_description": "hidden-refresh is unknown"}
    expect(status, body, CredentialsRejected, f"({code})", "authorise the app again", "JIRA_OAUTH_REFRESH_TOKEN")


@pytest.mark.parametrize("code", ["invalid_client", "access_denied"])
def test_a_wrong_app_names_its_variables(code: str) -> None:
    body = {"error": code, "error_description": "Unauthorized"}
    expect(401, body, CredentialsRejected, "JIRA_OAUTH_CLIENT_ID and JIRA_OAUTH_CLIENT_SECRET")


def test_another_refusal_of_the_standard_is_repeated_by_its_code() -> None:
    expect(400, {"error": "invalid_request"}, CredentialsRejected, "(invalid_request)")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (404, b"<html>hidden-refresh</html>", {}),
        (403, {"error": "hidden-refresh"}, {}),
        (403, b"<html>blocked</html>", {}),
        (405, b"", {}),
    ],
)
def test_what_is_no_token_endpoint_names_the_variable(status: int, body: object, headers: Mapping[str, str]) -> None:
    expect(status, body, NotJira, f"answered {status}", "check JIRA_OAUTH_TOKEN_URL")


def test_secrets_are_not_sent_on_to_where_a_redirect_leads() -> None:
    with (
        endpoint(200, {"access_token": "stolen"}) as (elsewhere, stolen),
        endpoint(307, b"", {"Location": elsewhere}) as (url, asked),
    ):
        with pytest.raises(NotJira, match="answered 307"):
            ask(url)

        assert len(asked) == 1
        assert stolen == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        {},
        {"access_token": ""},
        {"access_token": "a", "expires_in": 0},
        b'{"access_token":"\xff"}',
    ],
)
def test_200_without_tokens_is_asked_for_again_and_then_told(body: object) -> None:
    with endpoint(200, body) as (url, asked):
        with pytest.raises(AccessTokenUnavailable, match="2 attempts: it answered 200 without tokens"):
            ask(url)

        assert len(asked) == 2


def test_nobody_there_is_told() -> None:
    with endpoint(200, {}) as (url, _):
        pass

    with pytest.raises(AccessTokenUnavailable, match="no whole answer came in time") as caught:
        ask(url)
    assert not isinstance(caught.value, CredentialsRejected)
    assert caught.value.exit_code == 1


def expect(status: int, body: object, error: type[JiraError], *parts: str) -> None:
    with endpoint(status, body) as (url, asked):
        with pytest.raises(error) as caught:
            ask(url)

        assert len(asked) == 1
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert [secret for secret in SECRETS if secret in message] == []
    assert "\n" not in message

"""The token endpoint of OAuth 2.0: a refresh token becomes a pair of new ones.

Atlassian's refresh tokens rotate (developer.atlassian.com, "OAuth 2.0 (3LO) apps", "Use a refresh token"): each refresh
replaces the token that was sent. A replaced one is taken again for ten minutes, so that a client whose answer was lost
can repeat its request; after that its use counts as theft, and every token that descends from it is revoked.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import requests

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.errors import AccessTokenUnavailable, CredentialsRejected, NotJira
from jira_pipeline.jira.retry import RETRYABLE_STATUS, RetryPolicy, retry_after

log = logging.getLogger(__name__)

ATLASSIAN_TOKEN_URL = "https://auth.atlassian.com/oauth/token"

# All attempts together take far less than the ten minutes in which a refresh token may be sent again.
TOKEN_POLICY = RetryPolicy(
    attempts=4, first_wait=2.0, longest_wait=15.0, total_seconds=120.0, connect_timeout=10.0, read_timeout=30.0
)
_RENEW_SECONDS_AHEAD = 300.0
_USUAL_LIFETIME = 3600

# RFC 6749 §5.2; Atlassian says `unauthorized_client` for a refresh token that it does not know (any more), and
# `access_denied` for a wrong secret.
_FAMILY_IS_GONE = frozenset({"invalid_grant", "unauthorized_client"})
_CLIENT_IS_WRONG = frozenset({"invalid_client", "access_denied"})
_OTHER_CODES = frozenset({"invalid_request", "unsupported_grant_type", "invalid_scope"})


@dataclass(frozen=True)
class OAuthApp:
    """An app registered in Atlassian's developer console, and the address where its tokens are renewed.

    Raises `SettingsError` when the address is not a web address.
    """

    client_id: str
    client_secret: str = field(repr=False)
    token_url: str = ATLASSIAN_TOKEN_URL

    def __post_init__(self) -> None:
        parts = urlsplit(self.token_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise SettingsError(
                f"JIRA_OAUTH_TOKEN_URL is not the bare web address of a token endpoint: leave it out for Atlassian's, "
                f"{ATLASSIAN_TOKEN_URL}."
            )


@dataclass(frozen=True)
class TokenPair:
    """An access token and the refresh token that renews it. Instants are seconds since 1970 by the local clock."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    renew_at: float
    expires_at: float


class _Answer(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    refresh_token: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    expires_in: Annotated[float, msgspec.Meta(gt=0)] = _USUAL_LIFETIME


class _Refusal(msgspec.Struct):
    error: str = ""


@dataclass(frozen=True)
class _Passing(Exception):
    reason: str
    after: float | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_refusal = msgspec.json.Decoder(_Refusal).decode


def request_tokens(app: OAuthApp, refresh_token: str, *, policy: RetryPolicy = TOKEN_POLICY) -> TokenPair:
    """Exchange a refresh token for a new pair (RFC 6749 §6), asking again where the fault is a passing one.

    Raises `CredentialsRejected` when the token or the app is refused, `NotJira` when the address is no token endpoint,
    and `AccessTokenUnavailable` when no answer came: that says nothing about the token, which may have been replaced.
    """
    started = time.monotonic()
    attempt = 0
    while True:
        attempt += 1
        asked_at = time.time()
        try:
            answer = _ask(app, refresh_token, policy)
        except _Passing as fault:
            wait = policy.backoff(attempt) if fault.after is None else fault.after
            if attempt >= policy.attempts or time.monotonic() - started + wait > policy.total_seconds:
                raise AccessTokenUnavailable(
                    f"The OAuth token endpoint {app.token_url} gave no new access token in {attempt} attempts: "
                    f"{fault.reason}. Nothing is lost; run again in a few minutes."
                ) from fault
            log.warning("%s: %s; asking again in %.0f s", app.token_url, fault.reason, wait)
            time.sleep(wait)
            continue
        return TokenPair(
            access_token=answer.access_token,
            refresh_token=answer.refresh_token or refresh_token,
            renew_at=asked_at + max(answer.expires_in - _RENEW_SECONDS_AHEAD, answer.expires_in / 2),
            expires_at=asked_at + answer.expires_in,
        )


def _ask(app: OAuthApp, refresh_token: str, policy: RetryPolicy) -> _Answer:
    try:
        response = requests.post(
            app.token_url,
            json={
                "grant_type": "refresh_token",
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "refresh_token": refresh_token,
            },
            headers={"Accept": "application/json", "User-Agent": "jira-pipeline"},
            timeout=(policy.connect_timeout, policy.read_timeout),
            allow_redirects=False,
            auth=_no_authorization,
        )
    except requests.exceptions.SSLError as error:
        raise NotJira(
            f"The certificate of the OAuth token endpoint {app.token_url} could not be verified: "
            "check JIRA_OAUTH_TOKEN_URL, or set REQUESTS_CA_BUNDLE to your company's certificate file."
        ) from error
    except requests.exceptions.RequestException as error:
        raise _Passing("no whole answer came in time") from error
    if response.status_code in RETRYABLE_STATUS:
        raise _Passing(f"it answered {response.status_code}", retry_after(response.headers))
    if response.status_code == 200:
        try:
            return _decode_answer(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _Passing("it answered 200 without tokens") from error
    raise _refusal(app, response)


def _refusal(app: OAuthApp, response: requests.Response) -> CredentialsRejected | NotJira:
    # Only codes that the standard knows are repeated: whatever else the answer holds might be a secret.
    try:
        code = _decode_refusal(response.content).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        code = ""
    if code in _FAMILY_IS_GONE:
        return CredentialsRejected(
            f"The OAuth refresh token is not accepted any more ({code}): it has been revoked, has not been used for "
            "90 days, or was used elsewhere too; authorise the app again, with the scope offline_access, and set "
            "JIRA_OAUTH_REFRESH_TOKEN to the new refresh token."
        )
    if code in _CLIENT_IS_WRONG:
        return CredentialsRejected(
            f"The OAuth token endpoint {app.token_url} does not know this app ({code}): check JIRA_OAUTH_CLIENT_ID and "
            "JIRA_OAUTH_CLIENT_SECRET against the app's settings in Atlassian's developer console."
        )
    if code in _OTHER_CODES:
        return CredentialsRejected(
            f"The OAuth token endpoint {app.token_url} refused to renew the access token ({code}): check "
            "JIRA_OAUTH_CLIENT_ID, JIRA_OAUTH_CLIENT_SECRET and JIRA_OAUTH_REFRESH_TOKEN."
        )
    return NotJira(
        f"{app.token_url} answered {response.status_code}, which no OAuth token endpoint does: "
        f"check JIRA_OAUTH_TOKEN_URL, or leave it out for Atlassian's, {ATLASSIAN_TOKEN_URL}."
    )


def _no_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from adding what a ~/.netrc may have for this host: the app signs in through the body."""
    return request

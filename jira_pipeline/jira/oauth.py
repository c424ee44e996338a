"""OAuth 2.0 (3LO): access tokens of an hour, renewed by a refresh token that is another one after each renewal.

Whoever renews must store the new refresh token before anything else, and nobody may renew with the old one meanwhile:
all threads and processes share one token file, and one of them at a time renews.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from filelock import FileLock, Timeout
from requests.auth import AuthBase

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.errors import AccessTokenUnavailable
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.token_endpoint import TOKEN_POLICY, OAuthApp, TokenPair, request_tokens
from jira_pipeline.jira.token_file import StoredTokens, read_token_file, ready_to_write

log = logging.getLogger(__name__)

_LOCK_SECONDS = 300.0  # longer than all attempts of another process together
_PAUSE_AFTER_FAILURE = 30.0


@dataclass(frozen=True)
class OAuthSettings:
    """How to renew access tokens: the app, the file with the current pair, and the refresh token to begin with, which
    may be absent once the file is there."""

    app: OAuthApp
    token_file: Path
    refresh_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.refresh_token is None and not self.token_file.exists():
            raise SettingsError(
                f"JIRA_OAUTH_REFRESH_TOKEN is not set and there is no token file {self.token_file} yet: authorise "
                "the app with the scope offline_access, and set the variable to the refresh token you are given."
            )


@dataclass(frozen=True)
class BearerToken(AuthBase):
    """Signs one request with an access token (RFC 6750 §2.1)."""

    access_token: str = field(repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the Authorization header."""
        request.headers["Authorization"] = f"Bearer {self.access_token}"
        return request


class OAuthTokens:
    """Keeps an access token valid for all threads of this process, and in step with other processes.

    State guarded: the pair in use, and the instant before which a failed early renewal is not tried again.
    """

    def __init__(self, settings: OAuthSettings, *, policy: RetryPolicy = TOKEN_POLICY) -> None:
        self._settings = settings
        self._policy = policy
        # A link stays a link: the new file replaces what it leads to.
        self._path = settings.token_file.resolve()
        self._lock = threading.Lock()
        self._pair: TokenPair | None = None
        self._renewal_paused_until = 0.0

    def current(self) -> BearerToken:
        """What to sign the next request with, renewed some minutes ahead of its expiry.

        Raises `SettingsError` for a token file that cannot be used, and the errors of
        `token_endpoint.request_tokens`; a passing fault is no error while the old access token is valid.
        """
        with self._lock:
            if self._pair is None:
                stored = read_token_file(self._path)
                self._pair = stored.pair if stored is not None and self._is_current(stored) else None
            pair = self._pair
            if pair is None or pair.renew_at <= time.time():
                pair = self._renewed_early(pair)
            return BearerToken(pair.access_token)

    def renew(self, rejected: BearerToken) -> None:
        """Take another access token in place of one that Jira did not accept. Raises as `current` does."""
        with self._lock:
            if self._pair is None or self._pair.access_token == rejected.access_token:
                self._pair = self._renewed(rejected.access_token)

    def _renewed_early(self, pair: TokenPair | None) -> TokenPair:
        """A new pair, or the old one when renewal fails for a passing reason before it is needed."""
        now = time.time()
        if pair is not None and now < min(self._renewal_paused_until, pair.expires_at):
            return pair
        try:
            self._pair = self._renewed(None)
        except AccessTokenUnavailable as fault:
            if pair is None or pair.expires_at <= time.time():
                raise
            log.warning("%s The present access token is good for %.0f s more.", fault, pair.expires_at - time.time())
            self._renewal_paused_until = time.time() + _PAUSE_AFTER_FAILURE
            return pair
        return self._pair

    def _renewed(self, rejected: str | None) -> TokenPair:
        with self._only_process():
            stored = read_token_file(self._path)
            if stored is not None and self._is_current(stored):
                pair, begun_with = stored.pair, stored.begun_with
                if pair.renew_at > time.time() and pair.access_token != rejected:
                    return pair  # another process has renewed it
                refresh_token = pair.refresh_token
            else:
                given = self._given()
                refresh_token = given
                begun_with = (*(stored.begun_with if stored else ()), _digest(given))
            with ready_to_write(self._path) as store:
                renewed = request_tokens(self._settings.app, refresh_token, policy=self._policy)
                store(StoredTokens(renewed, begun_with))
            log.info("renewed the OAuth access token; %s holds the new refresh token", self._path)
            return renewed

    def _is_current(self, stored: StoredTokens) -> bool:
        """Whether the file descends from the variable's token. If not, the user has authorised the app anew since."""
        given = self._settings.refresh_token
        return given is None or _digest(given) in stored.begun_with

    def _given(self) -> str:
        given = self._settings.refresh_token
        if given is None:
            raise SettingsError(
                f"The OAuth token file {self._path} has disappeared: authorise the app again and set "
                "JIRA_OAUTH_REFRESH_TOKEN to the new refresh token."
            )
        return given

    @contextmanager
    def _only_process(self) -> Iterator[None]:
        lock = FileLock(self._path.with_name(f"{self._path.name}.lock"), mode=0o600)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire(timeout=_LOCK_SECONDS)
        except Timeout as error:
            raise AccessTokenUnavailable(
                f"Another process has been renewing the OAuth tokens in {self._path} for {_LOCK_SECONDS / 60:.0f} "
                "minutes: stop it if it hangs, then run again."
            ) from error
        except OSError as error:
            raise SettingsError(
                f"The OAuth token file {self._path} cannot be written ({error.strerror}): set JIRA_OAUTH_TOKEN_FILE "
                "to a file in a directory that belongs to you."
            ) from error
        try:
            yield
        finally:
            lock.release()


def _digest(refresh_token: str) -> str:
    return hashlib.sha256(refresh_token.encode()).hexdigest()

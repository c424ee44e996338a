"""Credentials: which of the ways to sign in is configured, and what may be said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.oauth import OAuthSettings
from jira_pipeline.jira.token_endpoint import ATLASSIAN_TOKEN_URL, OAuthApp
from jira_pipeline.settings import database_path_from

_GATEWAY = "/ex/jira/"


@dataclass(frozen=True)
class Credentials:
    """Where the site is and how to sign in. Secrets are left out of `repr`, so that no log or traceback shows them."""

    server: str
    email: str | None = None
    api_token: str | None = field(default=None, repr=False)
    personal_access_token: str | None = field(default=None, repr=False)
    oauth: OAuthSettings | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"JIRA_SERVER is {self.server!r}, which is not a web address: set it to the site's base URL, "
                "for example https://acme.atlassian.net."
            )
        if parts.username or parts.password:
            raise SettingsError(
                "JIRA_SERVER contains a user name or a password: set it to the bare base URL and put the credentials "
                "into JIRA_EMAIL and JIRA_API_TOKEN, or into JIRA_PERSONAL_ACCESS_TOKEN."
            )
        for name, value in (
            ("JIRA_EMAIL", self.email),
            ("JIRA_API_TOKEN", self.api_token),
            ("JIRA_PERSONAL_ACCESS_TOKEN", self.personal_access_token),
        ):
            # It could not be sent; and the standard library's complaint would show all of it.
            if value and not (value.isascii() and value.isprintable()):
                raise SettingsError(
                    f"{name} holds a line break or a letter outside ASCII, which neither a token nor its account's "
                    "address has: set it to a fresh copy."
                )
        if self.oauth and (self.api_token or self.personal_access_token):
            other = "JIRA_PERSONAL_ACCESS_TOKEN" if self.personal_access_token else "JIRA_API_TOKEN"
            raise SettingsError(
                f"Both OAuth (JIRA_OAUTH_CLIENT_ID) and {other} are set, two ways to sign in: unset one of them."
            )
        if self.oauth or self.personal_access_token:
            return
        missing = [
            name for name, value in (("JIRA_EMAIL", self.email), ("JIRA_API_TOKEN", self.api_token)) if not value
        ]
        if len(missing) == 2:
            raise SettingsError(
                "No credentials for Jira are set: set JIRA_EMAIL and JIRA_API_TOKEN for Jira Cloud (or the three "
                "JIRA_OAUTH_… variables), or JIRA_PERSONAL_ACCESS_TOKEN for Jira Data Center."
            )
        if missing:
            raise SettingsError(
                f"{missing[0]} is not set: set it, because signing in to Jira Cloud needs both JIRA_EMAIL and "
                "JIRA_API_TOKEN."
            )

    @property
    def rejection(self) -> str:
        """One sentence for the case that the site does not accept these credentials."""
        if self.oauth is None:
            if self.personal_access_token:
                return (
                    f"Jira at {self.server} did not accept the credentials in JIRA_PERSONAL_ACCESS_TOKEN: check "
                    "that they are complete, not expired, and made for this site."
                )
            return (
                f"Jira at {self.server} did not accept the credentials in JIRA_EMAIL and JIRA_API_TOKEN: check that "
                "they are complete, not expired, and made for this site. A token with scopes is good for Atlassian's "
                f"gateway only: then JIRA_SERVER must be https://api.atlassian.com{_GATEWAY}<cloudId>, and the scopes "
                "read:jira-work and read:jira-user."
            )
        if _GATEWAY not in urlsplit(self.server).path + "/":
            return (
                f"Jira at {self.server} did not accept the OAuth access token, which is good for Atlassian's gateway "
                f"only: set JIRA_SERVER to https://api.atlassian.com{_GATEWAY}<cloudId>, with the cloudId that "
                f"{self.server}/_edge/tenant_info tells."
            )
        return (
            f"Jira at {self.server} did not accept a fresh OAuth access token: check that the app is authorised for "
            "this site (the cloudId in JIRA_SERVER) with the scopes read:jira-work, read:jira-user and offline_access."
        )

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for `jira.JIRA`: Basic for an API token, Bearer for a personal access token; none for
        OAuth, whose tokens change, so that each request is signed by itself."""
        if self.oauth:
            return {}
        if self.personal_access_token:
            return {"token_auth": self.personal_access_token}
        return {"basic_auth": (self.email, self.api_token)}


def credentials_from(environ: Mapping[str, str]) -> Credentials:
    """Read the credentials from environment variables; raises `SettingsError` naming the variable that is missing."""
    server = environ.get("JIRA_SERVER", "").strip()
    if not server:
        raise SettingsError(
            "JIRA_SERVER is not set: set it to the site's base URL, for example https://acme.atlassian.net."
        )
    return Credentials(
        server=server.rstrip("/"),
        # Without the line break at the end that secrets read from files have.
        email=environ.get("JIRA_EMAIL", "").strip() or None,
        api_token=environ.get("JIRA_API_TOKEN", "").strip() or None,
        personal_access_token=environ.get("JIRA_PERSONAL_ACCESS_TOKEN", "").strip() or None,
        oauth=_oauth_from(environ),
    )


def _oauth_from(environ: Mapping[str, str]) -> OAuthSettings | None:
    names = ("JIRA_OAUTH_CLIENT_ID", "JIRA_OAUTH_CLIENT_SECRET", "JIRA_OAUTH_REFRESH_TOKEN")
    client_id, client_secret, refresh_token = (environ.get(name, "").strip() for name in names)
    if not (client_id or client_secret or refresh_token):
        return None
    for name, value in zip(names, (client_id, client_secret), strict=False):
        if not value:
            raise SettingsError(
                f"{name} is not set: set it, because signing in with OAuth needs JIRA_OAUTH_CLIENT_ID, "
                "JIRA_OAUTH_CLIENT_SECRET and, to begin with, JIRA_OAUTH_REFRESH_TOKEN."
            )
    token_file = environ.get("JIRA_OAUTH_TOKEN_FILE", "").strip()
    return OAuthSettings(
        app=OAuthApp(client_id, client_secret, environ.get("JIRA_OAUTH_TOKEN_URL", "").strip() or ATLASSIAN_TOKEN_URL),
        token_file=Path(token_file).expanduser()
        if token_file
        else database_path_from(environ).with_name("jira_oauth.json"),
        refresh_token=refresh_token or None,
    )

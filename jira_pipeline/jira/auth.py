"""Credentials: which of the ways to sign in is configured, and what may be said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from jira_pipeline.errors import SettingsError


@dataclass(frozen=True)
class Credentials:
    """Where the site is and how to sign in. Secrets are left out of `repr`, so that no log or traceback shows them."""

    server: str
    email: str | None = None
    api_token: str | None = field(default=None, repr=False)
    personal_access_token: str | None = field(default=None, repr=False)

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
        if self.personal_access_token:
            return
        missing = [
            name for name, value in (("JIRA_EMAIL", self.email), ("JIRA_API_TOKEN", self.api_token)) if not value
        ]
        if len(missing) == 2:
            raise SettingsError(
                "No credentials for Jira are set: set JIRA_EMAIL and JIRA_API_TOKEN for Jira Cloud, "
                "or JIRA_PERSONAL_ACCESS_TOKEN for Jira Data Center."
            )
        if missing:
            raise SettingsError(
                f"{missing[0]} is not set: signing in to Jira Cloud needs both JIRA_EMAIL and JIRA_API_TOKEN."
            )

    @property
    def variables(self) -> str:
        """Names of the environment variables that these credentials come from, for messages."""
        return "JIRA_PERSONAL_ACCESS_TOKEN" if self.personal_access_token else "JIRA_EMAIL and JIRA_API_TOKEN"

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments for `jira.JIRA`: Basic for an API token, Bearer for a personal access token."""
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
        email=environ.get("JIRA_EMAIL") or None,
        api_token=environ.get("JIRA_API_TOKEN") or None,
        personal_access_token=environ.get("JIRA_PERSONAL_ACCESS_TOKEN") or None,
    )

"""Who may ask: API tokens, personal access tokens, and OAuth 2.0 access tokens that a rotating refresh token renews."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .model import Flavour, JsonObject

Identity = Literal["account", "anonymous", "rejected"]
Authentication = Literal["token", "scoped_token", "oauth"]

ACCESS_TOKEN_SECONDS = 3600
REUSE_LEEWAY_SECONDS = 600
_SCOPES = ("read:jira-work", "read:jira-user", "offline_access")


@dataclass
class TokenCredentials:
    """Basic with e-mail and API token on Cloud, Bearer with a personal access token on Data Center.

    A classic API token works on the site's own address only, a scoped one only through the gateway
    `/ex/jira/<cloudId>`.
    """

    flavour: Flavour
    email: str
    token: str
    cloud_id: str
    scoped: bool = False
    accepted: bool = True

    def identify(self, authorization: str | None, through_gateway: bool) -> Identity:
        """Who a request with this Authorization header comes from."""
        if authorization is None:
            return "anonymous"
        right = self.accepted and through_gateway == self.scoped and authorization == self.header
        return "account" if right else "rejected"

    @property
    def header(self) -> str:
        """The Authorization header that is accepted."""
        if self.flavour == "datacenter":
            return f"Bearer {self.token}"
        return "Basic " + base64.b64encode(f"{self.email}:{self.token}".encode()).decode()

    def environment(self, url: str) -> dict[str, str]:
        """JIRA_SERVER, and the variables of an API token or of a personal access token."""
        if self.flavour == "datacenter":
            return {"JIRA_SERVER": url, "JIRA_PERSONAL_ACCESS_TOKEN": self.token}
        server = f"{url}/ex/jira/{self.cloud_id}" if self.scoped else url
        return {"JIRA_SERVER": server, "JIRA_EMAIL": self.email, "JIRA_API_TOKEN": self.token}


@dataclass
class OAuthCredentials:
    """OAuth 2.0 (3LO): access tokens of an hour, and refresh tokens that each refresh replaces.

    A replaced refresh token is still taken within ten minutes of its first use; later use is taken for theft and
    revokes the whole family (developer.atlassian.com, "Refresh tokens").
    """

    cloud_id: str
    clock_milliseconds: Callable[[], int]
    client_id: str = "sandbox-client"
    client_secret: str = "sandbox-client-secret"
    accepted: bool = True
    refreshes: int = 0
    _access: dict[str, int] = field(default_factory=dict)
    _used: dict[str, int] = field(default_factory=dict)

    def identify(self, authorization: str | None, through_gateway: bool) -> Identity:
        """Who a request with this Authorization header comes from."""
        if authorization is None:
            return "anonymous"
        expires = self._access.get(authorization.removeprefix("Bearer "), 0)
        right = self.accepted and through_gateway and self.clock_milliseconds() < expires
        return "account" if right else "rejected"

    def environment(self, url: str) -> dict[str, str]:
        """JIRA_SERVER, and the variables of OAuth with the newest refresh token."""
        return {
            "JIRA_SERVER": f"{url}/ex/jira/{self.cloud_id}",
            "JIRA_OAUTH_CLIENT_ID": self.client_id,
            "JIRA_OAUTH_CLIENT_SECRET": self.client_secret,
            "JIRA_OAUTH_REFRESH_TOKEN": self._refresh_token(self.refreshes),
            "JIRA_OAUTH_TOKEN_URL": f"{url}/oauth/token",
        }

    def refresh(self, asked: JsonObject) -> JsonObject | None:
        """A new pair of tokens for a refresh token, None when it is not valid (any more)."""
        now = self.clock_milliseconds()
        token = str(asked.get("refresh_token"))
        known = token in self._used or token == self._refresh_token(self.refreshes)
        right = (asked.get("client_id"), asked.get("client_secret")) == (self.client_id, self.client_secret)
        if not (self.accepted and known and right and asked.get("grant_type") == "refresh_token"):
            return None
        if now - self._used.setdefault(token, now) > REUSE_LEEWAY_SECONDS * 1000:
            self.accepted = False
            return None
        self.refreshes += 1
        access = f"sandbox-access-{self.refreshes}"
        self._access[access] = now + ACCESS_TOKEN_SECONDS * 1000
        return {
            "access_token": access,
            "refresh_token": self._refresh_token(self.refreshes),
            "expires_in": ACCESS_TOKEN_SECONDS,
            "token_type": "Bearer",
            "scope": " ".join(_SCOPES),
        }

    def expire_access_tokens(self) -> None:
        """Let every access token be too old from now on."""
        self._access.clear()

    def _refresh_token(self, number: int) -> str:
        return f"sandbox-refresh-{number}"


def sandbox_credentials(
    flavour: Flavour, email: str, authentication: Authentication, clock_milliseconds: Callable[[], int]
) -> TokenCredentials | OAuthCredentials:
    """The credentials of every sandbox: the same each time, and good for nothing else.

    Raises ValueError for a way of authentication that Data Center does not have.
    """
    if flavour == "datacenter" and authentication != "token":
        raise ValueError(f"Data Center has no {authentication}; choose authentication='token'")
    digest = hashlib.sha256(flavour.encode()).hexdigest()
    cloud_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    if authentication == "oauth":
        return OAuthCredentials(cloud_id, clock_milliseconds)
    token = f"sandbox-token-{digest[32:48]}"
    return TokenCredentials(flavour, email, token, cloud_id, scoped=authentication == "scoped_token")

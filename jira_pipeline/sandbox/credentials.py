"""Who may ask: Basic with an API token on Cloud, Bearer with a personal access token on Data Center."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from .answers import Identity
from .model import Flavour


@dataclass
class Credentials:
    """The account's credentials; `accepted` turns False when they are revoked.

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
        """The environment variables that a client of the sandbox needs."""
        if self.flavour == "datacenter":
            return {"JIRA_SERVER": url, "JIRA_PERSONAL_ACCESS_TOKEN": self.token}
        server = f"{url}/ex/jira/{self.cloud_id}" if self.scoped else url
        return {"JIRA_SERVER": server, "JIRA_EMAIL": self.email, "JIRA_API_TOKEN": self.token}


def sandbox_credentials(flavour: Flavour, email: str, scoped: bool) -> Credentials:
    """The credentials of every sandbox: the same each time, and good for nothing else."""
    digest = hashlib.sha256(flavour.encode()).hexdigest()
    cloud_id = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    return Credentials(flavour, email, f"sandbox-token-{digest[32:48]}", cloud_id, scoped)

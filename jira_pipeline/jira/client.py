"""Connecting to a site: who are we there, and which dialect does it speak."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from jira_pipeline.jira.auth import Credentials
from jira_pipeline.jira.cloud import CloudSite
from jira_pipeline.jira.datacenter import DataCenterSite
from jira_pipeline.jira.errors import NotJira, RequestRefused, SiteUnavailable
from jira_pipeline.jira.limiter import Limiter
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite, SiteIdentity
from jira_pipeline.jira.transport import Transport

_CONNECT_ATTEMPTS = 3  # somebody may be waiting for the answer, and a mistyped address does not get better


class _Myself(msgspec.Struct):
    accountId: str | None = None
    key: str | None = None
    name: str | None = None
    displayName: str = ""
    timeZone: str = "UTC"


class _ServerInfo(msgspec.Struct):
    baseUrl: str = ""
    version: str = ""
    deploymentType: str = "Server"
    serverTitle: str = ""


_decode_myself = msgspec.json.Decoder(_Myself).decode
_decode_server_info = msgspec.json.Decoder(_ServerInfo).decode


def connect(credentials: Credentials, *, policy: RetryPolicy | None = None) -> JiraSite:
    """Sign in and return the site in its dialect.

    Asks `/myself` first: serverInfo is anonymous, so it proves nothing about the credentials. The header by which the
    site says who we are is remembered; later answers without it come from a sign-in that has silently died. Raises
    `CredentialsRejected` or `NotJira` with one sentence that says what to check.
    """
    policy = policy or RetryPolicy()
    limiter = Limiter()
    greeting = Transport(
        credentials, policy=replace(policy, attempts=min(policy.attempts, _CONNECT_ATTEMPTS)), limiter=limiter
    )
    try:
        myself, answer = greeting.exchange("GET", "myself", decode=_decode_myself)
        info = greeting.get("serverInfo", decode=_decode_server_info)
    except RequestRefused as refused:
        if refused.status != 404:
            raise
        raise NotJira(
            f"{credentials.server} has no Jira REST API at rest/api/2: check JIRA_SERVER "
            "(the base URL, with the context path if there is one)."
        ) from refused
    except SiteUnavailable as unavailable:
        raise SiteUnavailable(
            f"No Jira could be reached at {credentials.server}: check JIRA_SERVER and the network. {unavailable}"
        ) from unavailable
    account_id = myself.accountId or myself.key or myself.name
    if account_id is None:
        raise NotJira(f"{credentials.server} did not say who is signed in: check JIRA_SERVER.")
    is_cloud = info.deploymentType == "Cloud"
    transport = Transport(credentials, policy=policy, limiter=limiter)
    header = "X-AACCOUNTID" if is_cloud else "X-AUSERNAME"
    if answer.headers.get(header):
        transport.identity_header = header
    identity = SiteIdentity(
        server=credentials.server,
        kind="cloud" if is_cloud else "datacenter",
        title=info.serverTitle,
        version=info.version,
        account_id=account_id,
        account_name=myself.displayName,
        time_zone=myself.timeZone,
    )
    return CloudSite(transport, identity) if is_cloud else DataCenterSite(transport, identity)

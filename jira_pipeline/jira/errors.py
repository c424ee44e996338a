"""What can go wrong between this project and a Jira site, sorted by who is affected."""

from __future__ import annotations

from jira_pipeline.errors import PipelineError


class JiraError(PipelineError):
    """Base of everything that a Jira site answers or fails to answer."""


class RunFatal(JiraError):
    """No request of this run can succeed: the run stops, nothing is concluded from what is missing."""

    exit_code = 2


class CredentialsRejected(RunFatal):
    """The site does not know who we are: wrong, expired or locked credentials, or a scope that is missing."""


class AccessTokenUnavailable(RunFatal):
    """No OAuth access token could be had, for a reason that may pass. No request can be signed until it has."""

    exit_code = 1


class NotJira(RunFatal):
    """The address answers, but not like a Jira REST API: a wrong URL, a login page, a proxy, a redirect."""


class ProjectUnavailable(JiraError):
    """Jira says that a project does not exist or that the account may not see it. Permanent until somebody acts."""


class SiteUnavailable(JiraError):
    """A request failed for a passing reason and kept failing until its attempts or its time were used up."""


class RequestRefused(JiraError):
    """Jira refused a request as such (a 4xx that no retry cures), with its own words in the message."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class PageTokenRejected(RequestRefused):
    """A page token has expired or is not known any more: the walk goes on from its last stored position."""

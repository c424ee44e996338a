"""A Jira site as this project sees it: what both dialects share, and the few requests in which they differ.

One class a dialect (`cloud.CloudSite`, `datacenter.DataCenterSite`) behind the interface `JiraSite`; `client.connect`
picks the right one. Nothing here knows Dagster or DuckDB.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from jira_pipeline.jira.errors import JiraError, NotJira, ProjectUnavailable, RequestRefused, SiteUnavailable
from jira_pipeline.jira.fields import Field
from jira_pipeline.jira.jql import IssueWindow, date_bound
from jira_pipeline.jira.pages import IssuePage, IssueRecord, UnreadableIssue, clean_json
from jira_pipeline.jira.transport import Meter, Transport

Item = TypeVar("Item")

log = logging.getLogger(__name__)

# Everything but what search answers cut short anyway (20 comments, 20 worklogs) and would only pretend to be complete.
ISSUE_FIELDS = "*all,-comment,-worklog"
_FETCHED_AT_ONCE = 100


class User(msgspec.Struct, frozen=True):
    """A user as the site describes one; which of the ids is there depends on the dialect."""

    accountId: str | None = None
    key: str | None = None
    name: str | None = None
    displayName: str | None = None
    emailAddress: str | None = None
    accountType: str | None = None
    active: bool | None = None
    timeZone: str | None = None

    @property
    def user_id(self) -> str | None:
        """accountId on Cloud, user key on Data Center, user name where an old site gives nothing else."""
        return self.accountId or self.key or self.name


class _Lead(msgspec.Struct, frozen=True):
    accountId: str | None = None
    key: str | None = None
    name: str | None = None


class Project(msgspec.Struct, frozen=True):
    """A project that the account can browse. `style` is `classic` (company-managed) or `next-gen` (team-managed)."""

    id: str
    key: str
    name: str = ""
    projectTypeKey: str | None = None
    style: str | None = None
    archived: bool = False
    lead: _Lead | None = None

    @property
    def lead_id(self) -> str | None:
        """The lead's user id."""
        return (self.lead.accountId or self.lead.key or self.lead.name) if self.lead else None


class _Category(msgspec.Struct, frozen=True):
    key: str | None = None


class Status(msgspec.Struct, frozen=True):
    """A status; names repeat and change, so it is known by its id."""

    id: str
    name: str = ""
    statusCategory: _Category | None = None

    @property
    def category(self) -> str | None:
        """`new`, `indeterminate`, `done`, or None when Jira does not say (`undefined`)."""
        key = self.statusCategory.key if self.statusCategory else None
        return key if key in ("new", "indeterminate", "done") else None


@dataclass(frozen=True)
class SiteIdentity:
    """Which site answered, and as whom."""

    server: str
    kind: Literal["cloud", "datacenter"]
    title: str
    version: str
    account_id: str
    account_name: str
    time_zone: str


class _Problems(msgspec.Struct):
    errorMessages: list[str] = []
    errors: dict[str, str] = {}


_decode_problems = msgspec.json.Decoder(_Problems).decode


class JiraSite(ABC):
    """The interface to a connected site. Its methods raise the errors of `jira.errors`."""

    def __init__(self, transport: Transport, identity: SiteIdentity) -> None:
        self.transport = transport
        self.identity = identity
        self._quoted_in: ZoneInfo | None = None

    @abstractmethod
    def projects(self) -> tuple[Project, ...]:
        """Every project that the account can browse, archived ones too."""

    @abstractmethod
    def directory(self) -> Iterator[User]:
        """Every user the site lists. Raises `RequestRefused` (403) when the account may not browse users."""

    @abstractmethod
    def count(self, window: IssueWindow, *, meter: Meter) -> int:
        """About how many issues a window holds; good for planning, never for conclusions."""

    @abstractmethod
    def walk(self, window: IssueWindow, *, meter: Meter) -> Iterator[IssuePage]:
        """The issues of a window, oldest creation first, page by page as they come. Some may lack histories, which
        `complete` brings.

        An issue may come twice; none that matched from beginning to end is left out.
        """

    @abstractmethod
    def complete(self, issues: Sequence[IssueRecord], *, meter: Meter) -> tuple[IssueRecord, ...]:
        """The issues with their whole histories, in the same order, without those that are gone by now. Dear, and
        cheaper for many at a time; what is whole already costs nothing."""

    @abstractmethod
    def issue_ids(self, window: IssueWindow, *, meter: Meter) -> set[int]:
        """The ids of all issues of a window, by far cheaper than `walk`. Raises `SiteUnavailable` when the walk cannot
        be finished; the index by which it goes may still miss an issue or show one that is gone."""

    @abstractmethod
    def locate_issues(self, issue_ids: Sequence[int], *, meter: Meter) -> dict[int, str | None]:
        """The id of the project that each issue is in now, read by id and not from the index; None where it is not
        said. What is missing from the answer does not exist or is not shown to the account: Jira does not tell these
        two apart."""

    def fetch_issues(self, issue_ids: Sequence[int], *, meter: Meter) -> Iterator[IssuePage]:
        """Issues by id, without those that are not shown. Some may lack histories, which `complete` brings. An issue
        may come twice.

        One that Jira cannot send is found by halving and comes among the unreadable; `SiteUnavailable` is raised when
        Jira does not even answer for less of it.
        """
        for start in range(0, len(issue_ids), _FETCHED_AT_ONCE):
            yield from self._halved(issue_ids[start : start + _FETCHED_AT_ONCE], meter)

    def _halved(self, issue_ids: Sequence[int], meter: Meter) -> Iterator[IssuePage]:
        try:
            yield from self._fetch_by_id(issue_ids, meter=meter)
        except SiteUnavailable as failure:
            if len(issue_ids) > 1:
                middle = len(issue_ids) // 2
                yield from self._halved(issue_ids[:middle], meter)
                yield from self._halved(issue_ids[middle:], meter)
                return
            jql = f"id = {issue_ids[0]} ORDER BY created ASC"
            try:
                self._search(jql, token=None, page_size=1, fields="id", histories=False, meter=meter)
            except RequestRefused:
                pass  # answered, if only that there is no such issue
            except JiraError:
                raise failure from None
            yield IssuePage((), (UnreadableIssue(issue_ids[0], None, f"Jira could not send it: {failure}", b""),))

    @abstractmethod
    def _fetch_by_id(self, issue_ids: Sequence[int], *, meter: Meter) -> Iterator[IssuePage]:
        """The issues of one request's worth of ids."""

    def fields(self) -> tuple[Field, ...]:
        """Every field that the account can see."""
        return self.transport.get("field", decode=json_list(Field))

    def statuses(self) -> tuple[Status, ...]:
        """Every status of the site, those of team-managed projects included."""
        return self.transport.get("status", decode=json_list(Status))

    def server_time(self) -> datetime:
        """The site's clock. Windows and watermarks are measured by it, never by the local clock."""
        _, answer = self.transport.exchange("GET", "serverInfo", decode=msgspec.json.decode)
        if answer.server_time is None:
            raise NotJira(
                f"{self.identity.server} answers without a Date header, so its clock is unknown: "
                "check the proxy between this machine and Jira."
            )
        return answer.server_time

    def project_key_in_use(self, key: str) -> bool:
        """Whether a project with this key exists, visible to the account or not.

        The check made before a project is created says so to anybody (`projectvalidate/key`); where it is not answered
        as documented, the project counts as existing, which is the more careful conclusion.
        """
        try:
            problems = self.transport.get("projectvalidate/key", {"key": key}, decode=_decode_problems)
        except RequestRefused:
            return True
        return bool(problems.errorMessages or problems.errors)

    def newest_creation(self, window: IssueWindow, *, meter: Meter) -> datetime | None:
        """When the newest issue of a window was created; None when it is empty."""
        page = self._search(
            self._jql(window, newest_first=True),
            token=None,
            page_size=1,
            fields="created,updated",
            histories=False,
            meter=meter,
        )
        return page.issues[0].created if page.issues else None

    def verify_bounds(self, project_id: str) -> None:
        """Find out how this site compares dates, on a recently updated issue of a project: it must be found from
        its last update on, and not two minutes later. Epoch milliseconds are tried first, then local time in quotes.

        When neither agrees (the index may be behind, the project empty) nothing is concluded and milliseconds stay.
        """
        try:
            for zone in (None, _zone(self.identity.time_zone)):
                if self._compares_dates(project_id, zone):
                    self._quoted_in = zone
                    if zone is not None:
                        log.warning(
                            "%s does not understand epoch milliseconds in JQL; dates are sent in the zone of the "
                            "account, %s",
                            self.identity.server,
                            zone,
                        )
                    return
        except (ProjectUnavailable, SiteUnavailable) as failure:
            # Of this project alone, perhaps: its own walk reports it, and the others go on.
            log.warning("How dates in JQL are compared could not be found out: %s", failure)
            return
        log.warning(
            "%s could not be shown to compare dates in JQL rightly; its index may be behind", self.identity.server
        )

    def _compares_dates(self, project_id: str, zone: ZoneInfo | None) -> bool:
        meter = Meter()

        def search(jql: str) -> IssuePage:
            return self._search(jql, token=None, page_size=1, fields="created,updated", histories=False, meter=meter)

        try:
            newest = search(f"project = {project_id} ORDER BY updated DESC").issues
            if not newest:
                return False
            issue_id, updated = newest[0].issue_id, newest[0].updated
            later = updated + timedelta(minutes=2)
            found = search(f"id = {issue_id} AND updated >= {date_bound(updated, zone)} ORDER BY created ASC")
            missed = search(f"id = {issue_id} AND updated >= {date_bound(later, zone)} ORDER BY created ASC")
        except RequestRefused:
            return False
        return bool(found.size) and not missed.size

    def _jql(self, window: IssueWindow, *, newest_first: bool = False) -> str:
        return window.jql(newest_first=newest_first, quoted_in=self._quoted_in)

    def _unsendable(
        self, window: IssueWindow, token: str | None, failure: SiteUnavailable, meter: Meter
    ) -> tuple[int, UnreadableIssue]:
        """Id and description of the issue that Jira cannot send: the next one of a walk, asked for alone and
        without its content. Raises the failure itself when not even that is answered: then it is not the issue."""
        try:
            page = self._search(self._jql(window), token=token, page_size=1, fields="id", histories=False, meter=meter)
        except JiraError:
            raise failure from None
        entries: list[tuple[int, str | None]] = [(issue.issue_id, issue.issue_key) for issue in page.issues]
        entries += [(issue.issue_id, issue.issue_key) for issue in page.unreadable if issue.issue_id is not None]
        if not entries:
            raise failure
        issue_id, issue_key = entries[0]
        log.warning("Issue %s cannot be sent by Jira and is set aside: %s", issue_key or issue_id, failure)
        return issue_id, UnreadableIssue(issue_id, issue_key, f"Jira could not send it: {failure}", b"")

    @abstractmethod
    def _search(
        self, jql: str, *, token: str | None, page_size: int, fields: str, histories: bool, meter: Meter
    ) -> IssuePage:
        """One search request."""


def json_list(item: type[Item]) -> Callable[[bytes], tuple[Item, ...]]:
    """A decoder of a JSON array of `item`, surviving what people paste into names."""
    decoder = msgspec.json.Decoder(tuple[item, ...])  # type: ignore[valid-type]
    return lambda body: decoder.decode(clean_json(body))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def unique_users(users: Iterable[User]) -> Iterator[User]:
    """The users without repetitions: pages of the directory may overlap."""
    seen: set[str] = set()
    for user in users:
        if user.user_id and user.user_id not in seen:
            seen.add(user.user_id)
            yield user

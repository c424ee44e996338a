"""Jira Data Center: `search` walked by a keyset on creation, whole histories from `expand=changelog`, users from
`user/list` where the version has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from jira_pipeline.jira.errors import RequestRefused, SiteUnavailable
from jira_pipeline.jira.issue_ids import read_location, read_locations
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.pages import IssuePage, IssueRecord, clean_json, read_issue, read_page
from jira_pipeline.jira.site import ISSUE_FIELDS, JiraSite, Project, User, json_list, unique_users
from jira_pipeline.jira.transport import Meter
from jira_pipeline.jira.walk import WalkPosition

_PAGE = 100
_ID_PAGE = 1000  # jira.search.views.default.max
_SEARCHED_BY_ID = 100
_DIRECTORY_PAGE = 1000
_EMPTY_PAGES = 3


class _UserStream(msgspec.Struct):
    values: list[User]
    nextCursor: int | str | None = None
    isLast: bool | None = None


class _Total(msgspec.Struct):
    total: int


_decode_users = msgspec.json.Decoder(_UserStream).decode
_decode_total = msgspec.json.Decoder(_Total).decode


class DataCenterSite(JiraSite):
    """The Data Center dialect of `JiraSite`."""

    def projects(self) -> tuple[Project, ...]:
        """`GET /project`, which is not paged."""
        return self.transport.get("project", {"includeArchived": "true", "expand": "lead"}, decode=json_list(Project))

    def directory(self) -> Iterator[User]:
        """`user/list` (from 10.3 on), else `user/search`, of which versions differ in how far they page."""
        return unique_users(self._directory())

    def _directory(self) -> Iterator[User]:
        try:
            yield from self._user_list()
        except RequestRefused as refused:
            if refused.status not in (404, 405):
                raise
            yield from self._user_search()

    def _user_list(self) -> Iterator[User]:
        cursor: int | str | None = None
        while True:
            page = self.transport.get(
                "user/list",
                {"maxResults": _DIRECTORY_PAGE} | ({"cursor": cursor} if cursor is not None else {}),
                decode=lambda body: _decode_users(clean_json(body)),
            )
            yield from page.values
            if page.isLast or not page.values or page.nextCursor in (None, cursor):
                return
            cursor = page.nextCursor

    def _user_search(self) -> Iterator[User]:
        seen: set[str | None] = set()
        start = 0
        while True:
            users = self.transport.get(
                "user/search",
                {"username": ".", "includeInactive": "true", "startAt": start, "maxResults": _DIRECTORY_PAGE},
                decode=json_list(User),
            )
            fresh = [user for user in users if user.user_id not in seen]
            if not fresh:  # also where startAt is ignored (JRASERVER-78520): the first page comes again
                return
            seen.update(user.user_id for user in fresh)
            yield from fresh
            start += len(users)

    def count(self, window: IssueWindow, *, meter: Meter) -> int:
        """The `total` of a search for no rows."""
        params = {"jql": self._jql(window), "maxResults": 0, "fields": "id"}
        return self.transport.get("search", params, decode=_decode_total, meter=meter).total

    def walk(self, window: IssueWindow, *, meter: Meter) -> Iterator[IssuePage]:
        """See `JiraSite.walk`."""
        yield from self._keyset(window, _PAGE, fields=ISSUE_FIELDS, histories=True, meter=meter)

    def complete(self, issues: Sequence[IssueRecord], *, meter: Meter) -> tuple[IssueRecord, ...]:
        """See `JiraSite.complete`. Data Center sends whole histories with every search."""
        return tuple(issues)

    def issue_ids(self, window: IssueWindow, *, meter: Meter) -> set[int]:
        """See `JiraSite.issue_ids`. Creation comes along, because the walk goes by it."""
        found: set[int] = set()
        for page in self._keyset(window, _ID_PAGE, fields="created,updated", histories=False, meter=meter):
            found.update(issue.issue_id for issue in page.issues)
            found.update(issue.issue_id for issue in page.unreadable if issue.issue_id is not None)
        return found

    def locate_issues(self, issue_ids: Sequence[int], *, meter: Meter) -> dict[int, str | None]:
        """See `JiraSite.locate_issues`. A search finds those that are there, which is cheap where the index has merely
        been read incompletely; only an issue's own 404 says that it is not."""
        found: dict[int, str | None] = {}
        for start in range(0, len(issue_ids), _SEARCHED_BY_ID):
            chunk = issue_ids[start : start + _SEARCHED_BY_ID]
            body = self._search_by_id(chunk, fields="project", histories=False, meter=meter)
            if body is not None:
                found |= read_locations(body, ())
        for issue_id in issue_ids:
            if issue_id not in found:
                body = self._issue(issue_id, fields="project", histories=False, meter=meter)
                if body is not None:
                    found[issue_id] = read_location(body)
        return found

    def _fetch_by_id(self, issue_ids: Sequence[int], *, meter: Meter) -> Iterator[IssuePage]:
        """See `JiraSite._fetch_by_id`."""
        body = self._search_by_id(issue_ids, fields=ISSUE_FIELDS, histories=True, meter=meter)
        page = IssuePage(()) if body is None else read_page(body)
        if page.size:
            yield page
        known = {issue.issue_id for issue in page.issues} | {issue.issue_id for issue in page.unreadable}
        for issue_id in issue_ids:
            if issue_id in known:
                continue
            body = self._issue(issue_id, fields=ISSUE_FIELDS, histories=True, meter=meter)
            if body is not None:
                entry = read_issue(clean_json(body))
                yield IssuePage((entry,)) if isinstance(entry, IssueRecord) else IssuePage((), (entry,))

    def _search_by_id(self, issue_ids: Sequence[int], *, fields: str, histories: bool, meter: Meter) -> bytes | None:
        """The answer to a search for issues by id; None where the site refuses it because one of them is not there,
        although it is asked not to."""
        params = {
            "jql": f"id in ({', '.join(map(str, issue_ids))})",
            "validateQuery": "false",
            "maxResults": len(issue_ids),
            "fields": fields,
        }
        if histories:
            params["expand"] = "changelog"
        try:
            return self.transport.get("search", params, decode=_whole_page, meter=meter)
        except RequestRefused as refused:
            if refused.status != 400:
                raise
            return None

    def _issue(self, issue_id: int, *, fields: str, histories: bool, meter: Meter) -> bytes | None:
        """One issue's own answer, read from the database and not from the index; None where it is a 404."""
        params = {"fields": fields} | ({"expand": "changelog"} if histories else {})
        try:
            return self.transport.get(f"issue/{issue_id}", params, decode=_whole_object, meter=meter)
        except RequestRefused as refused:
            if refused.status != 404:
                raise
            return None

    def _keyset(
        self, window: IssueWindow, page_size: int, *, fields: str, histories: bool, meter: Meter
    ) -> Iterator[IssuePage]:
        """Walk a window. Each page starts anew at the minute in which the last issue was created, because offsets
        shift when issues come and go; an offset is used only inside one minute (bulk imports)."""
        position = WalkPosition(window, page_size)
        offset = empty = 0
        while True:
            try:
                page = self._search(
                    self._jql(position.window),
                    token=str(offset),
                    page_size=position.page_size,
                    fields=fields,
                    histories=histories,
                    meter=meter,
                )
            except SiteUnavailable as failure:
                if not position.shrink():
                    issue_id, issue = self._unsendable(position.window, str(offset), failure, meter)
                    yield IssuePage((), (issue,))
                    position.exclude(issue_id)
                    offset = 0
                continue
            if page.size == 0:
                # A node that is behind counts issues and does not send them; one that counts deleted issues never will.
                empty += 1
                if empty > _EMPTY_PAGES or (page.total or 0) <= offset:
                    return
                continue
            empty = 0
            position.advance(page)
            yield page
            if page.total is not None and offset + page.size >= page.total:
                return
            minute = position.last_minute
            if minute is None or (position.window.created_from is not None and minute <= position.window.created_from):
                offset += page.size
            else:
                position.window, offset = position.window.from_creation(minute), 0

    def _search(
        self, jql: str, *, token: str | None, page_size: int, fields: str, histories: bool, meter: Meter
    ) -> IssuePage:
        params = {"jql": jql, "startAt": token or "0", "maxResults": page_size, "fields": fields}
        if histories:
            params["expand"] = "changelog"
        return self.transport.get("search", params, decode=read_page, meter=meter)


def _whole_page(body: bytes) -> bytes:
    """The body as it is, once it is known to be a whole page of issues."""
    read_locations(body, ())
    return body


def _whole_object(body: bytes) -> bytes:
    """The body as it is, once it is known to be a whole JSON object."""
    msgspec.json.decode(clean_json(body), type=dict[str, msgspec.Raw])
    return body

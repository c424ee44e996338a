"""Jira Data Center: `search` walked by a keyset on creation, whole histories from `expand=changelog`, users from
`user/list` where the version has it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from jira_pipeline.jira.errors import RequestRefused, SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.pages import IssuePage, clean_json, read_page
from jira_pipeline.jira.site import ISSUE_FIELDS, JiraSite, Project, User, json_list, unique_users
from jira_pipeline.jira.transport import Meter
from jira_pipeline.jira.walk import WalkPosition

_PAGE = 100
_DIRECTORY_PAGE = 1000


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
        params = {"jql": window.jql(), "maxResults": 0, "fields": "id"}
        return self.transport.get("search", params, decode=_decode_total, meter=meter).total

    def walk(self, window: IssueWindow, *, meter: Meter) -> Iterator[IssuePage]:
        """See `JiraSite.walk`. Each page starts anew at the minute in which the last issue was created, because offsets
        shift when issues come and go; an offset is used only inside one minute (bulk imports)."""
        position = WalkPosition(window, _PAGE)
        offset = 0
        while True:
            try:
                page = self._search_at(position.window, offset, position.page_size, meter)
            except SiteUnavailable:
                if not position.shrink():
                    raise
                continue
            if page.size == 0:
                return
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

    def _search_at(self, window: IssueWindow, offset: int, page_size: int, meter: Meter) -> IssuePage:
        return self._search(
            window.jql(), token=str(offset), page_size=page_size, fields=ISSUE_FIELDS, histories=True, meter=meter
        )

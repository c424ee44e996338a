"""Jira Cloud: `search/jql` walked by page tokens, histories beyond the 40 that a search answer carries from
`changelog/bulkfetch`, users from `users/search`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import msgspec

from jira_pipeline.jira.cloud_histories import bulk_histories, own_histories
from jira_pipeline.jira.errors import PageTokenRejected, RequestRefused, SiteUnavailable
from jira_pipeline.jira.issue_ids import read_id_page, read_issue_errors, read_locations
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.pages import IssuePage, IssueRecord, clean_json, read_page
from jira_pipeline.jira.site import ISSUE_FIELDS, JiraSite, Project, User, json_list, unique_users
from jira_pipeline.jira.transport import Meter
from jira_pipeline.jira.walk import WalkPosition

log = logging.getLogger(__name__)

_PAGE = 100  # the most that Cloud gives when fields are asked for
_ID_PAGE = 5000
_FETCHED_BY_ID = 100
_ID_WALKS = 3
_DIRECTORY_PAGE = 1000
_SMALLEST_DIRECTORY_PAGE = 50
_EMPTY_PAGES = 20


class _ProjectPage(msgspec.Struct):
    values: list[Project]
    isLast: bool | None = None


class _Count(msgspec.Struct):
    count: int


_decode_projects = msgspec.json.Decoder(_ProjectPage).decode
_decode_count = msgspec.json.Decoder(_Count).decode


class CloudSite(JiraSite):
    """The Cloud dialect of `JiraSite`."""

    def projects(self) -> tuple[Project, ...]:
        """Every project that the account can browse; `action=browse` leaves out those it can only administer, for which
        a search would be refused."""
        with ThreadPoolExecutor(2) as pool:
            live, archived = pool.map(self._projects, ("live", "archived"))
        found = {project.id: project for project in live}
        found |= {project.id: msgspec.structs.replace(project, archived=True) for project in archived}
        return tuple(found.values())

    def _projects(self, status: str) -> list[Project]:
        found: list[Project] = []
        while True:
            try:
                page = self.transport.get(
                    "project/search",
                    {"status": status, "action": "browse", "startAt": len(found), "maxResults": 100, "expand": "lead"},
                    decode=lambda body: _decode_projects(clean_json(body)),
                )
            except RequestRefused as refused:
                if refused.status != 404:
                    raise
                return found  # as documented where none matches; an empty page is what sites have been seen to send
            found += page.values
            if page.isLast or not page.values:
                return found

    def directory(self) -> Iterator[User]:
        """`users/search`, advanced by what was asked for: pages are filtered after slicing and come shorter
        (JRACLOUD-74454), so only two empty pages in a row are the end. It answers 409 where a page takes it more than
        ten seconds: then smaller ones are asked for."""
        return unique_users(self._directory())

    def _directory(self) -> Iterator[User]:
        start = empty = 0
        size = _DIRECTORY_PAGE
        while empty < 2:
            try:
                users = self.transport.get(
                    "users/search", {"startAt": start, "maxResults": size}, decode=json_list(User)
                )
            except RequestRefused as refused:
                if refused.status != 409 or size <= _SMALLEST_DIRECTORY_PAGE:
                    raise
                size //= 2
                continue
            yield from users
            empty = 0 if users else empty + 1
            start += size

    def count(self, window: IssueWindow, *, meter: Meter) -> int:
        """`search/approximate-count`."""
        jql = self._jql(window).partition(" ORDER BY ")[0]
        return self.transport.post("search/approximate-count", {"jql": jql}, decode=_decode_count, meter=meter).count

    def walk(self, window: IssueWindow, *, meter: Meter) -> Iterator[IssuePage]:
        """See `JiraSite.walk`. A token that is refused, repeated, or missing on a page that is not the last one, and a
        warning that the result was cut, do not end the walk: it goes on from the minute in which the last issue
        seen was created, until that brings nothing new."""
        position = WalkPosition(window, _PAGE)
        token: str | None = None
        tokens: set[str] = set()
        empty = 0
        cut = False
        while True:
            try:
                page = self._search(
                    self._jql(position.window),
                    token=token,
                    page_size=position.page_size,
                    fields=ISSUE_FIELDS,
                    histories=True,
                    meter=meter,
                )
            except PageTokenRejected:
                if token is None:
                    raise
                if not position.restart("its page token was refused"):
                    raise
                token, tokens = None, set()
                continue
            except SiteUnavailable as failure:
                if not position.shrink():
                    issue_id, issue = self._unsendable(position.window, token, failure, meter)
                    yield IssuePage((), (issue,))
                    position.exclude(issue_id)
                    token, tokens = None, set()
                continue
            position.advance(page)
            yield page
            empty = 0 if page.size else empty + 1
            cut = cut or bool(page.warnings)
            token = page.next_token
            # A full page without a token may be one whose token was lost; only `isLast` makes it certainly the last.
            ended = page.is_last or (token is None and page.is_last is None and page.size < position.page_size)
            if ended and not cut:
                return
            if ended or token is None or token in tokens or empty > _EMPTY_PAGES:
                if position.restart("Jira said that the result was cut" if cut else "the page tokens lead nowhere"):
                    token, tokens, empty, cut = None, set(), 0, False
                    continue
                if page.size >= position.page_size:
                    raise SiteUnavailable(
                        f"The issues of project {window.project_id} could not be read to their end: "
                        "the page tokens lead nowhere. The next run takes it up again."
                    )
                return
            tokens.add(token)

    def issue_ids(self, window: IssueWindow, *, meter: Meter) -> set[int]:
        """See `JiraSite.issue_ids`. Ids alone do not say where to go on, so a walk whose tokens fail begins anew."""
        found: set[int] = set()
        for _ in range(_ID_WALKS):
            if self._walk_ids(window, found, meter):
                return found
        raise SiteUnavailable(
            f"The ids of project {window.project_id} could not be read to their end in {_ID_WALKS} walks: "
            "the page tokens lead nowhere. The next census asks for them again."
        )

    def _walk_ids(self, window: IssueWindow, found: set[int], meter: Meter) -> bool:
        """Add a walk's ids to `found`; False when its tokens failed before the end."""
        body: dict[str, Any] = {"jql": self._jql(window), "maxResults": _ID_PAGE, "fields": ["id"]}
        tokens: set[str] = set()
        empty = 0
        while True:
            try:
                page = self.transport.post("search/jql", body, decode=read_id_page, meter=meter)
            except PageTokenRejected:
                if not tokens:
                    raise
                return False
            if page.warnings:
                raise SiteUnavailable(
                    f"Jira did not send all ids of project {window.project_id}; the next census asks again. "
                    f"It said: {'; '.join(page.warnings)[:500]}"
                )
            found.update(page.ids)
            empty = 0 if page.ids else empty + 1
            if page.is_last or (page.next_token is None and page.is_last is None):
                return True
            if page.next_token is None or page.next_token in tokens or empty > _EMPTY_PAGES:
                return False
            tokens.add(page.next_token)
            body["nextPageToken"] = page.next_token

    def locate_issues(self, issue_ids: Sequence[int], *, meter: Meter) -> dict[int, str | None]:
        """See `JiraSite.locate_issues`; `issue/bulkfetch`, which leaves out what it does not find."""
        found: dict[int, str | None] = {}
        for start in range(0, len(issue_ids), _FETCHED_BY_ID):
            chunk = issue_ids[start : start + _FETCHED_BY_ID]
            body = {"issueIdsOrKeys": [str(i) for i in chunk], "fields": ["project"]}
            found |= self.transport.post(
                "issue/bulkfetch", body, decode=partial(read_locations, asked=chunk), meter=meter
            )
        return found

    def _fetch_by_id(self, issue_ids: Sequence[int], *, meter: Meter) -> Iterator[IssuePage]:
        """See `JiraSite._fetch_by_id`. Issues that made an answer too large are asked for one by one."""
        body = {
            "issueIdsOrKeys": [str(i) for i in issue_ids],
            "fields": ISSUE_FIELDS.split(","),
            "expand": ["changelog"],
        }
        page, failed = self.transport.post(
            "issue/bulkfetch",
            body,
            decode=lambda answer: (read_page(answer), read_issue_errors(answer)),
            meter=meter,
        )
        yield page
        if len(issue_ids) > 1:
            for issue_id in failed:
                yield from self._fetch_by_id([issue_id], meter=meter)

    def _search(
        self, jql: str, *, token: str | None, page_size: int, fields: str, histories: bool, meter: Meter
    ) -> IssuePage:
        # An empty or null token is silently page one, so it is left out instead.
        body: dict[str, Any] = {"jql": jql, "maxResults": page_size, "fields": fields.split(",")}
        if histories:
            body["expand"] = "changelog"
        if token:
            body["nextPageToken"] = token
        page = self.transport.post("search/jql", body, decode=read_page, meter=meter)
        if page.warnings:
            log.warning("Jira warned about a search (%s): %s", jql, "; ".join(page.warnings)[:500])
        return page

    def complete(self, issues: Sequence[IssueRecord], *, meter: Meter) -> tuple[IssueRecord, ...]:
        """See `JiraSite.complete`; `changelog/bulkfetch`, and an issue's own list for what that leaves out. An issue
        that is gone by now is left out."""
        wanted = [issue for issue in issues if not issue.history_complete]
        if not wanted:
            return tuple(issues)
        extra = bulk_histories(self.transport, [issue.issue_id for issue in wanted], meter)
        completed: dict[int, IssueRecord] = {}
        gone: set[int] = set()
        for issue in wanted:
            merged = issue.with_histories(extra.get(issue.issue_id, ()))
            if not merged.history_complete:
                # Seen in the field: bulkfetch leaves histories out that the issue's own list has.
                own = own_histories(self.transport, issue.issue_id, meter)
                if own is None and issue.issue_id not in self.locate_issues([issue.issue_id], meter=meter):
                    gone.add(issue.issue_id)
                    continue
                merged = merged.with_histories(own or ())
            completed[issue.issue_id] = merged
        return tuple(completed.get(issue.issue_id, issue) for issue in issues if issue.issue_id not in gone)

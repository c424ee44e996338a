"""Where a walk through a window stands, so that it can go on after a refused token or with smaller pages."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from jira_pipeline.jira.errors import SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow, floor_minute
from jira_pipeline.jira.pages import IssuePage

_MOST_EXCLUDED = 20
_PAGES_BEFORE_GROWING = 3  # so that the neighbours of an issue that cannot be sent do not cost a failure each

log = logging.getLogger(__name__)


class WalkPosition:
    """The part of a window that is still to come, and the page size that works.

    State guarded: creation of the last issue seen and the ids created in that minute, by which a page that only repeats
    is told from one that brings something new.
    """

    def __init__(self, window: IssueWindow, page_size: int) -> None:
        self.window = window
        self.page_size = page_size
        self._largest = page_size
        self._last: datetime | None = None
        self._edge: set[int] = set()
        self._fresh_since_restart = True
        self._since_shrunk = 0

    def advance(self, page: IssuePage) -> int:
        """Take note of a page that has arrived; returns how many of its issues were not seen before."""
        fresh = 0
        for issue in page.issues:
            minute = floor_minute(issue.created)
            if self._last is None or minute > self._last:
                self._last, self._edge = minute, {issue.issue_id}
                fresh += 1
            elif minute == self._last and issue.issue_id not in self._edge:
                self._edge.add(issue.issue_id)
                fresh += 1
        self._fresh_since_restart = self._fresh_since_restart or fresh > 0
        self._since_shrunk += 1
        if self.page_size < self._largest and self._since_shrunk >= _PAGES_BEFORE_GROWING:
            self.page_size = min(self._largest, self.page_size * 2)
            self._since_shrunk = 0
        return fresh

    @property
    def last_minute(self) -> datetime | None:
        """The minute in which the last issue seen was created."""
        return self._last

    def restart(self, why: str) -> bool:
        """Make `window` the rest from the last issue's minute on. False when the last restart already brought nothing
        new: then there is nothing left. Raises `SiteUnavailable` when nothing at all has been seen."""
        if not self._fresh_since_restart:
            return False
        if self._last is None:
            raise SiteUnavailable(
                f"A search in project {self.window.project_id} cannot go on: {why}. The next run takes it up again."
            )
        log.info("project %s: %s; going on from %s", self.window.project_id, why, self._last.isoformat())
        self.window = self.window.from_creation(self._last)
        self._fresh_since_restart = False
        return True

    def exclude(self, issue_id: int) -> None:
        """Make `window` the rest without an issue that cannot be sent. Raises `SiteUnavailable` when there are so
        many of them that it is the site which cannot send anything."""
        if len(self.window.excluded) >= _MOST_EXCLUDED:
            raise SiteUnavailable(
                f"Jira could not send {_MOST_EXCLUDED} issues of project {self.window.project_id}: the sync of this "
                f"project "
                "is given up for now; the next run takes it up again."
            )
        self.window = replace(self.window, excluded=(*self.window.excluded, issue_id))
        if self._last is not None:
            self.window = self.window.from_creation(self._last)

    def shrink(self) -> bool:
        """Halve the page size, because heavy pages fail where light ones pass. False when one issue a page was too
        much."""
        if self.page_size <= 1:
            return False
        self.page_size = max(1, self.page_size // 2)
        self._since_shrunk = 0
        log.info("project %s: pages of %d from here on", self.window.project_id, self.page_size)
        return True

"""Which thread fetches what: walks, and how long ones are cut so that idle threads take their later half.

Every project starts as one walk. Creation never changes, so a walk ordered by it can be cut ahead of where it stands
without losing or doubling an issue.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from jira_pipeline.jira.jql import IssueWindow, floor_minute
from jira_pipeline.jira.limiter import Cancelled
from jira_pipeline.jira.pages import IssuePage, UnreadableIssue
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sync.plan import ProjectPlan

_WORTH_SPLITTING = 200  # issues still to come, about: two pages, so that a split saves more than it costs
_PAGES_OF_A_LARGE_PROJECT = 3


@dataclass
class ProjectWork:
    """One project while it is being fetched."""

    plan: ProjectPlan
    order: int
    meter: Meter = field(default_factory=Meter)
    unreadable: list[UnreadableIssue] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)  # of those asked for by id
    issues: int = 0
    walks: int = 0
    unfinished: int = 0
    pages: int = 0
    newest_update: datetime | None = None
    newest_creation: datetime | None = None
    looked_up: bool = False
    error: BaseException | None = None


@dataclass
class Walk:
    """A part of a project that one thread reads from page to page."""

    project: ProjectWork
    window: IssueWindow
    number: int
    ends_before: datetime | None
    issue_ids: tuple[int, ...] = ()  # asked for by id instead of by the window
    not_shown: set[int] = field(default_factory=set)  # of these
    reached: datetime | None = None
    issues_a_second: float = 0.0  # of creation time, on the last page
    has_more: bool = False


class WalkScheduler:
    """Hands walks to threads. State guarded: which walks wait, which are under way, and where those are cut."""

    def __init__(self, projects: Sequence[ProjectWork]) -> None:
        self._condition = threading.Condition()
        self._idle = 0
        self._active: list[Walk] = []
        self._waiting = [self._new_walk(project, project.plan.window) for project in projects]
        self._waiting += [
            replace(
                self._new_walk(project, project.plan.window),
                issue_ids=project.plan.set_aside,
                not_shown=set(project.plan.set_aside),
            )
            for project in projects
            if project.plan.set_aside
        ]
        self._waiting.reverse()
        self._stopped = False
        self._fatal: BaseException | None = None

    def take(self) -> Walk | ProjectWork | None:
        """The next piece of work: a walk; or a project whose newest issue has to be looked up before it can be split;
        None when all is done or stopped."""
        with self._condition:
            self._idle += 1
            try:
                while not self._stopped:
                    # What was cut off already comes before what might be.
                    work = self._waiting_walk() if self._is_cut_off_waiting else self._share() or self._waiting_walk()
                    if work is not None:
                        return work
                    if not self._active:
                        return None
                    self._condition.wait()
                return None
            finally:
                self._idle -= 1

    def page_landed(self, walk: Walk, page: IssuePage) -> IssuePage | None:
        """The part of a page that belongs to the walk, None when all of it lies behind the walk's end; notes how far
        the walk is."""
        with self._condition:
            end = walk.ends_before
            # The index may still show here what has moved on: that is the other project's, if anybody follows that one.
            here = (None, walk.project.plan.project.id)
            mine = tuple(i for i in page.issues if i.project_id in here and (end is None or i.created < end))
            if page.issues:
                first, last = page.issues[0].created, page.issues[-1].created
                walk.issues_a_second = len(page.issues) / max((last - first).total_seconds(), 1.0)
                walk.reached = last
            walk.has_more = page.next_token is not None if page.total is None else page.total > page.size
            project = walk.project
            project.issues += len(mine)
            project.pages += 1
            project.unreadable.extend(page.unreadable)
            walk.not_shown.difference_update([i.issue_id for i in mine], [i.issue_id for i in page.unreadable])
            for issue in mine:
                newest = project.newest_update
                project.newest_update = issue.updated if newest is None else max(newest, issue.updated)
            self._condition.notify_all()
            if page.issues and not mine:
                return None
            return replace(page, issues=mine)

    def is_over(self, walk: Walk) -> bool:
        """Whether nothing more of this walk is wanted: its end is reached, or its project has failed. Raises
        `Cancelled` when all stops: what is left of the walk is missing then, and its project must not count as
        complete."""
        with self._condition:
            if self._stopped:
                raise Cancelled
            past_end = walk.ends_before is not None and walk.reached is not None and walk.reached >= walk.ends_before
            return past_end or walk.project.error is not None

    def walk_ended(self, walk: Walk, error: BaseException | None) -> bool:
        """Note the end of a walk; True when it was the last one of its project."""
        with self._condition:
            self._active.remove(walk)
            project = walk.project
            project.unfinished -= 1
            if error is None:
                project.gone |= walk.not_shown
            if error is not None and project.error is None:
                project.error = self._fatal if isinstance(error, Cancelled) and self._fatal else error
            if project.error is not None:
                dropped = [w for w in self._waiting if w.project is project]
                self._waiting = [w for w in self._waiting if w.project is not project]
                project.unfinished -= len(dropped)
            self._condition.notify_all()
            return project.unfinished == 0

    def looked_up(self, project: ProjectWork, newest: datetime | None) -> None:
        """Note when the newest issue of a project was created, and cut its walk into as many parts as threads are
        idle."""
        with self._condition:
            project.newest_creation = newest
            for _ in range(self._idle):
                walk = self._split()
                if walk is not None:
                    self._waiting.append(walk)
            self._condition.notify_all()

    def stop(self, error: BaseException | None = None) -> list[ProjectWork]:
        """Hand out nothing more, for the reason of `error`; returns the projects of which no walk is under way."""
        with self._condition:
            self._stopped = True
            self._fatal = self._fatal or error
            dropped, self._waiting = self._waiting, []
            for walk in dropped:
                walk.project.unfinished -= 1
                walk.project.error = walk.project.error or error
            self._condition.notify_all()
            return list({id(w.project): w.project for w in dropped if w.project.unfinished == 0}.values())

    @property
    def _is_cut_off_waiting(self) -> bool:
        return bool(self._waiting) and self._waiting[-1].number > 1

    def _waiting_walk(self) -> Walk | None:
        if not self._waiting:
            return None
        walk = self._waiting.pop()
        self._active.append(walk)
        return walk

    def _share(self) -> Walk | ProjectWork | None:
        walk = self._split()
        if walk is not None:
            self._active.append(walk)
            return walk
        for walk in self._active:
            project = walk.project
            if project.looked_up or self._has_ended(walk):
                continue
            is_large = walk.has_more and (project.pages >= _PAGES_OF_A_LARGE_PROJECT or not self._waiting)
            # With nothing else to do, what is synced in full is looked up before its first page is here.
            may_be_large = walk.reached is None and project.plan.mode == "full" and not self._waiting
            if is_large or may_be_large:
                project.looked_up = True
                return project
        return None

    def _split(self) -> Walk | None:
        # Ids that are asked for come in no order of creation.
        long_ones = [w for w in self._active if not w.issue_ids and self._still_to_come(w) >= _WORTH_SPLITTING]
        if not long_ones:
            return None
        busiest = min(long_ones, key=lambda walk: (walk.project.order, -self._still_to_come(walk)))
        assert busiest.reached is not None
        assert busiest.project.newest_creation is not None
        end = busiest.ends_before or busiest.project.newest_creation
        middle = floor_minute(busiest.reached + (end - busiest.reached) / 2)
        if middle <= floor_minute(busiest.reached) + timedelta(minutes=1) or middle >= end:
            return None
        rest = replace(busiest.project.plan.window, created_from=middle, created_before=busiest.ends_before)
        busiest.ends_before = middle
        walk = self._new_walk(busiest.project, rest)
        # Until its first page is here, the new walk is taken to be as dense as the one it was cut from.
        walk.reached, walk.issues_a_second = middle, busiest.issues_a_second
        return walk

    def _still_to_come(self, walk: Walk) -> float:
        newest = walk.project.newest_creation
        if walk.reached is None or newest is None or self._has_ended(walk):
            return 0.0
        return walk.issues_a_second * ((walk.ends_before or newest) - walk.reached).total_seconds()

    def _has_ended(self, walk: Walk) -> bool:
        return walk.project.error is not None or (
            walk.ends_before is not None and walk.reached is not None and walk.reached >= walk.ends_before
        )

    def _new_walk(self, project: ProjectWork, window: IssueWindow) -> Walk:
        project.walks += 1
        project.unfinished += 1
        return Walk(project, window, project.walks, window.created_before)

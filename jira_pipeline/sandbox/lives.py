"""The life of a generated issue: what happens to it, and when, from its creation to the end of the site's time.

A life is kept as a compact record, about a tenth of the JSON that is written from it.
"""

from __future__ import annotations

import random
from bisect import bisect
from datetime import timedelta
from math import exp, log
from typing import Any

import msgspec

from .cast import DELETED_STATUS, SPRINT_LENGTH, Cast
from .model import Project, Sprint

DAY = 86_400_000
_HOUR = 3_600_000
_SPRINT = SPRINT_LENGTH // timedelta(milliseconds=1)

TYPES = ("Epic", "Story", "Task", "Bug", "Sub-task")
PRIORITIES = ("Highest", "High", "Medium", "Low", "Lowest")
RESOLUTIONS = ("Done", "Won't Do", "Duplicate", "Cannot Reproduce")
LABELS = ("backend", "frontend", "tech-debt", "kundenwunsch", "p0", "ünïcode", "フロント", "needs_review")
COMPONENTS = ("API", "UI", "Billing, invoices", "Search", "インフラ")
VERSIONS = ("1.0", "1.1", "2.0-beta", '2024.10 "Fall"')
POINTS = (1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 0.5, 0.0)
_VERBS = ("Fix", "Add", "Remove", "Investigate", "Document", "Speed up", "Überarbeiten:", "Réparer", "修正", "Split")
_NOUNS = (
    "login on Safari", "invoice export", "search \"exact\" match", "the nightly job",
    "cache\\invalidation", "payment retries 💳", "role & rights page", "=SUM(A1:A9) in CSV export",
    "Rechnungsübersicht", "checkout <b>bold</b>", "e-mail templates ✉️", "API paging", "time zones",
    "the onboarding wizard", "日本語の検索", "access log",
)  # fmt: skip


class Happening(msgspec.Struct, array_like=True):
    """One history: when (epoch ms), who (place in the cast's users, -1 nobody), and its items as (kind, from, to)."""

    at: int
    author: int
    items: list[tuple[str, Any, Any]]


class Life(msgspec.Struct, array_like=True):
    """The state of an issue at the end of the site's time, and everything that led there."""

    type: int
    summary: str
    story: int
    reporter: int
    status: str
    category_changed: int
    priority: int = 2
    resolution: int | None = None
    resolved: int | None = None
    assignee: int | None = None
    labels: list[int] = []
    components: list[int] = []
    versions: list[int] = []
    due: int | None = None
    points: float | None = None
    estimate: float | None = None
    sprints: list[int] = []
    flagged: bool = False
    parent: int | None = None
    happenings: list[Happening] = []


class Biographer:
    """Makes up lives, one after the other, from one random generator."""

    def __init__(self, generator: random.Random, cast: Cast, middle: int, end: int, max_histories: int) -> None:
        self._random = generator
        self._middle = middle
        self._cast = cast
        self._end = end
        self._max_histories = max_histories
        self._automation = len(cast.users) - 4
        self._former = len(cast.users) - 1
        self._categories = {status.id: status.category for status in cast.statuses}
        self._sprints = {
            project.id: [sprint for sprint in cast.sprints if sprint.board_id == project.id]
            for project in cast.projects
        }
        self._starts = {
            project: [sprint.start for sprint in sprints if sprint.start is not None]
            for project, sprints in self._sprints.items()
        }
        self._ends = {sprint.id: sprint.end for sprint in cast.sprints}

    def life(self, project: Project, created: int, parents: dict[str, list[int]], longest: bool) -> Life:
        """The life of an issue; `parents` are the epics and stories it may belong to; `longest` fills its history."""
        draw = self._random.random
        kind = self._type(parents)
        parent = None
        if kind == 4:
            parent = self._random.choice(parents["story"])
        elif kind != 0 and parents["epic"] and draw() < 0.5:
            parent = self._random.choice(parents["epic"])
        life = Life(
            type=kind,
            summary=f"{self._random.choice(_VERBS)} {self._random.choice(_NOUNS)}",
            story=int(draw() * 1_000_000) if draw() < 0.85 else -1,
            reporter=self._worker(),
            status=project.workflow[0],
            category_changed=created,
            priority=min(4, int(draw() * draw() * 6)),
            labels=sorted(self._random.sample(range(len(LABELS)), int(draw() * 2.4))),
            components=[int(draw() * len(COMPONENTS))] if draw() < 0.4 else [],
            due=created + int(draw() * 60) * DAY if draw() < 0.2 else None,
            parent=parent,
            happenings=[],
        )
        self._live(life, project, created, longest)
        return life

    def _type(self, parents: dict[str, list[int]]) -> int:
        draw = self._random.random()
        if draw < 0.04:
            return 0
        if draw < 0.14 and parents["story"]:
            return 4
        return 1 if draw < 0.5 else 2 if draw < 0.75 else 3

    def _live(self, life: Life, project: Project, created: int, longest: bool) -> None:
        draw = self._random.random
        wanted = self._max_histories if longest else min(self._max_histories, self._length())
        pace = (self._end - created) / (wanted + 2) if longest else 14 * _HOUR * exp(self._random.gauss(0.0, 1.1))
        now = created
        for number in range(wanted):
            gap = pace * (0.2 + 1.2 * draw()) if longest else pace * -6 * _log(draw())
            now = self._working(now + 1000 + int(gap)) if not longest else now + 1000 + int(gap * 0.7)
            if now >= self._end:
                break
            done = self._categories[life.status] == "done"
            if not longest and not done and len(life.happenings) + wanted - number < self._max_histories:
                self._carry_over(life, project, now)
            items = self._events(life, project, now, number, done, last=number >= wanted - 2)
            author = self._automation if draw() < 0.06 else -1 if draw() < 0.004 else self._worker()
            if not longest and now < self._middle < self._end - 9 * _HOUR and number + 2 < wanted and draw() < 0.15:
                now = self._detour(life, items, now, author)
            life.happenings.append(Happening(now, author, items))

    def _carry_over(self, life: Life, project: Project, now: int) -> None:
        """Take what was not done in its sprint into the next one, when the sprint ended."""
        if not life.sprints or not life.happenings:
            return
        ended = self._ends[life.sprints[-1]]
        if ended is None or not life.happenings[-1].at <= ended <= now:
            return
        following = self._sprint(project, ended)
        if following and (items := self._into_sprint(life, following)):
            life.happenings.append(Happening(ended, self._automation, items))

    def _sprint(self, project: Project, instant: int) -> Sprint | None:
        """The sprint that was on at that instant; the planned one after all others; None where there are no sprints."""
        sprints = self._sprints[project.id]
        number = bisect(self._starts[project.id], instant) - 1
        if number < 0:
            return None
        end = sprints[number].end
        return sprints[number + 1] if end is not None and instant >= end else sprints[number]

    def _into_sprint(self, life: Life, sprint: Sprint) -> list[tuple[str, Any, Any]]:
        """Jira keeps the closed sprints of an issue before its present one."""
        if sprint.id in life.sprints:
            return []
        old = list(life.sprints)
        life.sprints = [*old, sprint.id][-4:]
        return [("sprint", old, life.sprints)]

    def _detour(self, life: Life, items: list[tuple[str, Any, Any]], now: int, author: int) -> int:
        """Lead a step out of the backlog through the status that was deleted later; when the step ends."""
        kind, old, new = items[0]
        if kind != "status" or self._categories[old] != "new" or self._categories[new] == "new":
            return now
        life.happenings.append(Happening(now, author, [("status", old, DELETED_STATUS.id)]))
        later = now + 1000 + int(self._random.random() * 8 * _HOUR)
        items[0] = ("status", DELETED_STATUS.id, new)
        if self._categories[new] == "done":
            life.category_changed = later
            life.resolved = later if life.resolved is not None else None
        return later

    def _length(self) -> int:
        draw = self._random.random()
        if draw < 0.02:
            return int(self._max_histories * (0.5 + self._random.random()))
        return 1 + int(-11 * _log(self._random.random()))

    def _events(
        self, life: Life, project: Project, now: int, number: int, done: bool, last: bool
    ) -> list[tuple[str, Any, Any]]:
        draw = self._random.random()
        if not done and (draw < 0.42 or last):
            return self._forward(life, project, now)
        if done:
            if draw < 0.09 and not last:
                return self._to_status(life, project, project.workflow[int(self._random.random() * 2)], now)
            return self._small(life, project, now) if draw < 0.5 else [self._rank()]
        if draw < 0.56:
            return self._assign(life)
        return self._small(life, project, now)

    def _forward(self, life: Life, project: Project, now: int) -> list[tuple[str, Any, Any]]:
        """Usually the next status; sometimes back, straight to done, or to a done status that means dropped."""
        draw = self._random.random()
        place = project.workflow.index(life.status)
        done = [each for each in project.workflow if self._categories[each] == "done"]
        if draw < 0.08 and place > 0:
            target = project.workflow[place - 1]
        elif draw < 0.14:
            target = done[0]
        elif draw < 0.19:
            target = done[-1]
        else:
            target = project.workflow[min(place + 1, len(project.workflow) - 1)]
        items = self._to_status(life, project, target, now)
        if place == 0 and life.assignee is None:
            items += self._assign(life)
        if place == 0 and (running := self._sprint(project, now)):
            items += self._into_sprint(life, running)
        return items

    def _to_status(self, life: Life, project: Project, target: str, now: int) -> list[tuple[str, Any, Any]]:
        old, new = self._categories[life.status], self._categories[target]
        items: list[tuple[str, Any, Any]] = [("status", life.status, target)]
        life.status = target
        if old != new:
            life.category_changed = now
            if new == "done" and project.sets_resolution:
                resolution = 0 if self._random.random() < 0.85 else 1 + int(self._random.random() * 3)
                items.append(("resolution", life.resolution, resolution))
                life.resolution, life.resolved = resolution, now
            elif old == "done" and life.resolution is not None:
                items.append(("resolution", life.resolution, None))
                life.resolution = life.resolved = None
        return items

    def _assign(self, life: Life) -> list[tuple[str, Any, Any]]:
        old = life.assignee
        life.assignee = self._worker() if self._random.random() < 0.93 or old is None else None
        return [("assignee", old, life.assignee)] if old != life.assignee else [self._rank()]

    def _small(self, life: Life, project: Project, now: int) -> list[tuple[str, Any, Any]]:
        """A change that is none of status: points, sprint, labels, versions, priority, flag, text, rank."""
        draw = self._random.random()
        if draw < 0.2 and project.story_points_fields:
            return self._estimate(life, project)
        if draw < 0.42 and self._sprints[project.id]:
            planned = self._sprint(project, now + _SPRINT if draw < 0.36 else now)
            return (planned and self._into_sprint(life, planned)) or [self._rank()]
        if draw < 0.52:
            return self._versions(life)
        if draw < 0.6:
            old_labels = list(life.labels)
            life.labels = sorted(set(old_labels) ^ {int(self._random.random() * len(LABELS))})
            return [("labels", old_labels, life.labels)]
        if draw < 0.68:
            old_priority, life.priority = life.priority, (life.priority + 1) % 5
            return [("priority", old_priority, life.priority)]
        if draw < 0.75:
            life.flagged = not life.flagged
            return [("flagged", not life.flagged, life.flagged)]
        if draw < 0.81:
            old_summary = life.summary
            life.summary = f"{self._random.choice(_VERBS)} {self._random.choice(_NOUNS)}"
            return [("summary", old_summary, life.summary)]
        if draw < 0.88:
            old_story, life.story = life.story, int(self._random.random() * 1_000_000)
            return [("description", old_story, life.story)]
        return [self._rank()]

    def _estimate(self, life: Life, project: Project) -> list[tuple[str, Any, Any]]:
        value = self._random.choice(POINTS)
        classic = project.style == "classic" and (len(project.story_points_fields) == 1 or self._random.random() < 0.5)
        if classic:
            old, life.points = life.points, value
        else:
            old, life.estimate = life.estimate, value
        return [("points" if classic else "estimate", old, value)] if old != value else [self._rank()]

    def _versions(self, life: Life) -> list[tuple[str, Any, Any]]:
        """Replacing a version gives two items of the same field in one history."""
        new = int(self._random.random() * len(VERSIONS))
        items: list[tuple[str, Any, Any]] = [("version", old, None) for old in life.versions if old != new]
        if new not in life.versions:
            items.append(("version", None, new))
        life.versions = [new]
        return items or [self._rank()]

    def _rank(self) -> tuple[str, Any, Any]:
        return ("rank", None, self._random.random() < 0.5)

    def _worker(self) -> int:
        """Few people do most of the work, and one of the workers has been deleted since."""
        draw = self._random.random()
        return self._cast.workers[int(draw * draw * len(self._cast.workers))]

    def _working(self, instant: int) -> int:
        """Most changes outside working hours (UTC) wait for the next morning."""
        hour = instant % DAY // _HOUR
        weekday = (instant // DAY + 3) % 7
        if self._random.random() < 0.15 or (7 <= hour < 18 and weekday < 5):
            return instant
        days = 1 if hour >= 18 else 0
        if weekday + days >= 5:
            days += 7 - weekday - days
        return (instant // DAY + days) * DAY + 7 * _HOUR + int(self._random.random() * 9 * _HOUR)


def _log(draw: float) -> float:
    """The natural logarithm of a draw, bounded, for exponential gaps."""
    return log(max(draw, 1e-3))

"""What happens on a site: people at work, administrators, and a search index that is not quite there yet."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from jira_pipeline.sandbox import Blemish, Sandbox

UNTRACKED = "10003"
PROJECTS = ("10000", "10001", "10002", UNTRACKED)
MAY_BE_FORBIDDEN = "10002"

_UNREADABLE: tuple[Blemish, ...] = (
    "null_fields",
    "no_fields",
    "absurd_date",
    "wrong_types",
    "malformed",
    "server_error",
)
_OVERLAP = timedelta(hours=12)


class SiteLife:
    """Changes a sandbox at random. State guarded: what of it is out of order just now, and where each issue went when.

    `relocated` says when an issue last came into sight, went out of it, or changed its project.
    """

    def __init__(self, sandbox: Sandbox, dice: random.Random) -> None:
        self._sandbox = sandbox
        self._dice = dice
        self._counter = 0
        self._spoiled: list[str] = []
        self._forbidden_until: datetime | None = None
        self.relocated: dict[int, datetime] = {}
        issues = sandbox.issues()
        self._ids = [int(issue["id"]) for issue in issues]
        self._people = sorted({issue["fields"]["reporter"]["displayName"] for issue in issues})
        self._statuses = {
            project: sorted({issue["fields"]["status"]["id"] for issue in issues if _project(issue) == project})
            for project in PROJECTS
        }
        self._kinds: dict[Callable[[], object], int] = {
            self._update: 60, self._create: 14, self._delete: 5, self._move: 9, self._spoil: 3, self._heal: 3,
            self._rename_project: 1, self._rename_user: 2, self._forbid: 1, self._busy_issue: 1,
        }  # fmt: skip

    @property
    def spoiled(self) -> frozenset[int]:
        """The issues that the site cannot send well just now."""
        return frozenset(map(int, self._spoiled))

    def pass_time(self, until: datetime, changes: int) -> None:
        """Let so many things happen at random moments up to `until`, the last of them shortly before."""
        now = self._sandbox.now
        moments = sorted(now + (until - now) * self._dice.random() for _ in range(changes))
        for moment in [*moments, until - timedelta(seconds=self._dice.randint(1, 5400))]:
            self._sandbox.now = max(self._sandbox.now, moment)
            self._allow(moment)
            self.something_happens()
        self._sandbox.now = until

    def something_happens(self) -> None:
        """One change, now."""
        kinds = list(self._kinds)
        self._dice.choices(kinds, [self._kinds[kind] for kind in kinds])[0]()

    def blur_the_index(self, lag: timedelta) -> None:
        """Let writes be found late, and some that were made lately not be found for a few hours.

        Only lately: that an index takes back what it showed long ago is beyond what an overlap can promise.
        """
        self._sandbox.index_lag_seconds = lag.total_seconds()
        lately = self._sandbox.now - _OVERLAP + timedelta(minutes=10)
        for issue in self._sandbox.issues():
            written = datetime.fromisoformat(issue["fields"]["updated"])
            if written > lately and self._dice.random() < 0.25:
                self._sandbox.forget_issue(issue["id"], self._dice.randint(60, 3 * 3600))

    def something_harmless_happens(self) -> None:
        """One change that the next sync brings home without a census, now."""
        self._dice.choice((self._update, self._create, self._busy_issue))()

    def put_in_order(self) -> None:
        """Give back access, and let people repair every issue that cannot be read."""
        self._allow(None)
        while self._spoiled:
            self._heal()

    def _update(self) -> None:
        issue = self._issue()
        values: dict[str, Any] = {}
        for _ in range(self._dice.choice((1, 1, 2))):
            values |= self._dice.choice(
                (
                    {"status": self._dice.choice(self._statuses[_project(issue)])},
                    {"status": self._dice.choice(self._statuses[_project(issue)])},
                    {"assignee": self._dice.choice([None, *self._people])},
                    {"summary": self._text()},
                    {"labels": [f"label-{self._dice.randint(1, 5)}"]},
                    {"story_points": self._dice.choice((None, 1, 3, 5.5))},
                    {"priority": self._dice.choice(("High", "Low"))},
                )
            )
        self._sandbox.update_issue(issue["id"], **values)

    def _create(self) -> None:
        key = self._sandbox.create_issue(self._dice.choice(PROJECTS), summary=self._text())
        self._ids.append(int(self._sandbox.issue(key)["id"]))
        self.relocated[self._ids[-1]] = self._sandbox.now

    def _delete(self) -> None:
        issue = self._issue()
        self._sandbox.delete_issue(issue["id"])
        self._ids.remove(int(issue["id"]))
        if issue["id"] in self._spoiled:
            self._spoiled.remove(issue["id"])

    def _move(self) -> None:
        issues = self._sandbox.issues()
        # The key of a parent is part of its children's payload, and no search tells that it has changed.
        parents = {str((i["fields"].get("parent") or {}).get("id")) for i in issues}
        parents |= {str(value) for i in issues for name, value in i["fields"].items() if name.startswith("customfield")}
        issue = self._dice.choice([i for i in issues if i["id"] not in parents and i["key"] not in parents])
        self._sandbox.move_issue(issue["id"], self._dice.choice([p for p in PROJECTS if p != _project(issue)]))
        self.relocated[int(issue["id"])] = self._sandbox.now

    def _busy_issue(self) -> None:
        """More histories at once than a search answer carries."""
        issue = self._issue()
        for _ in range(self._dice.randint(41, 60)):
            self._sandbox.update_issue(issue["id"], summary=self._text())

    def _rename_project(self) -> None:
        self._counter += 1
        project = self._dice.choice(PROJECTS)
        new_key = f"R{self._counter}" if self._dice.random() < 0.7 else None
        self._sandbox.rename_project(project, new_key=new_key, new_name=f"Renamed {self._counter}")

    def _rename_user(self) -> None:
        self._counter += 1
        place = self._dice.randrange(len(self._people))
        renamed = f"{self._people[place].partition(' (')[0]} ({self._counter})"
        self._sandbox.rename_user(self._people[place], display_name=renamed)
        self._people[place] = renamed

    def _spoil(self) -> None:
        issue_id = self._issue()["id"]
        if issue_id not in self._spoiled:
            self._sandbox.spoil_issue(issue_id, self._dice.choice(_UNREADABLE))
            self._spoiled.append(issue_id)

    def _heal(self) -> None:
        if self._spoiled:
            self._sandbox.heal_issue(self._spoiled.pop(self._dice.randrange(len(self._spoiled))))

    def _forbid(self) -> None:
        if self._forbidden_until is None:
            self._note_access()
            self._sandbox.forbid_project(MAY_BE_FORBIDDEN)
            self._forbidden_until = self._sandbox.now + timedelta(days=self._dice.randint(1, 4))

    def _allow(self, now: datetime | None) -> None:
        if self._forbidden_until is not None and (now is None or now >= self._forbidden_until):
            self._sandbox.allow_project(MAY_BE_FORBIDDEN)
            self._forbidden_until = None
            self._note_access()

    def _note_access(self) -> None:
        for issue in self._sandbox.issues():
            if _project(issue) == MAY_BE_FORBIDDEN:
                self.relocated[int(issue["id"])] = self._sandbox.now

    def _issue(self) -> dict[str, Any]:
        """Any issue; also one that is out of the account's sight, because people go on working there."""
        return self._sandbox.issue(str(self._dice.choice(self._ids)))

    def _text(self) -> str:
        self._counter += 1
        return f"Nr. {self._counter}"


def _project(issue: dict[str, Any]) -> str:
    return str(issue["fields"]["project"]["id"])

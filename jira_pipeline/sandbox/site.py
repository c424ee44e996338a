"""The running site: its issues, projects and people as they are now, and what its account may see of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from .documents import Document, Documents
from .index import Index, Row
from .model import Flavour, Form, JsonObject, Project, SiteData, Sprint, Status, User
from .spoiling import Blemish
from .times import to_milliseconds

ACCOUNT = User(
    account_id="712020:0f3c9a52-5d1e-4c35-9a55-6d2f1f0e7a10",
    key="JIRAUSER10000",
    name="sandbox.reader",
    display_name="Sandbox Reader",
    email="sandbox.reader@example.com",
)
"""The person whose credentials the sandbox hands out."""

Value = TypeVar("Value")

_MAX_REMEMBERED = 32


class Site:
    """A Jira site that changes. Hold `lock` while reading more than one thing, or while changing anything."""

    def __init__(self, data: SiteData, flavour: Flavour, account_time_zone: str, clock: Callable[[], datetime]) -> None:
        self.flavour: Flavour = flavour
        self.zone = ZoneInfo(account_time_zone)
        self.account = replace(ACCOUNT, time_zone=account_time_zone)
        self.clock = clock
        self.lock = threading.RLock()
        self.projects: dict[int, Project] = {project.id: project for project in data.projects}
        self.users: dict[str, User] = {user.identity(flavour): user for user in [*data.users, self.account]}
        self.statuses: dict[str, Status] = {status.id: status for status in data.statuses}
        self.sprints: dict[int, Sprint] = {sprint.id: sprint for sprint in data.sprints}
        self.fields: list[JsonObject] = data.fields
        self.resolution = 1000 if flavour == "datacenter" else 1
        self.documents = Documents(Form(flavour, self.zone), {issue.id: issue for issue in data.issues})
        self.rows: dict[int, Row] = {
            issue.id: Row(
                issue.id, issue.project_id, issue.number, issue.created, issue.updated, issue.resolved, issue.status_id
            )
            for issue in data.issues
        }
        self.index = Index(self.rows.values(), self.resolution)
        self.index_lag_milliseconds = 0
        self.tokens_drift = False
        self.blemishes: dict[int, Blemish] = {}
        self._numbers: dict[tuple[int, int], int] = {(row.project_id, row.number): row.id for row in self.rows.values()}
        self._next_number: dict[int, int] = {}
        for row in self.rows.values():
            self._next_number[row.project_id] = max(self._next_number.get(row.project_id, 0), row.number)
        self._last_issue_id = max(self.rows, default=10_000)
        self._last_history_id = data.last_history_id
        self._unindexed: list[tuple[int, int, Row | None]] = []
        self._forgotten: dict[int, int] = {}
        self._remembered: dict[str, Any] = {}

    # --- time -----------------------------------------------------------------------------------------------------

    def clock_milliseconds(self) -> int:
        """The site's clock, in epoch milliseconds."""
        return to_milliseconds(self.clock().astimezone(UTC))

    # --- looking things up ----------------------------------------------------------------------------------------

    def project(self, text: str) -> Project | None:
        """A project by id or by current or former key, whatever the account may see; None if there is none."""
        if text.isdigit() and int(text) in self.projects:
            return self.projects[int(text)]
        wanted = text.upper()
        for project in self.projects.values():
            if project.key.upper() == wanted:
                return project
        return next((each for each in self.projects.values() if wanted in each.former_keys), None)

    def searchable_project(self, text: str) -> Project | None:
        """A project that JQL may name, by id, key, former key or name; None means 400.

        Data Center still knows an archived project there and finds nothing in it; on Cloud it is unknown.
        """
        project = self.project(text) or next(
            (each for each in self.projects.values() if each.name.lower() == text.lower()), None
        )
        if project is None:
            return None
        known = ("open", "archived") if self.flavour == "datacenter" else ("open",)
        return project if project.access in known else None

    def searchable_ids(self) -> frozenset[int]:
        """Ids of the projects in which searches find issues."""
        return frozenset(project.id for project in self.projects.values() if project.access == "open")

    def key_of(self, row: Row) -> str:
        """The issue's current key."""
        return f"{self.projects[row.project_id].key}-{row.number}"

    def row(self, key_or_id: str) -> Row | None:
        """An issue by id, key, or a key it had before it was moved or its project renamed, visible or not."""
        if key_or_id.isdigit():
            return self.rows.get(int(key_or_id))
        project_key, _, number = key_or_id.rpartition("-")
        project = self.project(project_key) if project_key and number.isdigit() else None
        if project is None:
            return None
        return self.rows.get(self._numbers.get((project.id, int(number)), 0))

    def issue(self, key_or_id: str) -> Row | None:
        """Like `row`, but only what the account may see. Archived issues can be read, though searches skip them."""
        row = self.row(key_or_id)
        if row is None or self.projects[row.project_id].access not in ("open", "archived"):
            return None
        return row

    def document(self, row: Row) -> Document:
        """Where the issue's JSON lies."""
        return self.documents.get(row.id)

    def field_values(self, row: Row) -> JsonObject:
        """The issue's fields, decoded; empty for an issue that the index still holds but that is deleted."""
        return self.documents.fields(self.documents.get(row.id)) if row.id in self.rows else {}

    def custom_field_id(self, name: str) -> str | None:
        """The id of the field that JQL calls `name`: a clause name such as `cf[10016]`, a display name, or an id."""
        wanted = name.lower()
        for entry in self.fields:
            names = (entry["id"], entry["name"], *entry.get("clauseNames", []))
            if wanted in {each.lower() for each in names}:
                return str(entry["id"])
        return None

    def account_names(self) -> set[str]:
        """What `currentUser()` is compared with."""
        return {self.account.identity(self.flavour)}

    # --- changing -------------------------------------------------------------------------------------------------

    def next_issue_id(self) -> int:
        """A new issue id, larger than every one before."""
        self._last_issue_id += 1
        return self._last_issue_id

    def next_history_id(self) -> int:
        """A new history id, larger than every one before."""
        self._last_history_id += 1
        return self._last_history_id

    def next_number(self, project_id: int) -> int:
        """The next key number of a project. Numbers are never used twice, not even after a deletion."""
        self._next_number[project_id] = self._next_number.get(project_id, 0) + 1
        return self._next_number[project_id]

    def store(self, row: Row, fields: bytes, histories: list[bytes]) -> None:
        """Write an issue, new or changed. It is found by searches once the index lag has passed."""
        self.documents.put(row.id, fields, histories)
        self.rows[row.id] = row
        self._numbers[(row.project_id, row.number)] = row.id
        self._write_index(row.id, row)

    def remove(self, row: Row) -> None:
        """Delete an issue for good. The keys that it had lead nowhere from now on."""
        del self.rows[row.id]
        self.documents.drop(row.id)
        self._write_index(row.id, None)

    def set_project(self, project: Project) -> None:
        """Add a project, or replace one."""
        self.projects[project.id] = project
        self._remembered.clear()

    def set_access(self, project: Project, access: Literal["open", "forbidden", "archived", "trashed"]) -> None:
        """Change what the account may see of a project."""
        self.set_project(replace(project, access=access))

    # --- the index behind the database ----------------------------------------------------------------------------

    def forget(self, issue_id: int, seconds: float) -> None:
        """Let searches miss an issue for a while, as Cloud's index does."""
        self._forgotten[issue_id] = self.clock_milliseconds() + int(seconds * 1000)
        self._remembered.clear()

    def forgets_any(self) -> bool:
        """Whether any issue is missed by searches just now."""
        return bool(self._forgotten)

    def forgets(self, issue_id: int) -> bool:
        """Whether searches miss the issue just now."""
        return issue_id in self._forgotten

    def forgotten_rows(self) -> list[Row]:
        """The indexed rows that searches miss just now."""
        return [self.index.rows[each] for each in self._forgotten if each in self.index.rows]

    def refresh_index(self) -> None:
        """Bring the index up to the site's clock. Every search begins with this."""
        now = self.clock_milliseconds()
        if self._forgotten:
            self._forgotten = {each: until for each, until in self._forgotten.items() if until > now}
        while self._unindexed and self._unindexed[0][0] <= now:
            _, issue_id, row = self._unindexed.pop(0)
            self._apply(issue_id, row)

    def reconcile(self, issue_ids: set[int]) -> None:
        """Index the named issues at once (`reconcileIssues` of a search)."""
        for entry in [entry for entry in self._unindexed if entry[1] in issue_ids]:
            self._unindexed.remove(entry)
            self._apply(entry[1], entry[2])

    def remembered(self, what: str, compute: Callable[[], Value]) -> Value:
        """Something dear to compute that is asked for page after page, kept until anything changes."""
        if what not in self._remembered:
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[what] = compute()
        value: Value = self._remembered[what]
        return value

    def _write_index(self, issue_id: int, row: Row | None) -> None:
        self._remembered.clear()
        if self.index_lag_milliseconds:
            self._unindexed.append((self.clock_milliseconds() + self.index_lag_milliseconds, issue_id, row))
        else:
            self._apply(issue_id, row)

    def _apply(self, issue_id: int, row: Row | None) -> None:
        self._remembered.clear()
        if row is None:
            self.index.remove(issue_id)
        else:
            self.index.put(row)

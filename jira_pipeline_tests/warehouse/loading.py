"""Issues as Jira sends them, put into a real warehouse the way a sync does: pages, landing files, load."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jira_pipeline.jira.fields import FieldRole
from jira_pipeline.jira.pages import IssueRecord, UnreadableIssue, clean_json, read_issue
from jira_pipeline.jira.site import Project
from jira_pipeline.sync.landing import LandingFile, LandingWriter
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.load import LoadCounts, load_issues, set_issues_aside
from jira_pipeline.warehouse.operations import store_field_roles
from jira_pipeline.warehouse.typed_issues import derive_issues

Json = dict[str, Any]

PROJECT = Project("10000", "APP", "Mobile App")
DAY = date(2026, 11, 2)
SYNCED_AT = datetime(2026, 11, 3, 2, tzinfo=UTC)
CREATED = "2026-11-01T09:00:00.000+0000"
UPDATED = "2026-11-02T10:00:00.000+0000"


def issue(
    issue_id: int = 1,
    *,
    key: str | None = None,
    histories: Sequence[Json] | None = None,
    total: int | None = None,
    **fields: Any,
) -> Json:
    """An issue object; `histories` None means that the changelog was not asked for."""
    found: Json = {
        "id": str(issue_id),
        "key": key or f"APP-{issue_id}",
        "fields": {
            "project": {"id": PROJECT.id, "key": PROJECT.key},
            "created": CREATED,
            "updated": UPDATED,
            "summary": "Fix login",
            "status": {"id": "1", "name": "To Do", "statusCategory": {"key": "new"}},
            **fields,
        },
    }
    if histories is not None:
        found["changelog"] = {"histories": list(histories), "total": len(histories) if total is None else total}
    return found


def history(history_id: int | str, *items: Json, created: Any = UPDATED, **more: Any) -> Json:
    """A changelog entry."""
    return {"id": str(history_id), "created": created, "items": list(items), **more}


def item(field: str, before: str | None = None, after: str | None = None, **more: Any) -> Json:
    """One changed field; ids and texts alike."""
    return {"field": field, "from": before, "fromString": before, "to": after, "toString": after, **more}


def record(raw: Json | bytes) -> IssueRecord:
    """The issue as a page of the site gives it."""
    entry = read_issue(clean_json(raw if isinstance(raw, bytes) else json.dumps(raw).encode()))
    assert isinstance(entry, IssueRecord), entry
    return entry


class Store:
    """A warehouse in a directory of its own, and how tests put issues in and read tables back."""

    def __init__(self, directory: Path) -> None:
        self.warehouse = Warehouse(directory / "jira.duckdb")
        self._directory = directory
        self._walks = itertools.count(1)

    def land(self, *issues: Json | bytes) -> tuple[LandingFile, ...]:
        """Write issues into landing files."""
        with LandingWriter(self._directory, PROJECT, next(self._walks)) as writer:
            writer.write(record(each) for each in issues)
        return writer.take_files()

    def load(self, *issues: Json | bytes, unreadable: Iterable[UnreadableIssue] = ()) -> LoadCounts:
        """Land and load issues as one fetch."""
        return self.load_files(self.land(*issues), unreadable=unreadable)

    def load_files(
        self,
        files: Iterable[LandingFile],
        *,
        unreadable: Iterable[UnreadableIssue] = (),
        partition_date: date = DAY,
        synced_at: datetime = SYNCED_AT,
    ) -> LoadCounts:
        """Load landing files in one transaction."""
        with self.warehouse.transaction() as connection:
            loaded = load_issues(connection, tuple(files), partition_date=partition_date, synced_at=synced_at)
            set_issues_aside(connection, tuple(unreadable), PROJECT.key, synced_at)
        return sum(loaded.values(), LoadCounts())

    def derive(self, *roles: FieldRole) -> int:
        """Store the roles of fields and type the issues."""
        with self.warehouse.transaction() as connection:
            store_field_roles(connection, roles)
            return derive_issues(connection)

    def typed(self, raw: Json | bytes, *roles: FieldRole) -> Json:
        """The row of `issues` that an issue becomes."""
        self.load(raw)
        self.derive(*roles)
        return self.row("SELECT * FROM issues WHERE issue_id = $1", record(raw).issue_id)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.warehouse.transaction() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def row(self, sql: str, *parameters: object) -> Json:
        """The only row of an answer, by column name."""
        with self.warehouse.transaction() as connection:
            cursor = connection.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            (values,) = cursor.fetchall()
        return dict(zip(names, values, strict=True))

    def value(self, sql: str, *parameters: object) -> Any:
        """The only value of an answer."""
        ((value,),) = self.rows(sql, *parameters)
        return value

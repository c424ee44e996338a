"""Issues from files: one JSON issue a line, as Jira's search returns them, gzip-compressed or not.

Issues are sent exactly as they lie in the file. What a site has besides issues (projects, users, statuses, fields) is
inferred from them.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec

from ..errors import SettingsError
from .fields import infer_fields
from .model import Flavour, Form, JsonObject, Project, SiteData, Status, User
from .spool import Spool
from .times import parse_jira

_USER_FIELDS = ("assignee", "reporter", "creator")
_NULL = msgspec.Raw(b"null")
_SYSTEM_STATUSES: dict[Any, Status] = {
    "1": Status("1", "Open", "new"),
    "3": Status("3", "In Progress", "indeterminate"),
    "4": Status("4", "Reopened", "new"),
    "5": Status("5", "Resolved", "done"),
    "6": Status("6", "Closed", "done"),
}
"""Jira's own statuses, whose ids are the same on every Data Center site; histories may name one that no issue is in."""
_UNSEEN = Status("", "", "undefined")


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Line(msgspec.Struct):
    id: str | int
    key: str
    fields: msgspec.Raw
    changelog: msgspec.Raw = _NULL


class _Columns(msgspec.Struct):
    project: JsonObject
    created: str
    updated: str
    status: JsonObject
    resolutiondate: str | None = None
    assignee: JsonObject | None = None
    reporter: JsonObject | None = None
    creator: JsonObject | None = None


class _Item(msgspec.Struct, rename={"from_": "from"}):
    field: str
    from_: str | int | None = None
    to: str | int | None = None


class _History(msgspec.Struct):
    created: str
    items: list[_Item]
    author: JsonObject | None = None
    id: str | int = 0


class LoadedIssue:
    """An issue of a file. Its bytes lie in a spool and are never rewritten, so `form` has no effect on them."""

    __slots__ = (
        "_fields",
        "_histories",
        "_spool",
        "created",
        "id",
        "number",
        "project_id",
        "resolved",
        "status_id",
        "target_bytes",
        "updated",
    )

    def __init__(self, line: _Line, columns: _Columns, histories: list[bytes], spool: Spool) -> None:
        self.id = int(line.id)
        self.project_id = int(columns.project["id"])
        self.number = int(line.key.rpartition("-")[2])
        self.created = parse_jira(columns.created)
        self.updated = parse_jira(columns.updated)
        self.resolved = parse_jira(columns.resolutiondate) if columns.resolutiondate else None
        self.status_id = str(columns.status["id"])
        self.target_bytes = 0
        self._spool = spool
        self._fields = spool.append(bytes(line.fields))
        self._histories = [spool.append(history) for history in histories]

    def as_json(self, form: Form) -> tuple[bytes, list[bytes]]:
        """Fields and histories as they lay in the file, histories oldest first."""
        return self._spool.read(self._fields), [self._spool.read(extent) for extent in self._histories]


class _Findings:
    """What the issues tell about the site around them."""

    def __init__(self) -> None:
        self.projects: dict[int, Project] = {}
        self.users: dict[str, User] = {}
        self.statuses: dict[str, Status] = {}
        self.examples: dict[str, Any] = {}
        self.last_history_id = 10_000

    def see(self, line: _Line, columns: _Columns) -> None:
        project = columns.project
        project_id = int(project["id"])
        if project_id not in self.projects:
            style = "next-gen" if project.get("simplified") else "classic"
            self.projects[project_id] = Project(
                project_id,
                project["key"],
                project["name"],
                style,  # type: ignore[arg-type]
                original=project,
            )
        status = columns.status
        if self.statuses.get(str(status["id"]), _UNSEEN).original is None:
            category = (status.get("statusCategory") or {}).get("key", "undefined")
            self.statuses[str(status["id"])] = Status(str(status["id"]), status["name"], category, original=status)
        for name in _USER_FIELDS:
            self.see_user(getattr(columns, name))
        for name, value in _members.decode(line.fields).items():
            if self.examples.get(name) is None:
                self.examples[name] = msgspec.json.decode(value)

    def see_history(self, history: _History) -> None:
        self.see_user(history.author)
        self.last_history_id = max(self.last_history_id, int(history.id))
        for item in history.items:
            if item.field == "status":
                for status_id in (item.from_, item.to):
                    if status_id in _SYSTEM_STATUSES:
                        self.statuses.setdefault(str(status_id), _SYSTEM_STATUSES[status_id])

    def see_user(self, person: JsonObject | None) -> None:
        if not person:
            return
        identity = str(person.get("accountId") or person.get("key") or person.get("name") or "")
        if identity and identity not in self.users:
            self.users[identity] = User(
                account_id=person.get("accountId", identity),
                key=person.get("key", identity),
                name=person.get("name", identity),
                display_name=person.get("displayName", identity),
                email=person.get("emailAddress"),
                active=bool(person.get("active", True)),
                account_type=person.get("accountType", "atlassian"),
                original=person,
            )

    def flavour(self) -> Flavour:
        cloud = any("accountId" in (user.original or {}) for user in self.users.values())
        return "cloud" if cloud or not self.users else "datacenter"


def load_ndjson(paths: str | Path | Iterable[str | Path], fields_file: str | Path | None = None) -> SiteData:
    """The site that NDJSON files of issues describe; `fields_file` is the JSON of `GET /field`, else it is inferred.

    Each line is one issue object with `id`, `key`, `fields` and, if it has one, `changelog`. Raises SettingsError when
    a file is missing or unreadable, naming file and line.
    """
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    spool = Spool()
    findings = _Findings()
    issues: list[LoadedIssue] = []
    line_decoder = msgspec.json.Decoder(_Line)
    columns_decoder = msgspec.json.Decoder(_Columns)
    for file in files:
        for number, text in _lines(Path(file)):
            try:
                line = line_decoder.decode(text)
                columns = columns_decoder.decode(line.fields)
                histories = _histories(line.changelog, findings)
                issues.append(LoadedIssue(line, columns, histories, spool))
            except (msgspec.MsgspecError, KeyError, ValueError) as error:
                raise SettingsError(
                    f"{file}, line {number}: not a Jira issue ({error}); each line must be one issue object as Jira's "
                    "search returns it, with id, key and fields."
                ) from error
            findings.see(line, columns)
    return SiteData(
        projects=sorted(findings.projects.values(), key=lambda project: project.id),
        users=list(findings.users.values()),
        statuses=sorted(findings.statuses.values(), key=lambda status: status.id),
        fields=_read_fields(Path(fields_file)) if fields_file else infer_fields(findings.examples),
        issues=issues,
        last_history_id=findings.last_history_id,
        flavour=findings.flavour(),
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as plain:
            compressed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if compressed else plain
            for number, text in enumerate(stream, start=1):
                if text.strip():
                    yield number, text
    except (OSError, EOFError, zlib.error) as error:
        raise SettingsError(f"{path} cannot be read as NDJSON issues ({error}); check the path.") from error


def _histories(changelog: msgspec.Raw, findings: _Findings) -> list[bytes]:
    """The histories of a changelog object or bare list, oldest first whatever the order in the file."""
    text = bytes(changelog)
    if text == b"null":
        return []
    if text.lstrip().startswith(b"{"):
        text = bytes(msgspec.json.decode(text, type=dict[str, msgspec.Raw]).get("histories", msgspec.Raw(b"[]")))
    found: list[tuple[int, int, bytes]] = []
    for raw in msgspec.json.decode(text, type=list[msgspec.Raw]):
        history = msgspec.json.decode(raw, type=_History)
        findings.see_history(history)
        found.append((parse_jira(history.created), int(history.id), bytes(raw)))
    found.sort(key=lambda item: item[:2])
    return [item[2] for item in found]


def _read_fields(path: Path) -> list[JsonObject]:
    try:
        fields: list[JsonObject] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be read as a field list ({error}); it must hold the JSON of GET /field."
        ) from error
    return fields

"""Pages of issues as bytes: cut into issues without building objects for what nobody looks at here.

A page of 100 issues is some 2 MB; turning it into Python objects costs more than everything else on its way.
msgspec's `Raw` finds where values begin and end; only the handful of values that steer the extraction are decoded.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Generic, TypeVar

import msgspec

# Every escape of a JSON string in turn, so that an escaped backslash before a `u` is not taken for an escape; a lone
# half of a surrogate pair is the only one caught in the group.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)

_SLICE = 1 << 14
_HALF_OF_A_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class IssueRecord:
    """One issue of a page: what steers the extraction, and the rest as the bytes that Jira sent.

    `payload` is the issue object without its changelog; `histories` is the array of the changelog's entries, each with
    its `id`, `created`, `items` and `author`, of whom only what identifies is kept. `history_ids` are their numbers in
    the same order, `history_total` is how many of them Jira says there are (None: it did not say, as when the changelog
    was not asked for). `status` and `people` are the objects that describe the issue's status and everybody who plays a
    role in it or wrote one of the histories.
    """

    issue_id: int
    issue_key: str
    project_id: str | None
    project_key: str | None
    created: datetime
    updated: datetime
    payload: bytes = field(repr=False)
    status: bytes | None = field(default=None, repr=False)
    people: frozenset[bytes] = field(default=frozenset(), repr=False)
    histories: bytes = field(default=b"[]", repr=False)
    history_ids: tuple[int, ...] = ()
    history_total: int | None = None

    @property
    def history_complete(self) -> bool:
        """Whether every history that Jira counts is here."""
        return len(self.history_ids) >= (self.history_total or 0)

    def with_histories(self, more: Iterable[bytes]) -> IssueRecord:
        """The issue with further histories, each once and in the order of their numbers."""
        histories = dict(zip(self.history_ids, _decode_array(self.histories), strict=True))
        added = [_decode_history(history) for history in more]
        people = self.people | _shorten_authors(added)
        histories |= {history.id: msgspec.Raw(_encode(history)) for history in added}
        numbers = tuple(sorted(histories))
        return replace(
            self,
            histories=_encode([histories[number] for number in numbers]),
            history_ids=numbers,
            people=frozenset(people - _NOBODY),
        )


@dataclass(frozen=True)
class UnreadableIssue:
    """An issue that cannot be stored as a row: set aside with what Jira sent and why.

    `issue_id` is None where not even that could be read.
    """

    issue_id: int | None
    issue_key: str | None
    reason: str
    payload: bytes = field(repr=False)


def each_once(unreadable: Iterable[UnreadableIssue]) -> tuple[UnreadableIssue, ...]:
    """Every issue once: walks that meet, and pages that are asked for again in parts, bring one several times."""
    return tuple({(issue.issue_id or issue.payload): issue for issue in unreadable}.values())


@dataclass(frozen=True)
class IssuePage:
    """What one search request brought. `next_token` is None on the last page of a token walk."""

    issues: tuple[IssueRecord, ...]
    unreadable: tuple[UnreadableIssue, ...] = ()
    next_token: str | None = None
    is_last: bool | None = None
    total: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many issues the page held, readable or not."""
        return len(self.issues) + len(self.unreadable)


_NULL = msgspec.Raw(b"null")
_NOBODY = frozenset((b"", b"null"))

_IssueT = TypeVar("_IssueT")


class _Page(msgspec.Struct, Generic[_IssueT], gc=False):
    # Required on purpose: an error body or an empty object must not pass for a page without issues.
    issues: list[_IssueT]
    nextPageToken: str | None = None
    isLast: bool | None = None
    total: int | None = None
    warnings: list[msgspec.Raw] | None = None


class _Project(msgspec.Struct, gc=False):
    id: str | int | None = None
    key: Any = None


class _Fields(msgspec.Struct, gc=False):
    created: str
    updated: str
    project: _Project | None = None
    status: msgspec.Raw = _NULL
    assignee: msgspec.Raw = _NULL
    reporter: msgspec.Raw = _NULL
    creator: msgspec.Raw = _NULL


# Jira's ids are 64-bit numbers, and so are the columns that hold them: another one would stop the whole load.
_Id = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


# Of a history, what issue_changes is made of: most of its bytes describe the author, over and over again.
class _History(msgspec.Struct, gc=False):
    id: _Id
    created: msgspec.Raw = _NULL
    author: msgspec.Raw = _NULL
    items: msgspec.Raw = _NULL


class _Changelog(msgspec.Struct, gc=False):
    histories: list[_History] | None = None
    total: Annotated[int, msgspec.Meta(le=2**31 - 1)] | None = None


_decode_page = msgspec.json.Decoder(_Page[dict[str, msgspec.Raw]]).decode
_decode_odd_page = msgspec.json.Decoder(_Page[msgspec.Raw]).decode
_decode_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_fields = msgspec.json.Decoder(_Fields).decode
# Not strict: ids are numbers on one site and texts on another.
_decode_id = msgspec.json.Decoder(_Id, strict=False).decode
_decode_changelog = msgspec.json.Decoder(_Changelog | None, strict=False).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_history = msgspec.json.Decoder(_History, strict=False).decode
_encode = msgspec.json.Encoder().encode


def read_page(body: bytes) -> IssuePage:
    """Cut the body of a search answer into issues. Raises `msgspec.DecodeError` when it is not a whole page of issues;
    a single issue that cannot be read is returned among `unreadable`."""
    body = clean_json(body)
    issues: list[IssueRecord] = []
    unreadable: list[UnreadableIssue] = []
    page: _Page[dict[str, msgspec.Raw]] | _Page[msgspec.Raw]
    try:
        page = _decode_page(body)
        entries = map(_issue_of, page.issues)
    except msgspec.ValidationError:
        page = _decode_odd_page(body)  # one of the issues is no object
        entries = map(read_issue, map(bytes, page.issues))
    for entry in entries:
        if isinstance(entry, IssueRecord):
            issues.append(entry)
        else:
            unreadable.append(entry)
    return IssuePage(
        issues=tuple(issues),
        unreadable=tuple(unreadable),
        next_token=page.nextPageToken or None,
        is_last=page.isLast,
        total=page.total,
        warnings=tuple(bytes(w).decode() for w in page.warnings or ()),
    )


def read_issue(raw: bytes) -> IssueRecord | UnreadableIssue:
    """One issue object, or the reason why it cannot be a row: without id, key, creation or update there is nothing to
    key, order or window it by. Everything else may be null, missing or of a surprising type."""
    try:
        parts = _decode_members(raw)
    except msgspec.DecodeError as error:
        return UnreadableIssue(None, None, f"the issue is not readable: {error}", raw)
    return _issue_of(parts)


def _issue_of(parts: dict[str, msgspec.Raw]) -> IssueRecord | UnreadableIssue:
    issue_id: int | None = None
    issue_key: str | None = None
    try:
        issue_key = _text(parts.get("key"))
        issue_id = _decode_id(parts["id"])
        if issue_key is None:
            raise KeyError("key")
        fields = _decode_fields(parts["fields"])
        changelog = _decode_changelog(parts.get("changelog", _NULL)) or _Changelog()
        histories = changelog.histories or []
        people = {bytes(fields.assignee), bytes(fields.reporter), bytes(fields.creator)}
        people |= _shorten_authors(histories)
        project = fields.project or _Project()
        return IssueRecord(
            issue_id=issue_id,
            issue_key=issue_key,
            project_id=None if project.id is None else str(project.id),
            project_key=project.key if isinstance(project.key, str) else None,
            created=_instant(fields.created, "created"),
            updated=_instant(fields.updated, "updated"),
            payload=_object({name: value for name, value in parts.items() if name != "changelog"}),
            status=None if fields.status == _NULL else bytes(fields.status),
            people=frozenset(people - _NOBODY),
            histories=_encode(histories),
            history_ids=tuple([history.id for history in histories]),
            history_total=None if changelog.histories is None else changelog.total,
        )
    except KeyError as missing:
        reason = f"the issue has no {missing.args[0]!r}"
    except (ValueError, OverflowError, msgspec.DecodeError) as error:
        reason = f"the issue is not readable: {error}"
    return UnreadableIssue(issue_id, issue_key, reason, _object(parts))


def _shorten_authors(histories: Iterable[_History]) -> set[bytes]:
    """Leave of the authors what identifies them; returns who they are in full."""
    authors = set()
    for history in histories:
        author = bytes(history.author)
        authors.add(author)
        history.author = _identity(author)
    return authors


@lru_cache(maxsize=4096)
def _identity(author: bytes) -> msgspec.Raw:
    try:
        person = _decode_members(author)
    except msgspec.DecodeError:
        return msgspec.Raw(author)
    return msgspec.Raw(_encode({name: person[name] for name in ("accountId", "key", "name") if name in person}))


def _object(parts: dict[str, msgspec.Raw]) -> bytes:
    pieces: list[bytes | msgspec.Raw] = []
    for name, value in parts.items():
        pieces += (b",", _encode(name), b":", value)
    return b"".join((b"{", *pieces[1:], b"}"))


def _text(raw: msgspec.Raw | None) -> str | None:
    try:
        return None if raw is None else _decode_text(raw)
    except msgspec.DecodeError:
        return None


def clean_json(body: bytes) -> bytes:
    """The same JSON with bytes that are no UTF-8 and escapes of half a surrogate pair replaced by U+FFFD.

    Jira passes on what people paste; DuckDB refuses the whole file for one of these.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    if not body.isascii() and not _is_utf8(body):
        body = body.decode("utf-8", errors="replace").encode()
    if _HALF_OF_A_PAIR.search(body):
        body = _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], body)
    return body


def _is_utf8(body: bytes) -> bool:
    # In slices, because the text of a whole page takes up to four times its bytes, and filling fresh memory costs more
    # than looking at it.
    start = 0
    view = memoryview(body)
    try:
        while start < len(body):
            end = start + _SLICE
            start += codecs.utf_8_decode(view[start:end], "strict", end >= len(body))[1]
    except UnicodeDecodeError:
        return False
    return True


def _instant(text: str, name: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{name} is {text[:40]!r}, which is no instant") from error
    if instant.tzinfo is None or not 1900 <= instant.year <= 2200:
        raise ValueError(f"{name} is {text[:40]!r}, which is no instant that Jira can mean")
    return instant

"""Landing files: issues on disk, one a line, compressed, complete or not there at all.

Four files belong together, so that the warehouse decides by the small one what is news, and parses of the large ones
each byte at most once:

    heads       {"line_id": 1, "issue_id": 10001, "issue_key": "APP-1", "project_id": "10000", "project_key": "APP",
                 "created": "…", "updated": "…", "history_count": 3, "history_complete": true, "content_hash": 123}
    payloads    1 <tab> {…}                 the issue as Jira sent it, without its changelog
    histories   1 <tab> […]                 its changelog's entries, of their authors only who they are
    mentions    {"kind": "person", "seen_at": "…", "value": {…}}    each description of a person or a status once

Tab-separated and not JSON, because a JSON reader would parse a payload and write it again. A file is written under a
temporary name and renamed when it is whole. It ends with a checksum, which DuckDB verifies: without one, flipped
bits in compressed text become other text and not an error.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec
import zstandard

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.pages import IssueRecord
from jira_pipeline.jira.site import Project

_ROLL_BYTES = 4 << 20  # of text: small, so that a walk soon has something to store, and several are read at once
_CHUNK_BYTES = 1 << 16
_KINDS = ("heads", "payloads", "histories", "mentions")
_JSON = msgspec.json.Encoder()
# A Data Center sprint is printed with its Java object's address, which is another one at every request.
_OBJECT_ADDRESS = re.compile(rb"Sprint@[0-9a-f]+\[")
_SPRINT_OBJECT = b"greenhopper.service.sprint.Sprint@"  # in full: the longer, the faster it is searched for


@dataclass(frozen=True)
class LandingFile:
    """A finished set of landing files. `sizes` are their compressed sizes in bytes, `longest_line` is what a reader
    must be prepared to hold."""

    heads: Path
    payloads: Path
    histories: Path
    mentions: Path
    sizes: tuple[int, ...]
    issues: int
    json_bytes: int
    longest_line: int

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files of the set."""
        return (self.heads, self.payloads, self.histories, self.mentions)

    def is_whole(self) -> bool:
        """Whether every file is there in its full length."""
        return all(
            path.is_file() and path.stat().st_size == size for path, size in zip(self.paths, self.sizes, strict=True)
        )

    def unlink(self) -> None:
        """Remove the files."""
        for path in self.paths:
            path.unlink(missing_ok=True)


class LandingWriter:
    """Writes the issues of one walk through a project, rolling over to new files every 4 MB of JSON. `order` is the
    project's number among those that are fetched with it.

    State guarded: the files being written. Used by one thread at a time.
    """

    def __init__(self, directory: Path, project: Project, walk_number: int = 1, *, order: int = 0) -> None:
        self._directory = directory
        self._project = project
        self._name = f"{project.id}-{walk_number:04d}"
        self._next_line = order << 44 | walk_number << 24  # unique among the lines of one run
        self._numbers = itertools.count()
        self._finished: list[LandingFile] = []
        self._open: tuple[_CompressedFile, ...] | None = None
        self._mentions: dict[tuple[str, bytes], str] = {}
        self._issues = self._bytes = self._longest = 0

    def __enter__(self) -> LandingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _explained(self._directory):
            self._finish()

    def take_files(self) -> tuple[LandingFile, ...]:
        """The files that have been finished since the last time."""
        taken, self._finished = tuple(self._finished), []
        return taken

    def write(self, issues: Iterable[IssueRecord]) -> None:
        """Append the issues of a page that has just been read. Raises `PipelineError` when they cannot be written."""
        page = tuple(issues)
        if page:
            with _explained(self._directory):
                self._write(page)

    def _write(self, page: Sequence[IssueRecord]) -> None:
        if self._open is None:
            self._open = self._begin()
        seen_at = datetime.now(UTC).isoformat()
        numbered = list(enumerate(page, self._next_line))
        lines: tuple[Iterable[bytes], ...] = (
            (b"%b\n" % _head(issue, line_id, self._project) for line_id, issue in numbered),
            (b"%d\t%b\n" % (line_id, _flat(issue.payload)) for line_id, issue in numbered),
            (b"%d\t%b\n" % (line_id, _flat(issue.histories)) for line_id, issue in numbered),
        )
        for issue in page:
            if issue.status is not None:
                self._mentions["status", issue.status] = seen_at
            for person in issue.people:
                self._mentions["person", person] = seen_at
        for file, of_page in zip(self._open, lines, strict=False):
            self._append(file, of_page)
        self._next_line += len(page)
        self._issues += len(page)
        if self._bytes >= _ROLL_BYTES:
            self._finish()

    def _append(self, file: _CompressedFile, lines: Iterable[bytes]) -> None:
        # Not one by one, because each call gives the interpreter's lock away; and not all at once, because a page's
        # lines joined are megabytes of fresh memory.
        chunk: list[bytes] = []
        size = 0
        for line in lines:
            chunk.append(line)
            size += len(line)
            self._longest = max(self._longest, len(line))
            if size >= _CHUNK_BYTES:
                file.write(b"".join(chunk))
                self._bytes += size
                chunk, size = [], 0
        file.write(b"".join(chunk))
        self._bytes += size

    def _begin(self) -> tuple[_CompressedFile, ...]:
        self._issues = self._bytes = self._longest = 0
        name = f"{self._name}-{next(self._numbers):04d}"
        return tuple(_CompressedFile(self._directory / f"{name}.{kind}.zst") for kind in _KINDS)

    def _finish(self) -> None:
        if self._open is None:
            return
        files, self._open = self._open, None
        mentioned = [
            b"%b\n" % _JSON.encode({"kind": kind, "seen_at": seen_at, "value": msgspec.Raw(_flat(value))})
            for (kind, value), seen_at in self._mentions.items()
        ]
        if mentioned:
            self._append(files[-1], mentioned)
        self._mentions.clear()
        heads, payloads, histories, mentions = (file.path for file in files)
        self._finished.append(
            LandingFile(
                heads,
                payloads,
                histories,
                mentions,
                sizes=tuple([file.finish() for file in files]),
                issues=self._issues,
                json_bytes=self._bytes,
                longest_line=self._longest,
            )
        )


@contextmanager
def _explained(directory: Path) -> Iterator[None]:
    """Say what an error of the file system means for the sync. Raises `PipelineError`."""
    try:
        yield
    except OSError as error:
        raise PipelineError(
            f"Issues could not be written to {directory} ({error.strerror or error}): make room there, or see that it "
            "can be written, and run again; what was stored before is untouched."
        ) from error


class _CompressedFile:
    """A file that appears under its name when it is finished, private to the user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_suffix(".part")
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        compressor = zstandard.ZstdCompressor(level=1, write_checksum=True)
        self._compressor = compressor.stream_writer(self._file, closefd=False)

    def write(self, line: bytes) -> None:
        self._compressor.write(line)

    def finish(self) -> int:
        """Give the file its name; returns its size in bytes."""
        with self._file:
            self._compressor.close()  # type: ignore[no-untyped-call]
            size = self._file.tell()
        os.replace(self._part, self.path)
        return size


def _head(issue: IssueRecord, line_id: int, project: Project) -> bytes:
    head = {
        "line_id": line_id,
        "issue_id": issue.issue_id,
        "issue_key": issue.issue_key,
        "project_id": issue.project_id or project.id,
        "project_key": issue.project_key or project.key,
        "created": issue.created,
        "updated": issue.updated,
        "history_count": max(issue.history_total or 0, len(issue.history_ids)),
        "history_complete": issue.history_complete,
        "content_hash": content_hash(issue),
    }
    return _JSON.encode(head)


def _flat(json: bytes) -> bytes:
    # JSON allows line breaks and tabs between values, and only there.
    return json.replace(b"\n", b" ").replace(b"\r", b" ").replace(b"\t", b" ")


def content_hash(issue: IssueRecord) -> int:
    """A number that changes with the issue's content and not with how it was fetched: histories count by their ids,
    since they never change and look different in each of Jira's answers."""
    digest = hashlib.sha1(usedforsecurity=False)  # the fastest there is on processors of today
    payload = issue.payload
    digest.update(_OBJECT_ADDRESS.sub(b"Sprint@[", payload) if _SPRINT_OBJECT in payload else payload)
    digest.update(repr(sorted(issue.history_ids)).encode())
    return int.from_bytes(digest.digest()[:8], "big")

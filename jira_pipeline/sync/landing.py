"""Landing files: issues on disk, one a line, compressed, complete or not there at all.

A line holds the issue's identifying values, its payload as Jira sent it, and its histories:

    {"line_id": 1, "issue_id": 10001, "issue_key": "APP-1", "project_id": "10000", "created": "…", "updated": "…",
    "history_count": 3,
     "history_complete": true, "content_hash": 123, "payload": {…}, "histories": […]}

A file is written under a temporary name, synced to disk and renamed, so whoever sees it sees all of it.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import msgspec
import zstandard

from jira_pipeline.jira.pages import IssueRecord

SUFFIX = ".ndjson.zst"
_ROLL_BYTES = 64 << 20  # of JSON; what the warehouse parses in one statement
# A Data Center sprint is printed with its Java object's address, which is another one at every request.
_OBJECT_ADDRESS = re.compile(rb"Sprint@[0-9a-f]+\[")


@dataclass(frozen=True)
class LandingFile:
    """A finished landing file. `longest_line` is what a reader must be prepared to hold."""

    path: Path
    issues: int
    json_bytes: int
    longest_line: int


class LandingWriter:
    """Writes the issues of one walk, rolling over to a new file every 64 MB of JSON.

    State guarded: the file being written. Used by one thread at a time.
    """

    def __init__(self, directory: Path, project_id: str, walk_number: int) -> None:
        self._directory = directory
        self._name = f"{project_id}-{walk_number:04d}"
        self._next_line = walk_number << 32  # unique among the lines of one project's fetch
        self._finished: list[LandingFile] = []
        self._open: tuple[Path, BinaryIO, zstandard.ZstdCompressionWriter] | None = None
        self._issues = self._bytes = self._longest = 0

    def __enter__(self) -> LandingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()

    @property
    def files(self) -> tuple[LandingFile, ...]:
        """The finished files."""
        return tuple(self._finished)

    def write(self, issues: Iterable[IssueRecord]) -> None:
        """Append issues."""
        for issue in issues:
            line = landing_line(issue, self._next_line)
            self._next_line += 1
            if self._open is None:
                self._begin()
            assert self._open is not None
            self._open[2].write(line)
            self._issues += 1
            self._bytes += len(line)
            self._longest = max(self._longest, len(line))
            if self._bytes >= _ROLL_BYTES:
                self._finish()

    def _begin(self) -> None:
        path = self._directory / f"{self._name}-{len(self._finished):04d}{SUFFIX}"
        descriptor = os.open(path.with_suffix(".part"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        file = os.fdopen(descriptor, "wb")
        self._open = (path, file, zstandard.ZstdCompressor(level=1).stream_writer(file, closefd=False))
        self._issues = self._bytes = self._longest = 0

    def _finish(self) -> None:
        if self._open is None:
            return
        path, file, compressor = self._open
        self._open = None
        compressor.close()  # type: ignore[no-untyped-call]
        with file:
            file.flush()
            os.fsync(file.fileno())
        os.replace(path.with_suffix(".part"), path)
        self._finished.append(LandingFile(path, self._issues, self._bytes, self._longest))


def landing_line(issue: IssueRecord, line_id: int) -> bytes:
    """One issue as a line of a landing file."""
    head = msgspec.json.encode(
        {
            "line_id": line_id,
            "issue_id": issue.issue_id,
            "issue_key": issue.issue_key,
            "project_id": issue.project_id,
            "created": issue.created.isoformat(),
            "updated": issue.updated.isoformat(),
            "history_count": max(issue.history_total or 0, len(issue.histories)),
            "history_complete": issue.history_complete,
            "content_hash": content_hash(issue),
        }
    )
    line = b"".join((head[:-1], b',"payload":', issue.payload, b',"histories":[', b",".join(issue.histories), b"]}"))
    # JSON allows line breaks between values; NDJSON does not.
    return line.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"


def content_hash(issue: IssueRecord) -> int:
    """A number that changes with the issue's content and not with how it was fetched: histories count by their ids,
    since they never change and look different in each of Jira's answers."""
    digest = hashlib.sha1(usedforsecurity=False)  # the fastest there is on processors of today
    payload = issue.payload
    digest.update(_OBJECT_ADDRESS.sub(b"Sprint@[", payload) if b"Sprint@" in payload else payload)
    digest.update(repr(sorted(issue.history_ids)).encode())
    return int.from_bytes(digest.digest()[:8], "big")

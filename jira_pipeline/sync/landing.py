"""Landing files: issues on disk, one a line, compressed, complete or not there at all.

Two files belong together, because the warehouse reads payloads and histories apart and parses each byte once. A line of
the first holds an issue's identifying values and its payload as Jira sent it, one of the second its histories:

    {"line_id": 1, "issue_id": 10001, "issue_key": "APP-1", "project_id": "10000", "created": "…", "updated": "…",
     "history_count": 3, "history_complete": true, "content_hash": 123, "payload": {…}}
    {"line_id": 1, "issue_id": 10001, "histories": […]}

A file is written under a temporary name, synced to disk and renamed, so whoever sees it sees all of it. It ends with a
checksum, which DuckDB verifies: without one, flipped bits in compressed text become other text and not an error.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import msgspec
import zstandard

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.pages import IssueRecord

SUFFIX = ".ndjson.zst"
_ROLL_BYTES = 64 << 20  # of JSON; what the warehouse parses in one statement
# A Data Center sprint is printed with its Java object's address, which is another one at every request.
_OBJECT_ADDRESS = re.compile(rb"Sprint@[0-9a-f]+\[")


@dataclass(frozen=True)
class LandingFile:
    """A finished pair of landing files. `longest_line` is what a reader must be prepared to hold."""

    path: Path
    histories_path: Path
    issues: int
    json_bytes: int
    longest_line: int

    def unlink(self) -> None:
        """Remove both files."""
        self.path.unlink(missing_ok=True)
        self.histories_path.unlink(missing_ok=True)


class LandingWriter:
    """Writes the issues of one walk, rolling over to new files every 64 MB of JSON.

    State guarded: the files being written. Used by one thread at a time.
    """

    def __init__(self, directory: Path, project_id: str, walk_number: int) -> None:
        self._directory = directory
        self._name = f"{project_id}-{walk_number:04d}"
        self._next_line = walk_number << 32  # unique among the lines of one project's fetch
        self._finished: list[LandingFile] = []
        self._open: tuple[_CompressedFile, _CompressedFile] | None = None
        self._issues = self._bytes = self._longest = 0

    def __enter__(self) -> LandingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _explained(self._directory):
            self._finish()

    @property
    def files(self) -> tuple[LandingFile, ...]:
        """The finished files."""
        return tuple(self._finished)

    def write(self, issues: Iterable[IssueRecord]) -> None:
        """Append issues. Raises `PipelineError` when they cannot be written."""
        with _explained(self._directory):
            for issue in issues:
                self._write(issue)

    def _write(self, issue: IssueRecord) -> None:
        if self._open is None:
            self._open = self._begin()
        for file, line in zip(self._open, landing_lines(issue, self._next_line), strict=True):
            file.write(line)
            self._bytes += len(line)
            self._longest = max(self._longest, len(line))
        self._next_line += 1
        self._issues += 1
        if self._bytes >= _ROLL_BYTES:
            self._finish()

    def _begin(self) -> tuple[_CompressedFile, _CompressedFile]:
        self._issues = self._bytes = self._longest = 0
        name = f"{self._name}-{len(self._finished):04d}"
        return (
            _CompressedFile(self._directory / f"{name}.issues{SUFFIX}"),
            _CompressedFile(self._directory / f"{name}.histories{SUFFIX}"),
        )

    def _finish(self) -> None:
        if self._open is None:
            return
        issues, histories = self._open
        self._open = None
        for file in (issues, histories):
            file.finish()
        self._finished.append(LandingFile(issues.path, histories.path, self._issues, self._bytes, self._longest))


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

    def finish(self) -> None:
        with self._file:
            self._compressor.close()  # type: ignore[no-untyped-call]
            self._file.flush()
            os.fsync(self._file.fileno())
        os.replace(self._part, self.path)


def landing_lines(issue: IssueRecord, line_id: int) -> tuple[bytes, bytes]:
    """One issue as a line of each file."""
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
    return (
        _one_line(b"".join((head[:-1], b',"payload":', issue.payload, b"}"))),
        _one_line(
            b'{"line_id":%d,"issue_id":%d,"histories":[%b]}' % (line_id, issue.issue_id, b",".join(issue.histories))
        ),
    )


def _one_line(line: bytes) -> bytes:
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

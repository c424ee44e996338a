"""A file of byte strings that need not stay in memory."""

from __future__ import annotations

import os
import tempfile
import threading
from typing import NamedTuple


class Extent(NamedTuple):
    """Where a byte string lies in a spool."""

    offset: int
    length: int


class Spool:
    """Byte strings appended to an unnamed temporary file, which the system removes when the process ends.

    A site of 200,000 issues is more than a gigabyte of JSON; on disk it costs only page cache, and reading one issue
    back is one system call. Safe for threads.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="jira-sandbox-")  # noqa: SIM115 - lives as long as the spool
        self._descriptor = self._file.fileno()
        self._end = 0
        self._lock = threading.Lock()

    def append(self, data: bytes) -> Extent:
        """Store `data` and return where it lies."""
        with self._lock:
            extent = Extent(self._end, len(data))
            self._end += len(data)
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], extent.offset + written)
        return extent

    def read(self, extent: Extent) -> bytes:
        """The bytes stored at `extent`."""
        return os.pread(self._descriptor, extent.length, extent.offset)

"""Telling a full disk from a bug."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# DuckDB has no error of its own for it; it passes on what the system says.
_SAID = ("No space left on device", "Disk quota exceeded", "File too large")


@contextmanager
def full_disk_explained(directory: Path) -> Iterator[None]:
    """Raise `PipelineError` for whatever Python or DuckDB raise when the disk is full; other errors pass. What had been
    committed before is untouched."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        full = error.errno in _FULL if isinstance(error, OSError) else any(said in str(error) for said in _SAID)
        if not full:
            raise
        raise PipelineError(
            f"There is no room left for {directory}: make room there and run again; what was stored before is "
            "untouched."
        ) from error

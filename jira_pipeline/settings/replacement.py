"""Files that are replaced whole: whoever reads one meanwhile, or after a crash, sees the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jira_pipeline.errors import SettingsError


@contextmanager
def replacement(path: Path, content: bytes, *, mode: int) -> Iterator[Path]:
    """Write `content` to a file beside `path` and give its path; when the block ends well, it takes `path`'s place.

    A link stays a link: the new file replaces what it leads to. `mode` is the permissions of the new file. Raises
    `SettingsError` when the directory cannot be written.
    """
    target = path.resolve()
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                os.fchmod(file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise _unwritable(path, error) from error
        yield part
        try:
            os.replace(part, target)
            _sync_directory(target.parent)
        except OSError as error:
            raise _unwritable(path, error) from error
    finally:
        part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"{path} cannot be written ({error.strerror}): make its directory writable, or have somebody run this who may."
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

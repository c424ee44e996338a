"""The file that holds the current pair of OAuth tokens: private, and either the old one or the new one, whole."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.token_endpoint import TokenPair

_ROOM = 16 * 1024  # bytes; Atlassian's access tokens have some two thousand
_READABLE_BY_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class StoredTokens:
    """The current pair, and which refresh tokens of JIRA_OAUTH_REFRESH_TOKEN it and its predecessors began with:
    SHA-256 digests, the oldest first."""

    pair: TokenPair
    begun_with: tuple[str, ...]


class _File(msgspec.Struct):
    access_token: str
    refresh_token: str
    renew_at: float
    expires_at: float
    begun_with: tuple[str, ...]


_decode = msgspec.json.Decoder(_File).decode


def read_token_file(path: Path) -> StoredTokens | None:
    """What the file holds, None when there is none.

    Raises `SettingsError` when others may read it, or when it cannot be read or understood.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            body = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(
            f"The OAuth token file {path} cannot be read ({error.strerror}): make it readable, or set "
            "JIRA_OAUTH_TOKEN_FILE to another path."
        ) from error
    if mode & _READABLE_BY_OTHERS:
        raise SettingsError(
            f"The OAuth token file {path} is open to other users (mode {stat.S_IMODE(mode):04o}): "
            f"run `chmod 600 {path}`, and authorise the app again if somebody may have read it."
        )
    try:
        held = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Without the decoder's error, which need not be silent about what it found.
        raise SettingsError(
            f"The OAuth token file {path} is not one that jira_pipeline has written: delete it, authorise the app "
            "again and set JIRA_OAUTH_REFRESH_TOKEN to the new refresh token, or correct JIRA_OAUTH_TOKEN_FILE."
        ) from None
    return StoredTokens(
        TokenPair(held.access_token, held.refresh_token, renew_at=held.renew_at, expires_at=held.expires_at),
        held.begun_with,
    )


@contextmanager
def ready_to_write(path: Path) -> Iterator[Callable[[StoredTokens], None]]:
    """Make sure that tokens can be stored before they are asked for; gives the function that stores them.

    Asking replaces the old refresh token, so finding out afterwards that the directory is read-only or the disk full
    would lose the sign-in. Raises `SettingsError`. To be used by one process at a time.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        file = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as error:
        raise _unwritable(path, error) from error

    def store(tokens: StoredTokens) -> None:
        pair = tokens.pair
        body = msgspec.json.encode(
            _File(pair.access_token, pair.refresh_token, pair.renew_at, pair.expires_at, tokens.begun_with)
        )
        try:
            file.seek(0)
            file.write(body)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, path)
            _sync_directory(path.parent)
        except OSError as error:
            raise _unwritable(path, error) from error

    with file:
        try:
            try:
                os.fchmod(file.fileno(), 0o600)
                file.write(b" " * _ROOM)
                file.flush()
                os.fsync(file.fileno())
            except OSError as error:
                raise _unwritable(path, error) from error
            yield store
        finally:
            part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(
        f"The OAuth token file {path} cannot be written ({error.strerror}): set JIRA_OAUTH_TOKEN_FILE to a file "
        "in a directory that belongs to you, on a disk that lasts and has room."
    )


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

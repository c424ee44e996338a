"""The file `.env` in the working directory: where `init` puts the credentials, and where every command finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings.replacement import replacement

ENV_FILE = Path(".env")
_CREDENTIALS = (
    "JIRA_SERVER",
    "JIRA_EMAIL",
    "JIRA_API_TOKEN",
    "JIRA_PERSONAL_ACCESS_TOKEN",
    "JIRA_OAUTH_CLIENT_ID",
    "JIRA_OAUTH_CLIENT_SECRET",
    "JIRA_OAUTH_REFRESH_TOKEN",
)


def load_env_file(environ: MutableMapping[str, str]) -> None:
    """Take variables that are not set from `.env`, which `dagster dev` reads as well. Raises `SettingsError` when it is
    there and cannot be read."""
    for name, value in _values().items():
        if value is not None:
            environ.setdefault(name, value)


def credentials_set_elsewhere(environ: Mapping[str, str]) -> tuple[str, ...]:
    """The variables to sign in with that have their value from somewhere else, which wins over `.env`."""
    here = _values()
    return tuple(name for name in _CREDENTIALS if environ.get(name) and environ[name] != here.get(name))


def holds_credentials() -> bool:
    """Whether `.env` is there and sets one of the variables by which this program signs in."""
    return any(_sets(line, _CREDENTIALS) for line in _content().splitlines())


def store_credentials(credentials: Mapping[str, str]) -> None:
    """Write the variables to `.env`, readable by its owner only, in place of those of an earlier sign-in. Its other
    lines stay."""
    kept = [line for line in _content().splitlines() if not _sets(line, _CREDENTIALS)]
    lines = [*kept, *(f"{name}={_quoted(value)}" for name, value in credentials.items())]
    with replacement(ENV_FILE, "".join(f"{line}\n" for line in lines).encode(), mode=0o600):
        pass


def _values() -> dict[str, str | None]:
    return dotenv_values(stream=StringIO(_content()))


def _content() -> str:
    try:
        return ENV_FILE.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"{ENV_FILE.absolute()} cannot be read ({reason}): make it readable, or move it away."
        ) from error


def _sets(line: str, names: tuple[str, ...]) -> bool:
    return re.match(rf"\s*(?:export\s+)?(?:{'|'.join(names)})\s*=", line) is not None


def _quoted(value: str) -> str:
    """The value in single quotes, between which blanks and # are part of it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"

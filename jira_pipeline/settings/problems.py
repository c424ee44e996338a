"""Everything that is wrong with the settings, collected so that one run tells it all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jira_pipeline.errors import SettingsError

LISTED_AT_MOST = 20


@dataclass(frozen=True, order=True)
class Problem:
    """`text` says what is wrong with `key` on `line` (from 1) of `file`, and what to do."""

    file: str
    line: int
    key: str
    text: str

    def __str__(self) -> str:
        end = "" if self.text.endswith("?") else "."
        return f"{self.file}, line {self.line}, {self.key}: {self.text}{end}"


@dataclass
class Problems:
    """Collects problems while the settings are read; `raise_any` ends the reading."""

    path: Path
    found: set[Problem] = field(default_factory=set)

    def add(self, file: Path, line: int, key: str, text: str) -> None:
        """Note a problem; the same one noted twice, through a YAML alias, is told once."""
        self.found.add(Problem(str(file), line, key, text))

    def raise_any(self) -> None:
        """Raise a SettingsError with all problems, in the order of file and line, if there are any."""
        if not self.found:
            return
        problems = [str(problem) for problem in sorted(self.found)]
        if len(problems) == 1:
            raise SettingsError(problems[0])
        listed = problems[:LISTED_AT_MOST]
        if len(problems) > LISTED_AT_MOST:
            listed.append(f"... and {len(problems) - LISTED_AT_MOST} more.")
        raise SettingsError("\n".join([f"{self.path} has {len(problems)} problems, correct each of them:", *listed]))


def read_text(path: Path, *, remedy: str) -> str:
    """The content of a UTF-8 file (a byte order mark is dropped); SettingsError when it is missing or unreadable.

    `remedy` completes the sentence for a missing file: what to do about it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SettingsError(f"{path} does not exist: {remedy}.") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): give a readable file.") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}, line {line}: the text is not UTF-8; save the file as UTF-8.") from None

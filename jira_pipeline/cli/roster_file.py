"""The review of the matching as a CSV file that spreadsheets open and that is a roster once it is filled in."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import TeamMember
from jira_pipeline.settings.roster import COLUMNS, guarded
from jira_pipeline.warehouse.unmatched import Suggestion, UnmatchedUser

_REVIEW_COLUMNS = ("display_name", "unmatched_reason", "assigned_issues", "open_issues", "suggestion")


def write_roster(
    path: Path, members: Sequence[TeamMember], users: Iterable[tuple[UnmatchedUser, Sequence[Suggestion]]]
) -> None:
    """Write the roster as it is, and below it a row for each user, whose `name` and `team` are to be filled in.

    Raises `SettingsError` when the file is there already, since somebody may have filled it in, or cannot be written.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow((*COLUMNS, *_REVIEW_COLUMNS))
    for row in (*map(_member_row, members), *_user_rows(users)):
        rows.writerow([guarded(cell) for cell in row])
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise SettingsError(
            f"{path} is there already and may have been filled in: name another file, or remove it."
        ) from None
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be written ({error.strerror}): name a file in a directory that is yours."
        ) from error
    # With a byte order mark: Excel takes UTF-8 for its own code page otherwise.
    with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as file:
        file.write(text.getvalue())


def suggestion_text(found: Sequence[Suggestion]) -> str:
    """The suggestions in one cell."""
    return "; ".join(f"{suggestion.member.name}? ({suggestion.reason})" for suggestion in found)


def _member_row(member: TeamMember) -> tuple[str, ...]:
    known = (member.name, member.email, member.team, member.jira_account_id, ";".join(member.aliases))
    return (*(value or "" for value in known), *("" for _ in _REVIEW_COLUMNS))


def _user_rows(users: Iterable[tuple[UnmatchedUser, Sequence[Suggestion]]]) -> Iterator[tuple[str, ...]]:
    for user, found in users:
        yield (
            "",
            user.email_address or "",
            "",
            user.user_id,
            "",
            user.display_name or "",
            user.unmatched_reason,
            str(user.assigned_issues),
            str(user.open_issues),
            suggestion_text(found),
        )

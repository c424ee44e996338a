"""Users whom nobody of the roster could be found for, and who they may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import duckdb

from jira_pipeline.settings import TeamMember
from jira_pipeline.warehouse.statements import sql_text

# Of two local parts, as difflib compares them: "ana.ruiz" and "ana.ruis" are similar, "ana" and "anna.lind" are not.
_SIMILARITY = 0.85
_MAILBOX_SEPARATORS = re.compile(r"[._-]+")


@dataclass(frozen=True)
class UnmatchedUser:
    """A user without a team member: why (`unmatched_reason` of matched_assignees), and how many issues are assigned."""

    user_id: str
    display_name: str | None
    email_address: str | None
    unmatched_reason: str
    assigned_issues: int
    open_issues: int


@dataclass(frozen=True)
class Coverage:
    """Issues assigned to a person, and how many of them to a member of the roster."""

    assigned: int
    matched: int

    @property
    def share(self) -> float:
        """From 0 to 1; 1 where no issue is assigned."""
        return self.matched / self.assigned if self.assigned else 1.0


@dataclass(frozen=True)
class Suggestion:
    """A member of the roster whom a user may be, and why. For people to judge: a name proves nothing."""

    member: TeamMember
    reason: str


def unmatched_users(connection: duckdb.DuckDBPyConnection) -> tuple[UnmatchedUser, ...]:
    """Everybody in matched_assignees without a match, those with the most issues first."""
    return tuple(UnmatchedUser(*row) for row in connection.execute(sql_text("unmatched_users")).fetchall())


def matching_coverage(connection: duckdb.DuckDBPyConnection) -> Coverage:
    """How many of the assigned issues are a team member's. Apps, and accounts that are gone, do not count."""
    row = connection.execute(sql_text("matching_coverage")).fetchone()
    assert row is not None
    return Coverage(*row)


def suggestions(user: UnmatchedUser, members: Sequence[TeamMember]) -> tuple[Suggestion, ...]:
    """Members with the same name, or with an address like the user's, in the roster's order."""
    return tuple(Suggestion(member, reason) for member in members for reason in _resemblance(user, member))


def _resemblance(user: UnmatchedUser, member: TeamMember) -> Iterator[str]:
    if user.display_name and _plain(user.display_name) and _plain(user.display_name) == _plain(member.name):
        yield "same name"
    theirs = _mailbox(user.email_address)
    if theirs:
        addresses = [address for address in (member.email, *member.aliases) if address and "@" in address]
        similar = [
            address for address in addresses if SequenceMatcher(None, theirs, _mailbox(address)).ratio() >= _SIMILARITY
        ]
        if similar:
            yield f"similar address {similar[0]}"


def _plain(name: str) -> str:
    """A name without case, accents, punctuation and the order of its words: "RUIZ, Ana" is "Ana Ruíz"."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(sorted(re.findall(r"\w+", letters)))


def _mailbox(address: str | None) -> str:
    """The local part of an address without separators and the part behind +, by which one mailbox has many names."""
    local = (address or "").partition("@")[0].casefold().partition("+")[0]
    return _MAILBOX_SEPARATORS.sub("", local)

"""JQL for windows of issues, in the one form that means the same for every account.

A quoted date is read in the time zone of the account's profile; an unquoted integer is epoch milliseconds (Atlassian,
"Advanced searching: created"). Bounds are floored to the minute because neither index promises more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True)
class IssueWindow:
    """Issues of one project, optionally cut by last update and by creation. Lower bounds are included, upper ones not.

    `created` never changes, so windows that share an edge in it are disjoint and complete however busy the project is.
    `excluded` are ids of issues that Jira shows and cannot send.
    """

    project_id: str
    updated_from: datetime | None = None
    updated_before: datetime | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    excluded: tuple[int, ...] = ()

    def jql(self, *, newest_first: bool = False) -> str:
        """The query, ordered by creation so that updates during the walk move nothing."""
        clauses = [f"project = {self.project_id}"]
        clauses += [
            f"{field} {operator} {epoch_milliseconds(bound)}"
            for field, operator, bound in (
                ("updated", ">=", self.updated_from),
                ("updated", "<", self.updated_before),
                ("created", ">=", self.created_from),
                ("created", "<", self.created_before),
            )
            if bound is not None
        ]
        if self.excluded:
            clauses.append(f"id NOT IN ({', '.join(map(str, self.excluded))})")
        direction = "DESC" if newest_first else "ASC"
        return f"{' AND '.join(clauses)} ORDER BY created {direction}, key {direction}"

    def from_creation(self, instant: datetime) -> IssueWindow:
        """The rest of this window from `instant` on, floored to the minute: what is left of an interrupted walk."""
        return replace(self, created_from=floor_minute(instant))


def floor_minute(instant: datetime) -> datetime:
    """`instant` in UTC without seconds."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


def epoch_milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC of the minute that `instant` lies in."""
    return int(floor_minute(instant).timestamp()) * 1000

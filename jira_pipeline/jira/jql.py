"""JQL for windows of issues, in the one form that means the same for every account.

A quoted date is read in the time zone of the account's profile; an unquoted integer is epoch milliseconds (Atlassian,
"Advanced searching: created"). Bounds are floored to the minute because neither index promises more. Should a site not
understand the integers (`JiraSite.verify_bounds` finds out), bounds are quoted in the account's zone instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


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

    def jql(self, *, newest_first: bool = False, quoted_in: ZoneInfo | None = None) -> str:
        """The query, ordered by creation so that updates during the walk move nothing.

        `quoted_in`: the zone in which the site reads dates, where it has to be told dates.
        """
        clauses = [f"project = {self.project_id}"]
        clauses += [
            f"{field} {operator} {date_bound(bound, quoted_in, is_upper=operator == '<')}"
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


def date_bound(instant: datetime, quoted_in: ZoneInfo | None = None, *, is_upper: bool = False) -> str:
    """`instant` as JQL compares it: epoch milliseconds, or quoted local time.

    Where autumn has a local time twice, Jira does not say which of the two it takes: such a bound is moved by an
    hour, so that the window becomes wider and never narrower.
    """
    if quoted_in is None:
        return str(epoch_milliseconds(instant))
    local = floor_minute(instant).astimezone(quoted_in)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        local = (floor_minute(instant) + timedelta(hours=1 if is_upper else -1)).astimezone(quoted_in)
    return f'"{local:%Y-%m-%d %H:%M}"'


def floor_minute(instant: datetime) -> datetime:
    """`instant` in UTC without seconds."""
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


def epoch_milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970-01-01 UTC of the minute that `instant` lies in."""
    return int(floor_minute(instant).timestamp()) * 1000

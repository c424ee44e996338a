"""What a census concludes from comparing the ids a site shows with those that are stored. Decisions only, no requests.

Jira has no list of deleted issues, so a stored issue that no project shows any more is asked for by id, which does not
go by the lagging index. The rules (docs/architecture.md, decision 9):

* an issue that answers by id is there, whatever the index says; in another project it has moved;
* one that does not answer is `deleted` where its project shows others, else `not_visible`: a 404 may also be a lack of
  permission;
* where issues could not be asked for by id, absence from one census is a suspicion, and from another one an hour
  later `not_visible`;
* more than a fifth of a project (and more than ten issues) gone at once is not believed unless somebody confirms it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

RemovalReason = Literal["deleted", "moved_out", "not_visible"]

_MASS_SHARE = 0.2
_MASS_ISSUES = 10
# An index that has forgotten an issue for a moment needs minutes to find it again.
_BETWEEN_OBSERVATIONS = timedelta(hours=1)


@dataclass(frozen=True)
class StoredIssues:
    """The issues of the warehouse: the project that each one not removed is stored under, and those that are marked
    as removed."""

    project_of: Mapping[int, str]
    removed: frozenset[int]


@dataclass(frozen=True)
class Comparison:
    """A project's stored issues beside those that the site shows in it.

    `missing` are stored here and shown in no project; `to_fetch` are shown here and not stored as being here.
    """

    known: frozenset[int]
    seen: frozenset[int]
    missing: frozenset[int]
    to_fetch: frozenset[int]


@dataclass(frozen=True)
class Verdict:
    """What is to become of a project's missing issues: removed for a reason, in another tracked project by now (by its
    id), suspected until another census, or there after all (`hidden` from the index)."""

    removals: Mapping[int, RemovalReason]
    rehomed: Mapping[int, str]
    suspected: frozenset[int]
    hidden: frozenset[int]


def compare(stored: StoredIssues, seen: Mapping[str, AbstractSet[int]]) -> dict[str, Comparison]:
    """Compare what is stored with what the site shows, by project id, for the projects that were walked to the end."""
    shown: set[int] = set().union(*seen.values())
    known: dict[str, set[int]] = {project_id: set() for project_id in seen}
    for issue_id, project_id in stored.project_of.items():
        if project_id in known:
            known[project_id].add(issue_id)
    return {
        project_id: Comparison(
            known=frozenset(known[project_id]),
            seen=frozenset(ids),
            missing=frozenset(known[project_id] - shown),
            to_fetch=frozenset(ids - known[project_id]),
        )
        for project_id, ids in seen.items()
    }


def judge(
    project_id: str,
    comparison: Comparison,
    locations: Mapping[int, str | None] | None,
    *,
    tracked_ids: Collection[str],
    missed_since: Mapping[int, datetime],
    now: datetime,
) -> Verdict:
    """Decide on a project's missing issues.

    `locations` says for each that answered by id which project it is in now (None: not said), and is itself None where
    they could not be asked for. `missed_since` says since when earlier censuses have suspected an issue.
    """
    removals: dict[int, RemovalReason] = {}
    rehomed: dict[int, str] = {}
    suspected: set[int] = set()
    hidden: set[int] = set()
    for issue_id in comparison.missing:
        if locations is None:
            since = missed_since.get(issue_id)
            if since is not None and now - since >= _BETWEEN_OBSERVATIONS:
                removals[issue_id] = "not_visible"
            else:
                suspected.add(issue_id)
        elif issue_id not in locations:
            removals[issue_id] = "deleted" if comparison.seen else "not_visible"
        else:
            location = locations[issue_id]
            if location is None or location == project_id:
                hidden.add(issue_id)
            elif location in tracked_ids:
                rehomed[issue_id] = location
            else:
                removals[issue_id] = "moved_out"
    return Verdict(removals, rehomed, frozenset(suspected), frozenset(hidden))


def is_mass_removal(*, known: int, removals: int) -> bool:
    """Whether so many of a project's issues are gone at once that a mistake is likelier than the truth."""
    return removals > _MASS_ISSUES and removals > _MASS_SHARE * known

"""What a JQL condition means on this site: a test for rows, and what of it the index can answer by itself.

Behaviour after Atlassian's JQL reference and Data Center's source: quoted dates are wall-clock minutes of the
account's zone, a bare integer is epoch milliseconds, `id` is an alias of `key`, relational operators on it compare key
numbers inside the project of an issue that must exist, and EMPTY is excluded by `!=` and `not in`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import inf
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from .index import Row
from .jql import Clause, Condition, JqlError, Junction, Negation, Operand
from .model import JsonObject, Project, Status
from .times import to_milliseconds

Test = Callable[[Row], bool]

_DATE_FIELDS = {
    "created": "created",
    "createddate": "created",
    "updated": "updated",
    "updateddate": "updated",
    "resolved": "resolved",
    "resolutiondate": "resolved",
}
_KEY_FIELDS = frozenset({"id", "key", "issue", "issuekey"})
_FIELD_IDS = {
    "type": "issuetype",
    "issuetype": "issuetype",
    "assignee": "assignee",
    "reporter": "reporter",
    "creator": "creator",
    "priority": "priority",
    "resolution": "resolution",
    "labels": "labels",
    "component": "components",
    "fixversion": "fixVersions",
    "affectedversion": "versions",
    "parent": "parent",
    "summary": "summary",
    "description": "description",
    "due": "duedate",
    "duedate": "duedate",
}
_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
}
_UNITS = {"w": 7 * 86_400_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000}


class Surroundings(Protocol):
    """What a condition needs to know of the site."""

    statuses: dict[str, Status]
    zone: ZoneInfo
    resolution: int

    def searchable_project(self, text: str) -> Project | None: ...
    def issue(self, key_or_id: str) -> Row | None: ...
    def field_values(self, row: Row) -> JsonObject: ...
    def custom_field_id(self, name: str) -> str | None: ...
    def account_names(self) -> set[str]: ...
    def clock_milliseconds(self) -> int: ...


@dataclass(frozen=True)
class Meaning:
    """A condition's test, and the part of it that sorted lists can answer: projects, issues, bounds on one date.

    `exact` says that projects and bounds alone are the whole condition, so that a count needs no test.
    """

    test: Test
    projects: frozenset[int] | None = None
    issues: frozenset[int] | None = None
    dates: tuple[tuple[str, float, float], ...] = ()
    exact: bool = False


def interpret(condition: Condition, site: Surroundings) -> Meaning:
    """The meaning of a condition. Raises JqlError where Jira answers 400."""
    if isinstance(condition, Negation):
        inner = interpret(condition.part, site).test
        return Meaning(lambda row: not inner(row))
    if isinstance(condition, Junction):
        meanings = [interpret(part, site) for part in condition.parts]
        tests = [meaning.test for meaning in meanings]
        if condition.kind == "or":
            return Meaning(lambda row: any(test(row) for test in tests))
        return _all_of(meanings, tests)
    return _clause(condition, site)


def _all_of(meanings: list[Meaning], tests: list[Test]) -> Meaning:
    dates: dict[str, tuple[float, float]] = {}
    for meaning in meanings:
        for name, low, high in meaning.dates:
            known_low, known_high = dates.get(name, (-inf, inf))
            dates[name] = (max(low, known_low), min(high, known_high))
    return Meaning(
        lambda row: all(test(row) for test in tests),
        _intersection(meaning.projects for meaning in meanings),
        _intersection(meaning.issues for meaning in meanings),
        tuple((name, low, high) for name, (low, high) in dates.items()),
        all(meaning.exact for meaning in meanings),
    )


def _intersection(sets: Iterable[frozenset[int] | None]) -> frozenset[int] | None:
    known = [each for each in sets if each is not None]
    return frozenset.intersection(*known) if known else None


def _clause(clause: Clause, site: Surroundings) -> Meaning:
    field = clause.field.lower()
    if field == "project":
        return _project(clause, site)
    if field in _KEY_FIELDS:
        return _issue(clause, site)
    if field in _DATE_FIELDS:
        return _date(clause, _DATE_FIELDS[field], site)
    if field in ("status", "statuscategory"):
        return _status(clause, field, site)
    return _value(clause, field, site)


def _project(clause: Clause, site: Surroundings) -> Meaning:
    _allow(clause, ("=", "!=", "in", "not in"))
    found: set[int] = set()
    for operand in clause.operands:
        project = site.searchable_project(operand.text)
        if project is None:
            if operand.kind == "number":
                raise JqlError(f"A value with ID '{operand.text}' does not exist for the field 'project'.")
            raise JqlError(f"The value '{operand.text}' does not exist for the field 'project'.")
        found.add(project.id)
    projects = frozenset(found)
    if clause.operator in ("!=", "not in"):
        return Meaning(lambda row: row.project_id not in projects)
    return Meaning(lambda row: row.project_id in projects, projects=projects, exact=True)


def _issue(clause: Clause, site: Surroundings) -> Meaning:
    _allow(clause, ("=", "!=", "in", "not in", ">", ">=", "<", "<="))
    found = [site.issue(operand.text) for operand in clause.operands]
    if clause.operator in (">", ">=", "<", "<="):
        anchor = found[0]
        if anchor is None:
            return Meaning(lambda row: False, issues=frozenset())
        project_id, number, compare = anchor.project_id, anchor.number, _RELATIONS[clause.operator]
        return Meaning(
            lambda row: row.project_id == project_id and compare(row.number, number), projects=frozenset({project_id})
        )
    for operand, row in zip(clause.operands, found, strict=True):
        if row is None:
            raise JqlError(f"An issue with key '{operand.text}' does not exist for field '{clause.field}'.")
    ids = frozenset(row.id for row in found if row is not None)
    if clause.operator in ("!=", "not in"):
        return Meaning(lambda row: row.id not in ids)
    return Meaning(lambda row: row.id in ids, issues=ids)


def _date(clause: Clause, attribute: str, site: Surroundings) -> Meaning:
    if clause.operator in ("is", "is not"):
        wanted = clause.operator == "is not"
        return Meaning(lambda row: (getattr(row, attribute) is not None) == wanted)
    _allow(clause, ("=", "!=", ">", ">=", "<", "<="))
    step = site.resolution
    bound = _instant(clause.operands[0], clause.field, site) // step * step
    compare = _RELATIONS[clause.operator]

    def test(row: Row) -> bool:
        value = getattr(row, attribute)
        return value is not None and compare(value // step * step, bound)

    low: float = bound if clause.operator in (">=", "=") else bound + 1 if clause.operator == ">" else -inf
    high: float = bound if clause.operator in ("<=", "=") else bound - 1 if clause.operator == "<" else inf
    sortable = attribute != "resolved" and clause.operator != "!="
    return Meaning(test, dates=((attribute, low, high),) if sortable else (), exact=sortable)


def _instant(operand: Operand, field: str, site: Surroundings) -> int:
    """Epoch milliseconds of a date operand; wall times are the account's; one that a DST change skips is refused."""
    if operand.kind == "number":
        return int(operand.text)
    if operand.kind == "function" and operand.text.lower() == "now":
        return site.clock_milliseconds()
    relative = re.fullmatch(r"([+-]?\d+)([wdhm])", operand.text)
    if relative:
        return site.clock_milliseconds() + int(relative[1]) * _UNITS[relative[2]]
    for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
        try:
            naive = datetime.strptime(operand.text, form)
        except ValueError:
            continue
        # fold=1: of a wall time that occurs twice, Java's calendar takes the one in standard time.
        local = naive.replace(tzinfo=site.zone, fold=1)
        if local.astimezone(UTC).astimezone(site.zone).replace(tzinfo=None) == naive:
            return to_milliseconds(local)
        break
    raise JqlError(
        f"Date value '{operand.text}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
        "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
    )


def _status(clause: Clause, field: str, site: Surroundings) -> Meaning:
    _allow(clause, ("=", "!=", "in", "not in"))
    found: set[str] = set()
    for operand in clause.operands:
        text = operand.text.lower()
        if field == "status":
            matches = {each.id for each in site.statuses.values() if text in (each.id, each.name.lower())}
        else:
            names = {"to do": "new", "in progress": "indeterminate"}
            matches = {each.id for each in site.statuses.values() if each.category == names.get(text, text)}
        if not matches and not (field == "statuscategory" and text in ("new", "indeterminate", "done", "undefined")):
            raise JqlError(f"The value '{operand.text}' does not exist for the field '{clause.field}'.")
        found |= matches
    if clause.operator in ("!=", "not in"):
        return Meaning(lambda row: row.status_id not in found)
    return Meaning(lambda row: row.status_id in found)


def _value(clause: Clause, field: str, site: Surroundings) -> Meaning:
    """Any other field: compared with every text that its value may be known by."""
    field_id = _FIELD_IDS.get(field) or site.custom_field_id(clause.field)
    if field_id is None:
        raise JqlError(f"Field '{clause.field}' does not exist or you do not have permission to view it.")

    def names(row: Row) -> set[str]:
        return set(_names(site.field_values(row).get(field_id)))

    if clause.operator in ("is", "is not"):
        wanted = clause.operator == "is"
        return Meaning(lambda row: (not names(row)) == wanted)
    if clause.operator in ("~", "!~"):
        needle = clause.operands[0].text.strip("*").lower()
        found = clause.operator == "~"
        return Meaning(lambda row: any(needle in name for name in names(row)) == found)
    wanted_names: set[str] = set()
    for operand in clause.operands:
        if operand.kind == "function" and operand.text.lower() == "currentuser":
            wanted_names |= {name.lower() for name in site.account_names()}
        elif operand.kind == "function":
            raise JqlError(f"Unable to find JQL function '{operand.text}()'.")
        else:
            wanted_names.add(operand.text.lower())
    if clause.operator in ("=", "in"):
        return Meaning(lambda row: not wanted_names.isdisjoint(names(row)))
    if clause.operator in ("!=", "not in"):
        return Meaning(lambda row: bool(known := names(row)) and wanted_names.isdisjoint(known))
    return _number(clause, field_id, site)


def _number(clause: Clause, field_id: str, site: Surroundings) -> Meaning:
    compare = _RELATIONS[clause.operator]
    text = clause.operands[0].text
    if field_id == "duedate":
        day = datetime.fromtimestamp(_instant(clause.operands[0], clause.field, site) / 1000, site.zone)
        bound: Any = day.strftime("%Y-%m-%d")
    else:
        try:
            bound = float(text)
        except ValueError:
            raise _unsupported(clause) from None

    def test(row: Row) -> bool:
        value = site.field_values(row).get(field_id)
        return isinstance(value, type(bound) if isinstance(bound, str) else int | float) and compare(value, bound)

    return Meaning(test)


def _names(value: Any) -> Iterable[str]:
    if value is None or value == []:
        return
    if isinstance(value, list):
        for each in value:
            yield from _names(each)
    elif isinstance(value, dict):
        for name in ("id", "key", "name", "value", "accountId", "emailAddress", "displayName"):
            if isinstance(value.get(name), str | int):
                yield str(value[name]).lower()
    elif isinstance(value, str) and ".sprint.Sprint@" in value:
        yield from (part.lower() for part in re.findall(r"[\[,](?:id|name)=([^,\]]*)", value))
    else:
        yield (str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)).lower()


def _allow(clause: Clause, operators: tuple[str, ...]) -> None:
    if clause.operator not in operators:
        raise _unsupported(clause)


def _unsupported(clause: Clause) -> JqlError:
    return JqlError(f"The operator '{clause.operator}' is not supported by the '{clause.field}' field.")


def only_visible(meaning: Meaning, visible: frozenset[int]) -> Meaning:
    """The same condition inside the projects that the account may browse."""
    projects = visible if meaning.projects is None else meaning.projects & visible
    return replace(meaning, projects=projects)

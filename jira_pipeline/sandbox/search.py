"""Searches: a JQL text becomes a sorted walk over the index, read page by page.

Where the condition is a project and bounds on the date that is sorted by, as an extractor's is, a page is found by
bisection. Anything else is filtered and sorted once, and kept until something on the site changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import TYPE_CHECKING, Any

from .index import Position, Row, SortField, Walk
from .jql import JqlError, OrderTerm, is_bare_text, parse
from .query import Meaning, Test, interpret, only_visible

if TYPE_CHECKING:
    from .site import Site

_SORTS: dict[str, SortField] = {
    "created": "created",
    "createddate": "created",
    "updated": "updated",
    "updateddate": "updated",
    "key": "key",
    "id": "key",
    "issuekey": "key",
}
_NOTHING: Test = lambda row: False  # noqa: E731


@dataclass(frozen=True)
class Search:
    """A query made ready to be walked; `walk` is None where the index's own orders do not serve it."""

    jql: str
    bounded: bool
    meaning: Meaning
    order: tuple[OrderTerm, ...]
    walk: Walk | None
    exact: bool


@dataclass(frozen=True)
class Slice:
    """Some rows of a search, where the next slice begins, and whether there is one."""

    rows: list[Row]
    after: Position | None
    offset: int
    more: bool


def prepare(site: Site, jql: str) -> Search:
    """Parse a query and plan its walk. Raises JqlError where Jira answers 400."""
    try:
        query = parse(jql)
    except JqlError:
        if site.flavour == "cloud" and is_bare_text(jql):
            return Search(jql, True, Meaning(_NOTHING, projects=frozenset()), (), None, False)
        raise
    meaning = Meaning(lambda row: True, exact=True) if query.where is None else interpret(query.where, site)
    meaning = only_visible(meaning, site.searchable_ids())
    default = OrderTerm("created" if site.flavour == "cloud" else "key", descending=True)
    order = query.order or (default,)
    for term in order:
        _check_sortable(site, term)
    walk = _plan(site, meaning, order)
    return Search(jql, query.where is not None, meaning, order, walk, meaning.exact and _covers(meaning, walk))


def take(site: Site, search: Search, limit: int, after: Position | None = None, offset: int = 0) -> Slice:
    """The next `limit` rows: behind `after` if that is given and the order is the index's own, else from `offset`."""
    stream = _stream(site, search, after) if after is not None and search.walk else None
    if stream is None:
        stream = islice(_stream(site, search, None), offset, None)
    rows = list(islice(stream, limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    last: Position | None = after
    if rows and search.walk:
        last = site.index.position(rows[-1], search.walk.sort, site.projects[rows[-1].project_id].key)
    return Slice(rows, last, offset + len(rows), more)


def total(site: Site, search: Search) -> int:
    """How many issues match."""
    if search.exact and search.walk is not None:
        hidden = [
            row
            for row in site.forgotten_rows()
            if search.meaning.test(row) and row.project_id in (search.meaning.projects or ())
        ]
        return site.index.count(search.walk) - len(hidden)
    return sum(1 for _ in _stream(site, search, None))


def _stream(site: Site, search: Search, after: Position | None) -> Iterator[Row]:
    rows: Iterator[Row]
    if search.walk is None:
        rows = iter(site.remembered(f"jql {search.jql}", lambda: _sorted(site, search)))
    else:
        rows = site.index.walk(search.walk, after)
        if not search.exact:
            rows = filter(search.meaning.test, rows)
    return (row for row in rows if not site.forgets(row.id)) if site.forgets_any() else rows


def _plan(site: Site, meaning: Meaning, order: tuple[OrderTerm, ...]) -> Walk | None:
    if meaning.issues is not None:
        return None
    sort = _SORTS.get(order[0].field.lower())
    plain = len(order) == 1 or (
        len(order) == 2 and _SORTS.get(order[1].field.lower()) == "key" and order[0].descending == order[1].descending
    )
    if sort is None or not plain:
        return None
    low, high = next(((low, high) for name, low, high in meaning.dates if name == sort), (-inf, inf))
    projects = tuple((each, site.projects[each].key) for each in sorted(meaning.projects or ()))
    return Walk(projects, sort, order[0].descending, low, high)


def _covers(meaning: Meaning, walk: Walk | None) -> bool:
    return walk is not None and all(name == walk.sort for name, _, _ in meaning.dates)


def _sorted(site: Site, search: Search) -> list[Row]:
    projects = search.meaning.projects or frozenset()
    if search.meaning.issues is not None:
        candidates = [site.index.rows[each] for each in search.meaning.issues if each in site.index.rows]
    else:
        candidates = list(site.index.rows.values())
    rows = [row for row in candidates if row.project_id in projects and search.meaning.test(row)]
    rows.sort(key=lambda row: (site.projects[row.project_id].key, row.number))
    for term in reversed(search.order):
        rows.sort(key=_sort_key(site, term), reverse=term.descending)
    return rows


def _sort_key(site: Site, term: OrderTerm) -> Callable[[Row], Any]:
    field = term.field.lower()
    sort = _SORTS.get(field)
    if sort == "key":
        return lambda row: (site.projects[row.project_id].key, row.number)
    if sort is not None:
        return lambda row: getattr(row, sort) // site.resolution
    if field in ("resolved", "resolutiondate"):
        return lambda row: (row.resolved is not None, row.resolved or 0)
    if field == "project":
        return lambda row: site.projects[row.project_id].key
    if field == "status":
        return lambda row: row.status_id
    field_id = site.custom_field_id(term.field) or term.field

    def key(row: Row) -> tuple[int, float, str]:
        value = site.field_values(row).get(field_id)
        if isinstance(value, dict):
            value = value.get("name") or value.get("displayName") or value.get("value")
        if isinstance(value, int | float):
            return (1, float(value), "")
        return (2, 0.0, str(value)) if value is not None else (0, 0.0, "")

    return key


def _check_sortable(site: Site, term: OrderTerm) -> None:
    field = term.field.lower()
    if field in _SORTS or field in ("resolved", "resolutiondate", "project", "status", "type", "issuetype", "rank"):
        return
    if field in ("assignee", "reporter", "creator", "priority", "resolution", "summary", "duedate", "due", "labels"):
        return
    if site.custom_field_id(term.field) is None:
        raise JqlError(f"Field '{term.field}' does not exist or you do not have permission to view it.")

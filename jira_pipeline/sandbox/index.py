"""The search index: which issues match, in which order, found by bisection.

Jira's index is not its database: on Cloud it trails writes and may briefly forget an issue. So it holds the rows as
they were when they were indexed, and the answers are filled from the current ones.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Literal, NamedTuple

SortField = Literal["created", "updated", "key"]


@dataclass(frozen=True, slots=True)
class Row:
    """What searches know of an issue. Instants in epoch milliseconds."""

    id: int
    project_id: int
    number: int
    created: int
    updated: int
    resolved: int | None
    status_id: str


class Entry(NamedTuple):
    """A row in one sorted list. `time` is 0 in the list by key, so that all lists have one shape."""

    time: int
    number: int
    row: Row


class Position(NamedTuple):
    """A place in a sorted walk over several projects: the walk goes on behind it."""

    time: int
    project_key: str
    number: int


@dataclass(frozen=True)
class Walk:
    """A sorted range: the projects (id and current key), the field to sort by, and inclusive bounds on its time."""

    projects: tuple[tuple[int, str], ...]
    sort: SortField
    descending: bool = False
    low: float = -inf
    high: float = inf


class Index:
    """Per project, rows sorted by created, updated and key. `resolution` is the index's precision in milliseconds."""

    def __init__(self, rows: Iterable[Row], resolution: int = 1) -> None:
        self.resolution = resolution
        self.rows: dict[int, Row] = {}
        self._lists: dict[tuple[int, SortField], list[Entry]] = {}
        for row in rows:
            self.rows[row.id] = row
            for sort in ("created", "updated", "key"):
                self._list(row.project_id, sort).append(self._entry(row, sort))
        for entries in self._lists.values():
            entries.sort()

    def put(self, row: Row) -> None:
        """Index a row, replacing what was indexed of the same issue."""
        self.remove(row.id)
        self.rows[row.id] = row
        for sort in ("created", "updated", "key"):
            insort(self._list(row.project_id, sort), self._entry(row, sort))

    def remove(self, issue_id: int) -> None:
        """Forget an issue; nothing happens when it is not indexed."""
        row = self.rows.pop(issue_id, None)
        if row is None:
            return
        for sort in ("created", "updated", "key"):
            entries = self._list(row.project_id, sort)
            del entries[bisect_left(entries, self._entry(row, sort)[:2])]

    def walk(self, walk: Walk, after: Position | None = None) -> Iterator[Row]:
        """The rows of a range in order, those behind `after` only. Ties go by project key, then key number."""
        streams: list[Iterator[tuple[Position, Row]]] = []
        for project_id, key in walk.projects:
            entries = self._list(project_id, walk.sort)
            low, high = self._bounds(entries, walk)
            if after is not None:
                low, high = _behind(entries, walk.descending, key, after, low, high)
            streams.append(_stream(entries, key, low, high, walk.descending))
        if walk.sort == "key":
            streams = [
                stream
                for _, stream in sorted(
                    zip((key for _, key in walk.projects), streams, strict=True),
                    key=lambda pair: pair[0],
                    reverse=walk.descending,
                )
            ]
            for stream in streams:
                yield from (row for _, row in stream)
        elif len(streams) == 1:
            yield from (row for _, row in streams[0])
        else:
            merged = heapq.merge(*streams, key=lambda item: item[0], reverse=walk.descending)
            yield from (row for _, row in merged)

    def count(self, walk: Walk) -> int:
        """How many rows a range holds."""
        total = 0
        for project_id, _ in walk.projects:
            low, high = self._bounds(self._list(project_id, walk.sort), walk)
            total += max(0, high - low)
        return total

    def position(self, row: Row, sort: SortField, project_key: str) -> Position:
        """Where a row stands in a walk."""
        return Position(self._entry(row, sort).time, project_key, row.number)

    def _entry(self, row: Row, sort: SortField) -> Entry:
        time = 0 if sort == "key" else (row.created if sort == "created" else row.updated)
        return Entry(time // self.resolution * self.resolution, row.number, row)

    def _list(self, project_id: int, sort: SortField) -> list[Entry]:
        return self._lists.setdefault((project_id, sort), [])

    @staticmethod
    def _bounds(entries: list[Entry], walk: Walk) -> tuple[int, int]:
        return bisect_left(entries, (walk.low,)), bisect_right(entries, (walk.high, inf))


def _behind(entries: list[Entry], descending: bool, key: str, after: Position, low: int, high: int) -> tuple[int, int]:
    if key == after.project_key:
        place: tuple[float, ...] = (after.time, after.number if descending else after.number + 1)
    else:
        place = (after.time, inf) if key < after.project_key else (after.time,)
    cut = bisect_left(entries, place)
    return (low, min(high, cut)) if descending else (max(low, cut), high)


def _stream(entries: list[Entry], key: str, low: int, high: int, descending: bool) -> Iterator[tuple[Position, Row]]:
    places = range(high - 1, low - 1, -1) if descending else range(low, high)
    for place in places:
        time, number, row = entries[place]
        yield Position(time, key, number), row

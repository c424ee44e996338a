"""Cron expressions: five fields, as cron has them and Dagster's scheduler understands them.

The settings do not import Dagster, which takes seconds; a test holds every expression that is accepted here against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from jira_pipeline.settings.nodes import Entry, text


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    words: Mapping[str, int] = field(default_factory=dict)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>[0-9]+))?", re.ASCII)


def cron(entry: Entry) -> str | None:
    """A cron expression, such as `0 2 * * *`, with single spaces between its fields."""
    written = text(entry)
    if written is None:
        return None
    parts = written.split()
    if len(parts) != len(_FIELDS):
        entry.report(
            f"'{written}' is not a cron expression; write five fields (minute, hour, day of the month, month, day of "
            'the week), such as "0 2 * * *" for every day at 02:00'
        )
        return None
    values = [_values(part, kind) for part, kind in zip(parts, _FIELDS, strict=True)]
    for part, kind, found in zip(parts, _FIELDS, values, strict=True):
        if found is None:
            entry.report(
                f"'{part}' is no {kind.name} of a cron expression; write numbers from {kind.low} to {kind.high} "
                "as in 5 or 1,15 or 1-5 or */2, or * for every one"
            )
            return None
    _, _, days, months, _ = (found or set() for found in values)
    if parts[4] == "*" and not any(day <= _LONGEST_MONTHS[month - 1] for day in days for month in months):
        entry.report(f"'{written}' is a day that never comes; correct the day of the month, or the month")
        return None
    return " ".join(parts)


def daily_time(expression: str) -> tuple[int, int] | None:
    """Hour and minute of an expression that means once every day; None for any other."""
    minute, hour, *days = expression.split()
    return (int(hour), int(minute)) if days == ["*"] * 3 and hour.isdigit() and minute.isdigit() else None


def _values(written: str, kind: _Field) -> set[int] | None:
    """The values that a field stands for; None where it is not well-formed."""
    found: set[int] = set()
    for part in written.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return None
        first, last, step = match["first"], match["last"], match["step"]
        low = kind.low if first is None else _value(first, kind)
        high = kind.high if first is None else low if last is None else _value(last, kind)
        if low is None or high is None or low > high or (step is not None and _is_no_step(first, last, step, kind)):
            return None
        found.update(range(low, high + 1, int(step or 1)))
    return found


def _is_no_step(first: str | None, last: str | None, step: str, kind: _Field) -> bool:
    return (first is not None and last is None) or not 1 <= int(step) <= kind.high


def _value(written: str, kind: _Field) -> int | None:
    if not written.isdigit():
        return kind.words.get(written.casefold())
    value = int(written)
    return value if len(written) <= 2 and kind.low <= value <= kind.high else None

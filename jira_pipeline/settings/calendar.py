"""The working calendar of the settings file."""

from __future__ import annotations

import re
from datetime import date

import yaml

from jira_pipeline.settings.model import Calendar, Spans
from jira_pipeline.settings.nodes import Entry, items, mapping, take, text, time_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\s*-\s*(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")


def calendar(entry: Entry) -> Calendar | None:
    """`calendar: {week: {mon: ["09:00-17:00"]}, days: {2026-12-25: []}, time_zone: Europe/Berlin}`."""
    keys = mapping(entry, ("time_zone", "week", "days"))
    if keys is None:
        return None
    none: dict[str, Spans] = {}
    week = take(keys, "week", _week, none)
    if "week" not in keys:
        entry.report('has no working time; write week: with a list of spans for each day, such as mon: ["09:00-17:00"]')
    return Calendar(week=week, days=take(keys, "days", _days, {}), time_zone=take(keys, "time_zone", time_zone, None))


def _week(entry: Entry) -> dict[str, Spans]:
    return {name: _spans(spans) for name, spans in (mapping(entry, WEEKDAYS) or {}).items()}


def _days(entry: Entry) -> dict[date, Spans] | None:
    if not isinstance(entry.node, yaml.MappingNode):
        entry.report("must be a mapping of dates, such as 2026-12-25: [] for a holiday")
        return None
    found: dict[date, Spans] = {}
    for key, value in entry.node.value:
        written = key.value if isinstance(key, yaml.ScalarNode) else ""
        below = entry.at(f"{entry.key}.{written}", value)
        try:
            found[date.fromisoformat(written)] = _spans(below)
        except ValueError:
            entry.at(below.key, key).report("is no date; write it as YYYY-MM-DD")
    return found


def _spans(entry: Entry) -> Spans:
    spans: list[tuple[str, str]] = []
    for item in items(entry):
        written = text(item)
        if written is None:
            continue
        if not _SPAN.fullmatch(written):
            item.report(
                f"'{written}' is no span of time; write it like \"09:00-17:00\", with 24:00 for the end of the day"
            )
            continue
        start, _, end = (part.strip() for part in written.partition("-"))
        if not (spans[-1][1] if spans else "00:00") <= start < end:
            item.report(
                f"'{written}' does not come after the span before it, or ends before it begins; order the spans"
            )
            continue
        spans.append((start, end))
    return tuple(spans)

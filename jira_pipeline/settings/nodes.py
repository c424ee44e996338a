"""Reading typed values from YAML nodes, so that every complaint can name its line.

The nodes are those of PyYAML's `compose`: the tag says how YAML 1.1 understands a value (`no` is a boolean, `12:30` a
number), the text is still as written. A reader returns None after it has noted a problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar
from zoneinfo import available_timezones

import yaml

from jira_pipeline.settings.problems import Problems

T = TypeVar("T")

_TAG = "tag:yaml.org,2002:"
_STR = f"{_TAG}str"
_BOOL = f"{_TAG}bool"
_INT = f"{_TAG}int"
_FLOAT = f"{_TAG}float"
_NULL = f"{_TAG}null"
_MERGE = f"{_TAG}merge"
_READ_AS = {
    _BOOL: "a boolean",
    _INT: "a number",
    _FLOAT: "a number",
    f"{_TAG}timestamp": "a date",
    _NULL: "nothing",
}
_TRUE_OR_FALSE = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True)
class Entry:
    """A value of the file: the node, and the key path under which it stands."""

    problems: Problems
    file: Path
    key: str
    node: yaml.Node

    @property
    def line(self) -> int:
        """The line on which the value begins, from 1."""
        return int(self.node.start_mark.line) + 1

    def report(self, text: str) -> None:
        """Note that something is wrong with this value."""
        self.problems.add(self.file, self.line, self.key, text)

    def at(self, key: str, node: yaml.Node) -> Entry:
        """The value `node` that stands below this one, under `key`."""
        return Entry(self.problems, self.file, key, node)


def described(node: yaml.Node) -> str:
    """The node in a few words, for a message."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return f"'{node.value}'" if node.value else "nothing"


def is_null(node: yaml.Node) -> bool:
    """Whether YAML understands the value as nothing: absent, ~ or null."""
    return bool(node.tag == _NULL)


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The nearest known name as a question, else all of them."""
    nearest = get_close_matches(name.casefold(), known, n=1)
    return f"did you mean '{nearest[0]}'?" if nearest else f"the known keys are {', '.join(known)}"


def mapping(entry: Entry, known: Collection[str]) -> dict[str, Entry] | None:
    """The values of a mapping by key. Reports unknown and repeated keys; `<<` merges as YAML has it, own keys win."""
    if not isinstance(entry.node, yaml.MappingNode):
        entry.report(f"must be a mapping (of {', '.join(known)}), not {described(entry.node)}")
        return None
    entries: dict[str, Entry] = {}
    merged: list[yaml.Node] = []
    for key_node, value_node in entry.node.value:
        if key_node.tag == _MERGE:
            merged.extend(value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node])
            continue
        name = key_node.value if isinstance(key_node, yaml.ScalarNode) else described(key_node)
        path = f"{entry.key}.{name}" if entry.key else name
        if name not in known:
            entry.at(path, key_node).report(f"is not a key of this file; {did_you_mean(name, known)}")
        elif name in entries:
            entry.at(path, key_node).report(f"is already given on line {entries[name].line}; keep one of the two")
        else:
            entries[name] = entry.at(path, value_node)
    for node in merged:
        for name, value in (mapping(entry.at(entry.key, node), known) or {}).items():
            entries.setdefault(name, entry.at(value.key, value.node))
    return entries


def take(entries: dict[str, Entry], key: str, read: Callable[[Entry], T | None], default: T) -> T:
    """The value under `key` as `read` has it; `default` when it is absent, null or wrong."""
    entry = entries.get(key)
    if entry is None or is_null(entry.node):
        return default
    value = read(entry)
    return default if value is None else value


def require(
    parent: Entry, entries: dict[str, Entry], key: str, read: Callable[[Entry], T | None], example: str
) -> T | None:
    """Like `take`, for a key that must be there; `example` shows how to give it."""
    entry = entries.get(key)
    if entry is None:
        parent.at(f"{parent.key}.{key}" if parent.key else key, parent.node).report(f"is missing; add {example}")
        return None
    if is_null(entry.node):
        entry.report(quote_it(entry.node) or f"is empty; write {example}")
        return None
    return read(entry)


def quote_it(node: yaml.Node) -> str | None:
    """The complaint about a bare word that YAML takes for something else than text: NO, ON, Null, 12:30, 2026-11-01."""
    read_as = _READ_AS.get(node.tag)
    if read_as is None or not node.value or node.value == "~":
        return None
    return f'YAML reads {node.value} as {read_as}, not as text; quote it: "{node.value}"'


def text(entry: Entry) -> str | None:
    """A text, without the white space around it. A bare whole number is taken as written: `id: 10000`."""
    node = entry.node
    bare_digits = node.tag == _INT and isinstance(node, yaml.ScalarNode) and re.fullmatch("[0-9]+", node.value)
    if node.tag != _STR and not bare_digits:
        entry.report(quote_it(node) or f"must be a text, not {described(node)}")
        return None
    stripped = str(node.value).strip()
    if not stripped:
        entry.report("is empty; write a text, or leave the key out")
        return None
    return stripped


def items(entry: Entry) -> Iterator[Entry]:
    """The values of a list, each under its index from 0."""
    if not isinstance(entry.node, yaml.SequenceNode):
        entry.report(f"must be a list, not {described(entry.node)}; write [] for an empty one")
        return
    for index, node in enumerate(entry.node.value):
        yield entry.at(f"{entry.key}[{index}]", node)


def texts(entry: Entry) -> tuple[str, ...]:
    """A list of texts, without the wrong ones."""
    return tuple(value for item in items(entry) if (value := text(item)) is not None)


def one_of(*choices: T) -> Callable[[Entry], T | None]:
    """A reader of a text that must be one of `choices`."""

    def read(entry: Entry) -> T | None:
        for choice in choices:
            if entry.node.value == choice:
                return choice
        entry.report(f"must be {' or '.join(map(str, choices))}, not {described(entry.node)}")
        return None

    return read


def matching(pattern: str, complaint: str) -> Callable[[Entry], str | None]:
    """A reader of a text that must match `pattern` as a whole; in `complaint`, {} stands for the text."""

    def read(entry: Entry) -> str | None:
        written = text(entry)
        if written is None or re.fullmatch(pattern, written):
            return written
        entry.report(complaint.format(written))
        return None

    return read


def flag(entry: Entry) -> bool | None:
    """A boolean."""
    if entry.node.tag != _BOOL:
        entry.report(f"must be true or false (without quotes), not {described(entry.node)}")
        return None
    return _TRUE_OR_FALSE[entry.node.value.lower()]


def number(low: float, high: float, unit: str) -> Callable[[Entry], float | None]:
    """A reader of a number from `low` to `high`; `unit` says of what."""

    def read(entry: Entry) -> float | None:
        # Plain decimals only: YAML 1.1 takes 010 for octal and 12:30 for 750.
        if entry.node.tag in (_INT, _FLOAT) and re.fullmatch(r"(0|[1-9][0-9]{0,8})(\.[0-9]+)?", entry.node.value):
            value = float(entry.node.value)
            if low <= value <= high:
                return value
        entry.report(f"must be a number of {unit} from {low:g} to {high:g}, not {described(entry.node)}")
        return None

    return read


def whole_number(low: int, high: int, unit: str) -> Callable[[Entry], int | None]:
    """A reader of a whole number from `low` to `high`; `unit` says of what."""

    def read(entry: Entry) -> int | None:
        if entry.node.tag == _INT and re.fullmatch("0|[1-9][0-9]{0,8}", entry.node.value):
            value = int(entry.node.value)
            if low <= value <= high:
                return value
        entry.report(f"must be a whole number of {unit} from {low} to {high}, not {described(entry.node)}")
        return None

    return read


def day(earliest: date, latest: date) -> Callable[[Entry], date | None]:
    """A reader of a date, YYYY-MM-DD, quoted or not, from `earliest` to `latest`."""

    def read(entry: Entry) -> date | None:
        written = entry.node.value if isinstance(entry.node, yaml.ScalarNode) else ""
        try:
            value = date.fromisoformat(written) if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", written) else None
        except ValueError:
            value = None
        if value is None:
            entry.report(f"must be a day of the calendar as YYYY-MM-DD, not {described(entry.node)}")
        elif not earliest <= value <= latest:
            entry.report(f"{value} is out of range; write a day from {earliest} to {latest}")
            return None
        return value

    return read


def time_zone(entry: Entry) -> str | None:
    """The name of an IANA time zone."""
    name = text(entry)
    zones = available_timezones()
    if name is None or name in zones:
        return name
    by_folded_name = {zone.casefold(): zone for zone in zones}
    nearest = get_close_matches(name.casefold(), by_folded_name, n=1)
    example = f"did you mean {by_folded_name[nearest[0]]}?" if nearest else "write one such as UTC or Europe/Berlin"
    entry.report(f"'{name}' is not an IANA time zone; {example}")
    return None

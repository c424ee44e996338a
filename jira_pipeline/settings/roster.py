"""The team roster: a list in `jira_pipeline.yaml`, or a CSV file beside it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import yaml

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings.model import TeamMember
from jira_pipeline.settings.nodes import Entry, items, mapping, require, take, text, texts
from jira_pipeline.settings.problems import Problems, read_text

COLUMNS = ("name", "email", "team", "jira_account_id", "aliases")

# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA_SIGNS = ("=", "+", "-", "@")
_GUARD = "'"


def guarded(cell: str) -> str:
    """A cell that no spreadsheet computes: an apostrophe goes before a sign that begins a formula. The roster is read
    without it."""
    return f"{_GUARD}{cell}" if cell.lstrip().startswith(_FORMULA_SIGNS) else cell


def _unguarded(cell: str) -> str:
    return cell.removeprefix(_GUARD) if cell.removeprefix(_GUARD).startswith(_FORMULA_SIGNS) else cell


def team_members(entry: Entry) -> tuple[TeamMember, ...]:
    """The members under `team_members`: written there, or in the CSV file named there, relative to the YAML file."""
    if isinstance(entry.node, yaml.ScalarNode):
        return _members_of_csv(entry)
    return tuple(member for item in items(entry) if (member := _member(item)) is not None)


def _member(entry: Entry) -> TeamMember | None:
    keys = mapping(entry, COLUMNS)
    if keys is None:
        return None
    name = require(entry, keys, "name", text, "the person's name")
    email = take(keys, "email", text, None)
    if email is not None:
        _check_email(email, keys["email"].report)
    return TeamMember(
        name=name or "",
        email=email,
        team=take(keys, "team", text, None),
        jira_account_id=take(keys, "jira_account_id", text, None),
        aliases=take(keys, "aliases", texts, ()),
    )


def _check_email(email: str, report: Callable[[str], None]) -> None:
    if "@" not in email:
        report(f"'{email}' is not an e-mail address; correct it, or leave it empty")


def _members_of_csv(entry: Entry) -> tuple[TeamMember, ...]:
    named = text(entry)
    if named is None:
        return ()
    path, problems = entry.file.parent / named, entry.problems
    try:
        content = read_text(path, remedy="write the roster there, or correct the path")
    except SettingsError as error:
        entry.report(str(error).removesuffix("."))
        return ()
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = [name.strip().casefold() for name in next(reader, [])]
        if not _check_header(header, problems, path):
            return ()
        members: list[TeamMember] = []
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                mismatch = (
                    f"the row has {len(cells)} cells and the header {len(header)}; quote cells that contain a comma"
                )
                problems.add(path, reader.line_num, "row", mismatch)
                continue
            members.append(_member_of_row(dict(zip(header, cells, strict=True)), problems, path, reader.line_num))
    except csv.Error as error:
        problems.add(path, reader.line_num, "row", f"is not CSV ({error}); correct the quotes")
        return ()
    return tuple(members)


def _check_header(header: list[str], problems: Problems, path: Path) -> bool:
    missing = [name for name in COLUMNS if name not in header]
    repeated = [name for name, count in Counter(header).items() if count > 1 and name in COLUMNS]
    if missing:
        wanted = ",".join(COLUMNS)
        problems.add(path, 1, "header", f"has no column {', '.join(missing)}; the first line must be like {wanted}")
    if repeated:
        problems.add(path, 1, "header", f"has the column {', '.join(repeated)} more than once; keep one")
    return not missing and not repeated


def _member_of_row(row: dict[str, str], problems: Problems, path: Path, line: int) -> TeamMember:
    cell = {name: _unguarded(row[name].strip()).strip() for name in COLUMNS}
    if not cell["name"]:
        problems.add(path, line, "name", "is empty; write the person's name")
    if cell["email"]:
        _check_email(cell["email"], lambda text: problems.add(path, line, "email", text))
    return TeamMember(
        name=cell["name"],
        email=cell["email"] or None,
        team=cell["team"] or None,
        jira_account_id=cell["jira_account_id"] or None,
        aliases=tuple(alias.strip() for alias in cell["aliases"].split(";") if alias.strip()),
    )

"""Editing `tracked_projects` in `jira_pipeline.yaml`: a line is added or a word changed, and every other byte stays.

The positions are those of PyYAML's nodes. A library that writes YAML anew (ruamel.yaml) moves the comment above the
next key below the new entry, drops `---` and evens out indents.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings.config import load_config
from jira_pipeline.settings.model import PipelineConfig, TrackedProject
from jira_pipeline.settings.replacement import replacement

_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class _Splice:
    start: int
    end: int
    text: str


def change_tracked_projects(
    config: PipelineConfig, *, added: Sequence[TrackedProject], active: Mapping[int, bool]
) -> None:
    """Append entries to `tracked_projects` of the file of `config`, and switch those at some positions on or off.

    Nothing is written, and a `SettingsError` says why, when the file is no longer the one that `config` was read from,
    when it cannot be written, or when the result would not mean what it should.
    """
    path = config.path
    expected = replace(
        config,
        tracked_projects=(
            *(
                replace(entry, active=active.get(position, entry.active))
                for position, entry in enumerate(config.tracked_projects)
            ),
            *added,
        ),
    )
    with _only_editor(path):
        before = _read(path)
        if load_config(path) != config:
            raise _edited_meanwhile(path)
        after = _spliced(before, added, active)
        with replacement(path, after, mode=stat.S_IMODE(path.stat().st_mode)) as written:
            if not _means(written, expected):
                raise SettingsError(
                    f"tracked_projects in {path} is written in a way (such as an alias) that only a person can change "
                    "without changing more: edit it by hand."
                )
            if _read(path) != before:
                raise _edited_meanwhile(path)


def _means(written: Path, expected: PipelineConfig) -> bool:
    try:
        return replace(load_config(written), path=expected.path) == expected
    except SettingsError:
        return False


def _edited_meanwhile(path: Path) -> SettingsError:
    return SettingsError(f"{path} has been edited by somebody else meanwhile: nothing was written, run this again.")


@contextmanager
def _only_editor(path: Path) -> Iterator[None]:
    """One process of this program at a time, by a lock on the directory, which leaves no file behind."""
    try:
        descriptor = os.open(path.resolve().parent, os.O_RDONLY)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): give a readable file.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): give a readable file.") from error


def _spliced(content: bytes, added: Sequence[TrackedProject], active: Mapping[int, bool]) -> bytes:
    whole = content.decode()
    text = whole.removeprefix(_BYTE_ORDER_MARK)
    newline = "\r\n" if "\r\n" in text else "\n"
    projects = _tracked_projects(text)
    splices = list(_additions(text, projects, added, newline)) if added else []
    splices += [_activity(text, projects.value[position], value, newline) for position, value in active.items()]
    # From the end, so that the positions before stay right; at the same one, a line of the last entry comes to stand
    # before the entries that are added.
    for splice in sorted(splices, key=lambda splice: splice.start, reverse=True):
        text = text[: splice.start] + splice.text + text[splice.end :]
    return (whole[: len(whole) - len(whole.removeprefix(_BYTE_ORDER_MARK))] + text).encode()


def _tracked_projects(text: str) -> yaml.SequenceNode:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)
    (node,) = (value for name, value in root.value if name.value == "tracked_projects")
    assert isinstance(node, yaml.SequenceNode)
    return node


def _activity(text: str, item: yaml.MappingNode, value: bool, newline: str) -> _Splice:
    word = "true" if value else "false"
    written = [node for name, node in item.value if name.value == "active"]
    if written:
        start, end = written[0].start_mark.index, written[0].end_mark.index
        return _Splice(start, end, word if end > start else f" {word}")
    named = [pair for pair in item.value if pair[0].value in ("key", "id")] or item.value
    name, node = named[-1]
    if item.flow_style:
        return _Splice(node.end_mark.index, node.end_mark.index, f", active: {word}")
    end = _end_of_line(text, node.end_mark.index)
    return _Splice(end, end, f"{newline}{' ' * name.start_mark.column}active: {word}")


def _additions(
    text: str, projects: yaml.SequenceNode, added: Sequence[TrackedProject], newline: str
) -> Iterator[_Splice]:
    if projects.flow_style and projects.value:
        end = projects.value[-1].end_mark.index
        yield _Splice(end, end, "".join(f", {{{', '.join(entry_lines(project))}}}" for project in added))
    elif projects.flow_style:
        start = len(text[: projects.start_mark.index].rstrip(" "))
        yield _Splice(start, projects.end_mark.index, "")
        end = _end_of_line(text, projects.end_mark.index)
        yield _Splice(end, end, _block(added, 2, newline))
    else:
        end = _end_of_line(text, _last_scalar(projects).end_mark.index)
        yield _Splice(end, end, _block(added, projects.start_mark.column, newline))


def _block(added: Sequence[TrackedProject], dash_column: int, newline: str) -> str:
    indent = " " * dash_column
    return "".join(f"{newline}{indent}- " + f"{newline}{indent}  ".join(entry_lines(project)) for project in added)


def entry_lines(project: TrackedProject) -> list[str]:
    """The lines of a new entry of the list, without dash and indent."""
    return [f"{name}: {_quoted(value)}" for name, value in (("key", project.key), ("id", project.id)) if value]


def _quoted(value: str) -> str:
    """The value as YAML reads it as text: `NO` and `10000` need quotes, `APP` does not."""
    return value if yaml.safe_load(value) == value else f'"{value}"'


def _last_scalar(node: yaml.Node) -> yaml.Node:
    """The last value inside a node: the end of a block itself is where the next thing begins, behind comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node


def _end_of_line(text: str, index: int) -> int:
    end = text.find("\n", index)
    if end < 0:
        return len(text)
    return end - 1 if text[end - 1] == "\r" else end

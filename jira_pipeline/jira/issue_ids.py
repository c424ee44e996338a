"""Answers that hold little more than ids: pages of an id walk, and where issues are that were asked for by id.

Both are read so that what cannot be read never looks like an issue that is gone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from jira_pipeline.jira.pages import clean_json


@dataclass(frozen=True)
class IdPage:
    """The ids on one page of a search. `next_token` is None on the last page of a token walk."""

    ids: tuple[int, ...]
    next_token: str | None = None
    is_last: bool | None = None
    warnings: tuple[str, ...] = ()


class _Identified(msgspec.Struct):
    id: str | int


class _Project(msgspec.Struct):
    id: str | int | None = None


class _Fields(msgspec.Struct):
    project: _Project | None = None


class _Located(msgspec.Struct):
    id: str | int
    fields: _Fields | None = None


class _Search(msgspec.Struct):
    # Required on purpose: an error body or an empty object must not pass for a page without issues.
    issues: list[msgspec.Raw]
    nextPageToken: str | None = None
    isLast: bool | None = None
    warnings: list[msgspec.Raw] | None = None


class _Bulk(msgspec.Struct):
    issues: list[msgspec.Raw]
    issueErrors: list[msgspec.Raw] = []


_decode_search = msgspec.json.Decoder(_Search).decode
_decode_bulk = msgspec.json.Decoder(_Bulk).decode
_decode_identified = msgspec.json.Decoder(_Identified).decode
_decode_located = msgspec.json.Decoder(_Located).decode


def read_id_page(body: bytes) -> IdPage:
    """The ids of a search answer; an entry without a readable id is left out. Raises `msgspec.DecodeError` when the
    body is not a whole page."""
    page = _decode_search(clean_json(body))
    return IdPage(
        ids=tuple(issue_id for raw in page.issues if (issue_id := _issue_id(raw)) is not None),
        next_token=page.nextPageToken or None,
        is_last=page.isLast,
        warnings=tuple(bytes(warning).decode() for warning in page.warnings or ()),
    )


def read_locations(body: bytes, asked: Collection[int]) -> dict[int, str | None]:
    """The present project's id of each issue that an answer about `asked` holds; None where it is not said.

    Only what was not found may be missing from the result. `issueErrors` names issues that could not be sent this
    time (Atlassian, "Bulk fetch issues"), which therefore exist; and an entry without a readable id might be any of
    those asked for.
    """
    answer = _decode_bulk(clean_json(body))
    present = [(_issue_id(raw), _project_id(raw)) for raw in answer.issues]
    present += [(_issue_id(raw), None) for raw in answer.issueErrors]
    found: dict[int, str | None] = {}
    if any(issue_id is None for issue_id, _ in present):
        found.update(dict.fromkeys(asked))
    for issue_id, project_id in present:
        if issue_id is not None:
            found[issue_id] = project_id
    return found


def read_issue_errors(body: bytes) -> tuple[int, ...]:
    """The ids of a bulk answer's `issueErrors`."""
    answer = _decode_bulk(clean_json(body))
    return tuple(issue_id for raw in answer.issueErrors if (issue_id := _issue_id(raw)) is not None)


def read_location(body: bytes) -> str | None:
    """The present project's id in one issue's own answer; None where it is not said."""
    return _project_id(msgspec.Raw(clean_json(body)))


def _issue_id(raw: msgspec.Raw) -> int | None:
    try:
        return int(_decode_identified(raw).id)
    except ValueError:  # also what msgspec raises
        return None


def _project_id(raw: msgspec.Raw) -> str | None:
    try:
        fields = _decode_located(raw).fields
    except msgspec.DecodeError:
        return None
    project = fields.project if fields else None
    return str(project.id) if project is not None and project.id is not None else None

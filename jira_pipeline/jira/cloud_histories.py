"""Histories beyond those that a search of Jira Cloud carries: of many issues at once, or one issue's own list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from jira_pipeline.jira.errors import RequestRefused
from jira_pipeline.jira.pages import clean_json
from jira_pipeline.jira.transport import Meter, Transport

_BULK_ISSUES = 1000
_BULK_HISTORIES = 10_000


class _IssueHistories(msgspec.Struct):
    issueId: str | int
    changeHistories: list[msgspec.Raw] = []


class _BulkHistories(msgspec.Struct):
    issueChangeLogs: list[_IssueHistories]
    nextPageToken: str | None = None


class _HistoryPage(msgspec.Struct):
    values: list[msgspec.Raw]
    isLast: bool | None = None


_decode_bulk = msgspec.json.Decoder(_BulkHistories).decode
_decode_history_page = msgspec.json.Decoder(_HistoryPage).decode


def bulk_histories(transport: Transport, issue_ids: Sequence[int], meter: Meter) -> dict[int, list[bytes]]:
    """What `changelog/bulkfetch` has of the issues, by issue id. An issue that is not in it may be gone, may have no
    histories, or may have been forgotten."""
    found: dict[int, list[bytes]] = {}
    for start in range(0, len(issue_ids), _BULK_ISSUES):
        found |= _halved(transport, issue_ids[start : start + _BULK_ISSUES], meter)
    return found


def own_histories(transport: Transport, issue_id: int, meter: Meter) -> list[bytes] | None:
    """What `issue/{id}/changelog` has; None where that is a 404."""
    found: list[bytes] = []
    while True:
        try:
            page = transport.get(
                f"issue/{issue_id}/changelog",
                {"startAt": len(found), "maxResults": 100},
                decode=lambda answer: _decode_history_page(clean_json(answer)),
                meter=meter,
            )
        except RequestRefused as refused:
            if refused.status != 404:
                raise
            return None
        found += [bytes(history) for history in page.values]
        if page.isLast or not page.values:
            return found


def _halved(transport: Transport, issue_ids: Sequence[int], meter: Meter) -> dict[int, list[bytes]]:
    """The histories of one request's worth of issues. Whether Jira leaves out an issue that is gone, or refuses them
    all, is not documented: where it refuses, the one is found by halving."""
    try:
        return _of(transport, issue_ids, meter)
    except RequestRefused as refused:
        if refused.status not in (400, 404):
            raise
        if len(issue_ids) == 1:
            return {}
        middle = len(issue_ids) // 2
        return _halved(transport, issue_ids[:middle], meter) | _halved(transport, issue_ids[middle:], meter)


def _of(transport: Transport, issue_ids: Sequence[int], meter: Meter) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    body: dict[str, Any] = {"issueIdsOrKeys": [str(i) for i in issue_ids], "maxResults": _BULK_HISTORIES}
    seen: set[str] = set()
    while True:
        page = transport.post(
            "changelog/bulkfetch", body, decode=lambda answer: _decode_bulk(clean_json(answer)), meter=meter
        )
        for entry in page.issueChangeLogs:
            found.setdefault(int(entry.issueId), []).extend(bytes(history) for history in entry.changeHistories)
        if not page.nextPageToken or page.nextPageToken in seen:
            return found
        seen.add(page.nextPageToken)
        body["nextPageToken"] = page.nextPageToken

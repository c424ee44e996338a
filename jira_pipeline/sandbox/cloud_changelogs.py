"""Histories on Cloud beyond those inside search answers: of one issue, and of a thousand at once."""

from __future__ import annotations

from bisect import bisect_right

import msgspec

from .answers import Context, Refusal, json_answer, json_body, not_found, page, text_list, whole_number
from .documents import encode
from .http_server import Request, Response
from .model import JsonObject
from .page_tokens import BAD_TOKEN, read_token, write_token
from .site import Site
from .times import format_jira, parse_jira

TOO_MANY_CHANGELOGS = "You may only load changelogs for a maximum of 1,000 issues by ID or key at a time."

_MAX_ISSUES = 1000
_MAX_FIELDS = 10
_MAX_HISTORIES = 10_000
_MAX_PAGE = 100

_History = dict[str, msgspec.Raw]
_Dated = tuple[tuple[int, int, int], _History]

_decode_history = msgspec.json.Decoder(_History).decode


def bulk_fetch_changelogs(context: Context, request: Request) -> Response:
    """POST /changelog/bulkfetch: histories of many issues, oldest first over all of them, so pages may split an issue.

    Issues without histories are not in the answer. `created` is a number of epoch milliseconds, whatever the OpenAPI
    document says.
    """
    body = json_body(request, ("issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"))
    wanted = text_list(body.get("issueIdsOrKeys"))
    field_ids = text_list(body.get("fieldIds"))
    if not wanted:
        raise Refusal(400, "issueIdsOrKeys must not be empty.")
    if len(wanted) > _MAX_ISSUES:
        raise Refusal(400, TOO_MANY_CHANGELOGS)
    if len(field_ids) > _MAX_FIELDS:
        raise Refusal(400, f"You may only filter changelogs by a maximum of {_MAX_FIELDS} fields at a time.")
    limit = whole_number(body.get("maxResults"), "maxResults", 1000)
    if not 1 <= limit <= _MAX_HISTORIES:
        raise Refusal(400, f"The value of maxResults must be between 1 and {_MAX_HISTORIES}.")
    fault = context.fault.kind if context.fault else None
    if fault == "expired_token":
        raise Refusal(400, BAD_TOKEN)
    if fault == "split_histories" and context.fault:
        limit = min(limit, max(1, context.fault.size))
    signature = ",".join([*sorted(wanted), "|", *sorted(field_ids)])
    token = body.get("nextPageToken")
    after = tuple(read_token(str(token), signature).get("k") or ()) if token else ()
    with context.site.lock:
        histories = context.site.remembered(
            f"histories {signature}", lambda: _histories_of(context.site, wanted, frozenset(field_ids))
        )
    begin = bisect_right(histories, after, key=lambda item: item[0])
    chosen = histories[begin : begin + limit]
    answer: JsonObject = {"issueChangeLogs": _grouped(chosen, as_iso=fault == "iso_created")}
    if begin + limit < len(histories):
        answer["nextPageToken"] = write_token(signature, chosen[-1][0])
    return json_answer(answer)


def issue_changelog(context: Context, request: Request, key: str) -> Response:
    """GET /issue/{key}/changelog: oldest first, at most 100 a page."""
    start = whole_number(request.parameter("startAt"), "startAt", 0)
    size = min(_MAX_PAGE, whole_number(request.parameter("maxResults"), "maxResults", 100))
    with context.site.lock:
        row = context.site.issue(key)
        if row is None:
            raise not_found()
        histories = context.site.documents.histories(context.site.document(row))
    values = [msgspec.Raw(history) for history in histories]
    return json_answer(page(values, start, size, f"{context.base_url}{request.path}"))


def _histories_of(site: Site, wanted: list[str], field_ids: frozenset[str]) -> list[_Dated]:
    """The histories of the issues, with items of some fields only if there are any, by time and then issue id."""
    found = []
    rows = {row.id: row for each in wanted if (row := site.issue(each)) is not None}
    for row in rows.values():
        for encoded in site.documents.histories(site.document(row)):
            history = _decode_history(encoded)
            if field_ids:
                items = [i for i in msgspec.json.decode(history["items"]) if i.get("fieldId", i["field"]) in field_ids]
                if not items:
                    continue
                history["items"] = msgspec.Raw(encode(items))
            created, number = msgspec.json.decode(history["created"]), msgspec.json.decode(history["id"])
            found.append(((parse_jira(created), row.id, int(number)), history))
    found.sort(key=lambda item: item[0])
    return found


def _grouped(items: list[_Dated], as_iso: bool) -> list[JsonObject]:
    by_issue: dict[int, list[dict[str, object]]] = {}
    for (created, issue_id, _), history in items:
        by_issue.setdefault(issue_id, []).append({**history, "created": format_jira(created) if as_iso else created})
    return [{"issueId": str(issue_id), "changeHistories": each} for issue_id, each in by_issue.items()]

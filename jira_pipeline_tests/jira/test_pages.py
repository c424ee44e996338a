"""Pages of issues as bytes: cut into issues, with what cannot be read told apart from the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jira_pipeline.jira.pages import IssueRecord, UnreadableIssue, clean_json, read_issue, read_page

GOOD: dict[str, Any] = {
    "id": "10001",
    "key": "APP-1",
    "fields": {
        "project": {"id": "10000"},
        "created": "2026-11-01T09:00:00.000+0100",
        "updated": "2026-11-02T10:00:00.000-0500",
        "summary": "x",
    },
}


def page(*issues: Any, **more: Any) -> bytes:
    return json.dumps({"issues": list(issues), **more}).encode()


def without(*path: str) -> dict[str, Any]:
    changed: dict[str, Any] = json.loads(json.dumps(GOOD))
    place = changed
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return changed


def test_an_issue_is_cut_out_with_what_steers_the_extraction() -> None:
    issue = {**GOOD, "changelog": {"total": 50, "histories": [{"id": "7", "items": [{"to": 1}]}, {"id": 8}]}}

    (record,) = read_page(page(issue)).issues

    assert (record.issue_id, record.issue_key, record.project_id) == (10001, "APP-1", "10000")
    assert record.created == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert record.updated == datetime(2026, 11, 2, 15, tzinfo=UTC)
    assert json.loads(record.payload) == GOOD
    assert record.history_ids == (7, 8)
    assert (record.history_total, record.history_complete) == (50, False)


def test_a_history_is_kept_without_what_describes_its_author() -> None:
    """The description is most of its bytes; it is kept once for all histories."""
    described = {"accountId": "a:1", "displayName": "Ada", "avatarUrls": {"16x16": "https://x"}, "key": 7}
    histories = [
        {"id": "7", "created": 1793520000000, "author": described, "items": [{"to": {"odd": []}}], "properties": {}},
        {"id": 8, "created": "2026-11-01T09:00:00.000+0100", "author": "ada"},
    ]

    (record,) = read_page(page({**GOOD, "changelog": {"histories": histories[:1]}})).issues
    completed = record.with_histories([json.dumps(history).encode() for history in histories])

    expected = [
        {"id": 7, "created": 1793520000000, "author": {"accountId": "a:1", "key": 7}, "items": [{"to": {"odd": []}}]},
        {"id": 8, "created": "2026-11-01T09:00:00.000+0100", "author": "ada", "items": None},
    ]
    assert json.loads(record.histories) == expected[:1]
    assert json.loads(completed.histories) == expected
    assert [json.loads(person) for person in record.people] == [described]
    assert {str(json.loads(person)) for person in completed.people} == {str(described), "ada"}


def test_ids_may_be_numbers_or_texts() -> None:
    (record,) = read_page(page({**GOOD, "id": 10001})).issues

    assert record.issue_id == 10001


@pytest.mark.parametrize(
    "changelog",
    [None, {}, {"histories": None}, {"histories": [], "total": 0}, {"histories": []}, {"total": 3}],
    ids=json.dumps,
)
def test_an_issue_without_histories_counts_as_complete(changelog: Any) -> None:
    (record,) = read_page(page({**GOOD, "changelog": changelog})).issues

    assert (record.histories, record.history_ids, record.history_complete) == (b"[]", (), True)


def test_the_page_says_how_it_goes_on() -> None:
    first = read_page(page(GOOD, nextPageToken="t", isLast=False))
    last = read_page(page(isLast=True))
    counted = read_page(page(total=12, startAt=0))
    warned = read_page(page(warnings=["The result was truncated."]))

    assert (first.next_token, first.is_last, first.size) == ("t", False, 1)
    assert (last.next_token, last.is_last, last.size) == (None, True, 0)
    assert counted.total == 12
    assert "truncated" in warned.warnings[0]


def test_an_empty_token_is_no_token() -> None:
    """Sent back, it would silently be page one."""
    assert read_page(page(GOOD, nextPageToken="")).next_token is None


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"issues": null}', b'{"errorMessages": ["no"]}', b'{"issues": [{', b"<html>"]
)
def test_what_is_no_page_of_issues_does_not_pass_for_an_empty_one(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_page(body)


@pytest.mark.parametrize(
    ("issue", "reason"),
    [
        (None, "not readable"),
        (7, "not readable"),
        ([], "not readable"),
        ("APP-1", "not readable"),
        (without("id"), "no 'id'"),
        (without("key"), "no 'key'"),
        (without("fields"), "no 'fields'"),
        (without("fields", "created"), "created"),
        (without("fields", "updated"), "updated"),
        ({**GOOD, "fields": None}, "not readable"),
        ({**GOOD, "fields": {**GOOD["fields"], "created": "yesterday"}}, "created is 'yesterday', which is no instant"),
        ({**GOOD, "fields": {**GOOD["fields"], "updated": "2026-11-01T09:00:00"}}, "updated is"),
        ({**GOOD, "fields": {**GOOD["fields"], "updated": "0001-11-01T09:00:00Z"}}, "updated is"),
        ({**GOOD, "fields": {**GOOD["fields"], "created": 5}}, "created"),
        ({**GOOD, "id": "APP-1"}, "not readable"),
        ({**GOOD, "changelog": {"histories": [{"items": []}]}}, "id"),
        ({**GOOD, "changelog": {"histories": [None]}}, "not readable"),
    ],
)
def test_a_bad_issue_is_set_aside_and_spoils_no_other(issue: Any, reason: str) -> None:
    read = read_page(page(issue, GOOD))

    (bad,) = read.unreadable
    assert reason in bad.reason
    assert json.loads(bad.payload) == issue
    assert [record.issue_id for record in read.issues] == [10001]
    assert read.size == 2


def test_a_bad_issue_keeps_the_id_and_key_that_could_be_read() -> None:
    (bad,) = read_page(page(without("fields"))).unreadable

    assert (bad.issue_id, bad.issue_key) == (10001, "APP-1")


@pytest.mark.parametrize("value", [None, 0, 1.5, "text", [], [None], {}, {"id": None}, True], ids=json.dumps)
def test_every_other_field_may_be_anything(value: Any) -> None:
    fields = {
        **GOOD["fields"],
        **dict.fromkeys(("summary", "status", "assignee", "customfield_1", "description"), value),
    }

    (record,) = read_page(page({**GOOD, "fields": fields})).issues

    assert json.loads(record.payload)["fields"]["status"] == value


def test_neither_payload_nor_histories_are_shown_in_a_repr() -> None:
    record = read_issue(json.dumps({**GOOD, "fields": {**GOOD["fields"], "summary": "confidential"}}).encode())

    assert isinstance(record, IssueRecord)
    assert "confidential" not in repr(record)
    assert "confidential" not in repr(UnreadableIssue(1, "A-1", "why", b"confidential"))


@pytest.mark.parametrize(
    ("sent", "clean"),
    [
        (rb'"a\ud83d"', '"a\\ufffd"'),
        (rb'"\udc00a"', '"\\ufffda"'),
        (rb'"\uD83D\uDE80"', '"\\uD83D\\uDE80"'),
        (rb'"\ud83d\ud83d\ude80"', '"\\ufffd\\ud83d\\ude80"'),
        (rb'"\\ud83d"', '"\\\\ud83d"'),
        (rb'"\\\ud83d"', '"\\\\\\ufffd"'),
        (b'\xef\xbb\xbf"x"', '"x"'),
        (b'"\xff\xfe"', '"\ufffd\ufffd"'),
        ('"日本 🚀"'.encode(), '"日本 🚀"'),
    ],
)  # fmt: skip
def test_what_is_no_text_becomes_the_replacement_character(sent: bytes, clean: str) -> None:
    assert clean_json(sent).decode() == clean


@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_any_text_of_python_becomes_valid_json_and_stays_as_it_is_where_it_was_valid(
    text: str, ascii_only: bool
) -> None:
    """`json.dumps` writes halves of pairs as escapes, as Java does."""
    sent = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", errors="surrogatepass")

    clean = msgspec.json.decode(clean_json(sent), type=str)

    halves = [each for each in text if 0xD800 <= ord(each) < 0xE000]
    assert clean == text or (halves and "\ufffd" in clean)
    assert msgspec.json.decode(msgspec.json.encode(clean)) == clean

"""Reading answers about ids: what cannot be read must never look like an issue that is gone."""

from __future__ import annotations

import msgspec
import pytest

from jira_pipeline.jira.issue_ids import read_id_page, read_issue_errors, read_location, read_locations


def test_a_page_of_ids_gives_ids_and_the_next_token() -> None:
    page = read_id_page(b'{"issues":[{"id":"10001","expand":""},{"id":10002}],"nextPageToken":"abc","isLast":false}')
    assert (page.ids, page.next_token, page.is_last) == ((10001, 10002), "abc", False)


def test_entries_without_a_readable_id_are_left_out_of_a_page() -> None:
    assert read_id_page(b'{"issues":[null,{"id":"x"},{"id":"7"}]}').ids == (7,)


@pytest.mark.parametrize("body", [b"{}", b'{"errorMessages":["no"]}', b'{"issues":[{"id":"1"}', b"[]", b""])
def test_what_is_no_whole_page_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read_id_page(body)
    with pytest.raises(msgspec.DecodeError):
        read_locations(body, [1])


def test_locations_name_the_present_project_of_what_was_found_and_leave_out_the_rest() -> None:
    body = b'{"issueErrors":[],"issues":[{"id":"1","key":"B-1","fields":{"project":{"id":"10001","key":"B"}}}]}'
    assert read_locations(body, [1, 2]) == {1: "10001"}


@pytest.mark.parametrize("fields", ["null", "{}", '{"project":null}', '{"project":"B"}', "7"])
def test_an_issue_whose_project_cannot_be_read_is_there_all_the_same(fields: str) -> None:
    assert read_locations(b'{"issues":[{"id":"1","fields":%b}]}' % fields.encode(), [1]) == {1: None}
    assert read_location(b'{"id":"1","fields":%b}' % fields.encode()) is None


def test_an_issue_that_could_not_be_sent_this_time_is_there() -> None:
    body = b'{"issues":[],"issueErrors":[{"id":"2","errorMessage":"payload too large"}]}'
    assert read_locations(body, [1, 2]) == {2: None}
    assert read_issue_errors(body) == (2,)


@pytest.mark.parametrize("body", [b'{"issues":[null]}', b'{"issues":[],"issueErrors":[{"errorMessage":"?"}]}'])
def test_an_entry_that_names_no_issue_may_be_any_of_those_asked_for(body: bytes) -> None:
    assert read_locations(body, [1, 2]) == {1: None, 2: None}

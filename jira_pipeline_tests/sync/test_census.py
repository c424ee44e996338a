"""What a census concludes, case by case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from jira_pipeline.sync.census import StoredIssues, Verdict, compare, is_mass_removal, judge

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
APP, OPS, OTHER = "10000", "10001", "10002"


def verdict(
    locations: Mapping[int, str | None] | None,
    *,
    seen: set[int] = frozenset({1}),  # type: ignore[assignment]
    missed_since: Mapping[int, datetime] | None = None,
) -> Verdict:
    """What becomes of issue 2, stored in APP beside issue 1 and not shown any more."""
    stored = StoredIssues({1: APP, 2: APP}, frozenset())
    comparison = compare(stored, {APP: seen, OPS: set()})[APP]
    assert 2 in comparison.missing
    return judge(APP, comparison, locations, tracked_ids={APP, OPS}, missed_since=missed_since or {}, now=NOW)


def test_an_issue_that_does_not_answer_by_id_is_deleted_where_its_project_shows_others() -> None:
    assert verdict({}).removals == {2: "deleted"}


def test_an_issue_that_does_not_answer_is_not_visible_where_its_project_shows_nothing() -> None:
    assert verdict({1: APP}, seen=set()).removals == {2: "not_visible"}


def test_an_issue_that_answers_from_a_project_that_is_not_tracked_has_moved_out() -> None:
    assert verdict({2: OTHER}).removals == {2: "moved_out"}


def test_an_issue_that_answers_from_a_tracked_project_is_fetched_there_and_not_marked() -> None:
    found = verdict({2: OPS})
    assert (found.removals, found.rehomed) == ({}, {2: OPS})


@pytest.mark.parametrize("location", [APP, None], ids=["its own project", "a project that is not said"])
def test_an_issue_that_answers_from(location: str | None) -> None:
    """…is there, whatever the index says."""
    found = verdict({2: location})
    assert (found.removals, found.rehomed, found.hidden) == ({}, {}, {2})


def test_what_cannot_be_asked_for_by_id_is_only_suspected_at_first() -> None:
    found = verdict(None)
    assert (found.removals, found.suspected) == ({}, {2})


def test_what_cannot_be_asked_for_is_suspected_still_when_the_index_had_no_time_to_recover() -> None:
    found = verdict(None, missed_since={2: NOW - timedelta(minutes=59)})
    assert (found.removals, found.suspected) == ({}, {2})


def test_what_cannot_be_asked_for_is_not_visible_after_two_censuses_an_hour_apart() -> None:
    found = verdict(None, missed_since={2: NOW - timedelta(hours=1)})
    assert (found.removals, found.suspected) == ({2: "not_visible"}, frozenset())


def test_an_issue_shown_by_another_project_is_not_missing_but_to_be_fetched_there() -> None:
    found = compare(StoredIssues({1: APP, 2: APP}, frozenset()), {APP: {1}, OPS: {2}})
    assert found[APP].missing == frozenset()
    assert found[OPS].to_fetch == {2}


def test_issues_that_are_not_stored_and_issues_that_are_marked_are_to_be_fetched() -> None:
    found = compare(StoredIssues({1: APP}, frozenset({3})), {APP: {1, 2, 3}})
    assert found[APP].to_fetch == {2, 3}
    assert found[APP].known == {1}


def test_a_project_that_was_not_walked_has_nothing_missing() -> None:
    assert compare(StoredIssues({1: APP, 2: OPS}, frozenset()), {OPS: {2}}).keys() == {OPS}


@pytest.mark.parametrize(
    ("known", "removals", "is_mass"),
    [(10, 10, False), (11, 11, True), (55, 11, False), (54, 11, True), (1000, 200, False), (1000, 201, True)],
)
def test_more_than_ten_issues_and_more_than_a_fifth_of_a_project_are_a_mass_removal(
    known: int, removals: int, is_mass: bool
) -> None:
    assert is_mass_removal(known=known, removals=removals) is is_mass

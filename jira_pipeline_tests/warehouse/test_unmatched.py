"""Who an unmatched user may be: suggestions from names and addresses."""

from __future__ import annotations

import pytest

from jira_pipeline.settings import TeamMember
from jira_pipeline.warehouse.unmatched import Coverage, UnmatchedUser, suggestions

ANA = TeamMember(name="Ana Ruíz", email="ana.ruiz@example.com", aliases=("557058:1", "ar@old.example.com"))
BO = TeamMember(name="Bo Lindt", email=None)


def user(display_name: str | None, email_address: str | None = None) -> UnmatchedUser:
    return UnmatchedUser("u1", display_name, email_address, "no_team_member", 3, 1)


def suggested(display_name: str | None, email_address: str | None = None) -> list[tuple[str, str]]:
    return [(s.member.name, s.reason) for s in suggestions(user(display_name, email_address), [ANA, BO])]


@pytest.mark.parametrize("display_name", ["Ana Ruíz", "ana ruiz", "RUIZ, Ana", "Ana Rui\u0301z", " Ana  Ruiz "])
def test_the_same_name_is_suggested_however_it_is_written(display_name: str) -> None:
    assert suggested(display_name) == [("Ana Ruíz", "same name")]


@pytest.mark.parametrize(
    "address", ["ana.ruiz@example.org", "AnaRuiz@example.com", "ana_ruiz+jira@x.example", "ana.ruis@y"]
)
def test_a_similar_address_is_suggested(address: str) -> None:
    assert suggested("A. R.", address) == [("Ana Ruíz", "similar address ana.ruiz@example.com")]


def test_an_alias_counts_only_if_it_is_an_address() -> None:
    assert suggested(None, "ar@example.com") == [("Ana Ruíz", "similar address ar@old.example.com")]
    assert suggested(None, "5570581@example.com") == []


@pytest.mark.parametrize(
    ("display_name", "address"),
    [("Ana", "ana@example.com"), ("Ruiz", None), (None, None), ("", "@example.com"), ("Bob Lindt", "b@example.com")],
)
def test_what_is_not_alike_is_not_suggested(display_name: str | None, address: str | None) -> None:
    assert suggested(display_name, address) == []


def test_a_member_may_be_suggested_for_two_reasons() -> None:
    assert [reason for _, reason in suggested("Ana Ruiz", "anaruiz@x.example")] == [
        "same name",
        "similar address ana.ruiz@example.com",
    ]


def test_coverage_is_the_share_of_assigned_issues_and_whole_where_none_is_assigned() -> None:
    assert Coverage(assigned=8, matched=6).share == 0.75
    assert Coverage(assigned=0, matched=0).share == 1.0

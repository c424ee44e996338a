"""matched_assignees: who is matched, by what, and what is said of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jira_pipeline.settings import TeamMember
from jira_pipeline.warehouse.matching import match_assignees

ANA = TeamMember("Ana Ruiz", email="ana@example.com", team="Payments")
BO = TeamMember("Bo Lindt", email="bo@example.com", team="Search")


@dataclass(frozen=True)
class Warehouse:
    """A DuckDB file with the tables that matching reads."""

    connection: duckdb.DuckDBPyConnection

    def add_user(
        self,
        user_id: str,
        email: str | None = None,
        account_type: str | None = "atlassian",
        display_name: str = "Somebody",
    ) -> None:
        self.connection.execute(
            "INSERT INTO users (user_id, email_address, account_type, display_name) VALUES ($1, $2, $3, $4)",
            [user_id, email, account_type, display_name],
        )

    def add_issue(self, assignee_id: str | None, status_category: str | None) -> None:
        self.connection.execute(
            "INSERT INTO issues (assignee_id, status_category) VALUES ($1, $2)", [assignee_id, status_category]
        )

    def matched(self, *members: TeamMember) -> dict[str, dict[str, Any]]:
        """The table after matching, by user id."""
        rows = match_assignees(self.connection, members)
        cursor = self.connection.execute("SELECT * FROM matched_assignees")
        names = [column[0] for column in cursor.description or ()]
        table = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        assert len(table) == rows
        by_user = {row["user_id"]: row for row in table}
        assert len(by_user) == rows, "one row a user"
        return by_user


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    schema = (files("jira_pipeline.warehouse") / "sql" / "schema.sql").read_text(encoding="utf-8")
    with duckdb.connect(str(tmp_path / "jira.duckdb")) as connection:
        connection.execute(schema)
        yield Warehouse(connection)


def who(row: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """The match in short: member, method, reason."""
    assert row["is_matched"] is (row["unmatched_reason"] is None)
    assert row["is_matched"] is (row["match_method"] is not None)
    return row["member_name"], row["match_method"], row["unmatched_reason"]


# What matches


def test_a_matched_user_shows_the_member_and_the_team(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com", display_name="A. Ruiz")
    assert warehouse.matched(ANA, BO)["u1"] == {
        "user_id": "u1",
        "display_name": "A. Ruiz",
        "email_address": "ana@example.com",
        "member_name": "Ana Ruiz",
        "member_email": "ana@example.com",
        "team": "Payments",
        "match_method": "email",
        "is_matched": True,
        "unmatched_reason": None,
        "assigned_issues": 0,
        "open_issues": 0,
    }


def test_an_account_id_matches_a_user_who_hides_the_address(warehouse: Warehouse) -> None:
    warehouse.add_user("557058:f58131cb", email=None)
    member = TeamMember("Ana Ruiz", jira_account_id="557058:f58131cb")
    assert who(warehouse.matched(member)["557058:f58131cb"]) == ("Ana Ruiz", "account_id", None)


@pytest.mark.parametrize(
    ("in_jira", "in_roster"),
    [
        ("Ana@Example.COM", "ana@example.com"),
        ("ana@example.com", "ANA@example.com"),
        (" ana@example.com", "ana@example.com\t"),
        ("ana@example.com\u00a0", "\u200bana@example.com"),
        ("jos\u00e9@example.com", "Jose\u0301@example.com"),
    ],
)
def test_addresses_match_whatever_their_case_space_and_unicode_form(
    warehouse: Warehouse, in_jira: str, in_roster: str
) -> None:
    warehouse.add_user("u1", in_jira)
    row = warehouse.matched(TeamMember("Ana Ruiz", email=in_roster))["u1"]
    assert who(row) == ("Ana Ruiz", "email", None)
    assert (row["email_address"], row["member_email"]) == (in_jira, in_roster)


@pytest.mark.parametrize("in_jira", ["ana@example.org", "ana.ruiz@example.com", "an\u00e1@example.com"])
def test_an_address_that_differs_in_a_letter_does_not_match(warehouse: Warehouse, in_jira: str) -> None:
    warehouse.add_user("u1", in_jira)
    assert who(warehouse.matched(ANA)["u1"]) == (None, None, "no_team_member")


@pytest.mark.parametrize("alias", ["aruiz@example.com", "ARuiz@Example.com", "JIRAUSER10100", "jirauser10100"])
def test_an_alias_is_another_address_or_an_account_id_or_a_user_name(warehouse: Warehouse, alias: str) -> None:
    warehouse.add_user("JIRAUSER10100", "aruiz@example.com", account_type=None)
    member = TeamMember("Ana Ruiz", email="ana@example.com", aliases=("other", alias))
    assert who(warehouse.matched(member)["JIRAUSER10100"]) == ("Ana Ruiz", "alias", None)


def test_a_user_found_by_two_aliases_of_one_member_is_no_ambiguity(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "aruiz@example.com")
    member = TeamMember("Ana Ruiz", aliases=("u1", "aruiz@example.com"))
    assert who(warehouse.matched(member)["u1"]) == ("Ana Ruiz", "alias", None)


def test_one_member_may_have_several_accounts(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    warehouse.add_user("u2", "old@example.com")
    warehouse.add_user("u3")
    member = TeamMember("Ana Ruiz", "ana@example.com", jira_account_id="u3", aliases=("old@example.com",))
    matched = warehouse.matched(member)
    assert {user: row["match_method"] for user, row in matched.items()} == {
        "u1": "email",
        "u2": "alias",
        "u3": "account_id",
    }


def test_the_account_id_wins_over_another_members_address_and_alias(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "bo@example.com")
    ana = TeamMember("Ana Ruiz", jira_account_id="u1")
    cy = TeamMember("Cy Voss", aliases=("u1",))
    assert who(warehouse.matched(BO, cy, ana)["u1"]) == ("Ana Ruiz", "account_id", None)


def test_the_address_wins_over_another_members_alias(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "bo@example.com")
    ana = TeamMember("Ana Ruiz", aliases=("bo@example.com",))
    assert who(warehouse.matched(ana, BO)["u1"]) == ("Bo Lindt", "email", None)


def test_an_account_of_an_app_that_the_roster_names_is_matched(warehouse: Warehouse) -> None:
    warehouse.add_user("bot", account_type="app")
    assert who(warehouse.matched(TeamMember("Release bot", jira_account_id="bot"))["bot"])[1] == "account_id"


# What does not


@pytest.mark.parametrize("alias", ["Ana Ruiz", "ana ruiz"])
def test_a_display_name_never_matches(warehouse: Warehouse, alias: str) -> None:
    warehouse.add_user("u1", "somebody@example.com", display_name="Ana Ruiz")
    member = TeamMember("Ana Ruiz", email="ana@example.com", aliases=(alias,))
    assert who(warehouse.matched(member)["u1"]) == (None, None, "no_team_member")


def test_the_members_account_id_is_not_taken_for_an_address(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "u2")
    warehouse.add_user("u2", "nobody@example.com")
    matched = warehouse.matched(TeamMember("Ana Ruiz", jira_account_id="u2"))
    assert who(matched["u1"]) == (None, None, "no_team_member")
    assert who(matched["u2"]) == ("Ana Ruiz", "account_id", None)


CLAIMED_TWICE = {
    "account_id": (TeamMember("Ana Ruiz", jira_account_id="u1"), TeamMember("Bo Lindt", jira_account_id="u1")),
    "email": (TeamMember("Ana Ruiz", email="x@example.com"), TeamMember("Bo Lindt", email="X@example.com")),
    "alias": (TeamMember("Ana Ruiz", aliases=("x@example.com",)), TeamMember("Bo Lindt", aliases=("u1",))),
    "team": (TeamMember("Ana Ruiz", "x@example.com", "Search"), TeamMember("Ana Ruiz", "x@example.com", "Payments")),
}


@pytest.mark.parametrize("claims", CLAIMED_TWICE.values(), ids=CLAIMED_TWICE)
def test_a_user_claimed_by_two_members_is_ambiguous_and_shows_neither(
    warehouse: Warehouse, claims: tuple[TeamMember, ...]
) -> None:
    warehouse.add_user("u1", "x@example.com")
    row = warehouse.matched(*claims)["u1"]
    assert who(row) == (None, None, "ambiguous")
    assert (row["member_email"], row["team"]) == (None, None)


@pytest.mark.parametrize("claims", CLAIMED_TWICE.values(), ids=CLAIMED_TWICE)
def test_each_of_two_such_members_alone_is_a_match(warehouse: Warehouse, claims: tuple[TeamMember, ...]) -> None:
    warehouse.add_user("u1", "x@example.com")
    for claim in claims:
        assert warehouse.matched(claim)["u1"]["member_name"] == claim.name


def test_a_weaker_way_does_not_settle_an_ambiguity_of_a_stronger_one(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "x@example.com")
    claims = (TeamMember("Ana", "x@example.com"), TeamMember("Bo", "x@example.com", aliases=("u1",)))
    assert who(warehouse.matched(*claims)["u1"]) == (None, None, "ambiguous")


def test_a_stronger_way_settles_an_ambiguity_of_a_weaker_one(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "x@example.com")
    claims = (TeamMember("Ana", "x@example.com"), TeamMember("Bo", "x@example.com", jira_account_id="u1"))
    assert who(warehouse.matched(*claims)["u1"]) == ("Bo", "account_id", None)


def test_a_member_listed_twice_alike_is_no_ambiguity(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    assert who(warehouse.matched(ANA, ANA)["u1"]) == ("Ana Ruiz", "email", None)


@pytest.mark.parametrize(
    ("account_type", "email", "reason"),
    [
        ("atlassian", None, "no_email"),
        ("atlassian", "  ", "no_email"),
        (None, None, "no_email"),
        ("atlassian", "eve@example.org", "no_team_member"),
        (None, "eve@example.org", "no_team_member"),
        ("customer", "eve@example.org", "no_team_member"),
        ("customer", None, "no_team_member"),
        ("app", None, "not_a_person"),
        ("app", "bot@example.org", "not_a_person"),
        ("unknown", None, "not_a_person"),
    ],
)
def test_an_unmatched_user_is_told_why(
    warehouse: Warehouse, account_type: str | None, email: str | None, reason: str
) -> None:
    warehouse.add_user("u1", email, account_type)
    assert who(warehouse.matched(ANA, BO)["u1"]) == (None, None, reason)


def test_blank_entries_of_the_roster_match_nobody(warehouse: Warehouse) -> None:
    warehouse.add_user("", email="")
    warehouse.add_user("u1", email=" ")
    blank = TeamMember("Ana Ruiz", email=" ", jira_account_id="", aliases=("", "\u200b"))
    assert {row["is_matched"] for row in warehouse.matched(blank).values()} == {False}


def test_without_a_roster_nobody_is_matched_and_everybody_is_listed(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    warehouse.add_user("u2")
    assert [row["is_matched"] for row in warehouse.matched().values()] == [False, False]


# What is counted, and how often it may be run


def test_issues_are_counted_by_assignee_and_are_open_until_known_to_be_done(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    warehouse.add_user("u2")
    for category in ("new", "indeterminate", "done", "done", None):
        warehouse.add_issue("u1", category)
    warehouse.add_issue(None, "new")
    counts = {user: (row["assigned_issues"], row["open_issues"]) for user, row in warehouse.matched(ANA).items()}
    assert counts == {"u1": (5, 3), "u2": (0, 0)}


def test_matching_again_replaces_what_was_there(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    warehouse.add_user("u2", "bo@example.com")
    assert warehouse.matched(ANA, BO) == warehouse.matched(ANA, BO)
    warehouse.connection.execute("DELETE FROM users WHERE user_id = 'u2'")
    assert {user: who(row) for user, row in warehouse.matched(BO).items()} == {"u1": (None, None, "no_team_member")}


def test_a_rolled_back_transaction_leaves_the_former_table(warehouse: Warehouse) -> None:
    warehouse.add_user("u1", "ana@example.com")
    before = warehouse.matched(ANA)
    warehouse.connection.execute("BEGIN")
    assert warehouse.matched(BO) != before
    warehouse.connection.execute("ROLLBACK")
    assert warehouse.connection.execute("SELECT member_name FROM matched_assignees").fetchall() == [("Ana Ruiz",)]


def test_text_of_the_roster_is_data_not_sql(warehouse: Warehouse) -> None:
    name = "O'Neil\"; DROP TABLE users; --"
    warehouse.add_user("u1", "x'@example.com")
    assert warehouse.matched(TeamMember(name, email="x'@example.com"))["u1"]["member_name"] == name

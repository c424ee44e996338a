"""users and statuses: who and what is met in issues, beside what the site itself lists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from jira_pipeline.jira.site import Project, Status, User
from jira_pipeline.warehouse.operations import TrackedState, store_tracked_projects
from jira_pipeline.warehouse.reference import store_directory, store_projects, store_statuses
from jira_pipeline_tests.warehouse.loading import SYNCED_AT, Json, Store, history, issue, item

LATER = datetime(2026, 11, 20, tzinfo=UTC)
NEWER = "2026-11-05T10:00:00.000+0000"


def person(user_id: str, name: str = "Ana", **more: Any) -> Json:
    return {"accountId": user_id, "displayName": name, "accountType": "atlassian", "active": True, **more}


def users(store: Store) -> dict[str, tuple[Any, ...]]:
    rows = store.rows("SELECT user_id, display_name, email_address, source FROM users")
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def list_users(store: Store, *listed: User, at: datetime = SYNCED_AT) -> None:
    with store.warehouse.transaction() as connection:
        store_directory(connection, listed, synced_at=at)


def list_statuses(store: Store, *listed: Status, at: datetime = SYNCED_AT) -> None:
    with store.warehouse.transaction() as connection:
        store_statuses(connection, listed, synced_at=at)


def test_everybody_met_in_an_issue_is_a_user(store: Store) -> None:
    store.load(
        issue(
            assignee=person("a1", "Ana", emailAddress="ana@example.com"),
            reporter=person("a2", "Bo"),
            creator=person("a3", "Cy"),
            histories=[history(1, item("status"), author=person("a4", "Di"))],
        )
    )

    assert users(store) == {
        "a1": ("Ana", "ana@example.com", "issues"),
        "a2": ("Bo", None, "issues"),
        "a3": ("Cy", None, "issues"),
        "a4": ("Di", None, "issues"),
    }


def test_whom_an_issue_was_taken_from_is_a_user_known_by_name(store: Store) -> None:
    handed_over = {"field": "assignee", "from": "a1", "fromString": "Ana", "to": "a2", "toString": "Bo"}
    other = {"field": "priority", "from": "3", "fromString": "Medium", "to": "2", "toString": "High"}
    store.load(issue(histories=[history(1, handed_over, other)]))

    assert users(store) == {"a1": ("Ana", None, "issues"), "a2": ("Bo", None, "issues")}


def test_an_unassigned_side_of_a_hand_over_is_nobody(store: Store) -> None:
    taken = {"field": "assignee", "from": None, "fromString": "", "to": "", "toString": None}
    store.load(issue(histories=[history(1, taken)]))

    assert users(store) == {}


def test_a_full_description_wins_over_a_bare_name(store: Store) -> None:
    store.load(
        issue(
            assignee=person("a1", "Ana Ruiz", emailAddress="ana@example.com"),
            histories=[history(1, {"field": "assignee", "from": "a1", "fromString": "Ana (old)", "to": None})],
        )
    )

    assert users(store) == {"a1": ("Ana Ruiz", "ana@example.com", "issues")}


def test_a_bare_name_does_not_overwrite_a_full_description(store: Store) -> None:
    store.load(issue(1, assignee=person("a1", "Ana Ruiz", emailAddress="ana@example.com")))

    store.load(issue(2, updated=NEWER, histories=[history(1, item("assignee", "a1", None))]))

    assert users(store) == {"a1": ("Ana Ruiz", "ana@example.com", "issues")}


def test_a_later_full_description_replaces_the_earlier_one(store: Store) -> None:
    store.load(issue(1, assignee=person("a1", "Ana Ruiz")))

    store.load(issue(2, updated=NEWER, assignee=person("a1", "Ana Vega", active=False)))

    assert store.rows("SELECT display_name, is_active FROM users") == [("Ana Vega", False)]


def test_the_directorys_description_is_not_touched_by_issues(store: Store) -> None:
    list_users(store, User(accountId="a1", displayName="Ana Ruiz", emailAddress="ana@example.com"))

    store.load(issue(assignee=person("a1", "Former user")))

    assert users(store) == {"a1": ("Ana Ruiz", "ana@example.com", "directory")}


def test_the_directory_takes_over_whom_issues_showed_and_keeps_the_others(store: Store) -> None:
    store.load(issue(assignee=person("a1"), reporter=person("a2", "Bo")))

    list_users(store, User(accountId="a1", displayName="Ana Ruiz"))

    assert users(store) == {"a1": ("Ana Ruiz", None, "directory"), "a2": ("Bo", None, "issues")}


def test_listing_the_same_users_again_changes_no_row(store: Store) -> None:
    ana = User(accountId="a1", displayName="Ana", emailAddress=None, active=True, timeZone="Europe/Berlin")
    list_users(store, ana)
    before = store.rows("SELECT * FROM users")
    assert before

    list_users(store, ana, at=LATER)
    assert store.rows("SELECT * FROM users") == before

    list_users(store, User(accountId="a1", displayName="Ana"), at=LATER)
    assert store.rows("SELECT is_active, synced_at FROM users") == [(None, LATER)]


def test_a_status_that_the_site_does_not_list_is_known_from_issues(store: Store) -> None:
    list_statuses(store, Status("1", "To Do"))

    store.load(issue(1), issue(2, status={"id": "7", "name": "Gone", "statusCategory": {"key": "done"}}))

    assert store.rows("SELECT status_id, name, status_category, is_listed FROM statuses ORDER BY 1") == [
        ("1", "To Do", None, True),
        ("7", "Gone", "done", False),
    ]


def test_a_status_that_leaves_the_sites_list_stays_marked(store: Store) -> None:
    list_statuses(store, Status("1", "To Do"), Status("2", "Doing"))

    list_statuses(store, Status("1", "To Do"), at=LATER)

    assert store.rows("SELECT status_id, name, is_listed, synced_at FROM statuses ORDER BY 1") == [
        ("1", "To Do", True, SYNCED_AT),
        ("2", "Doing", False, LATER),
    ]


def test_a_status_that_comes_back_is_listed_again_once(store: Store) -> None:
    list_statuses(store, Status("1", "To Do"), Status("2", "Doing"))
    list_statuses(store, Status("1", "To Do"))

    list_statuses(store, Status("1", "To Do"), Status("2", "Doing"))

    assert store.rows("SELECT status_id, is_listed FROM statuses ORDER BY 1") == [("1", True), ("2", True)]


def test_projects_are_what_the_site_lists_and_what_is_stored(store: Store) -> None:
    store.load(issue(1))
    app, ops, tmp = Project("10000", "APP", "App"), Project("10001", "OPS", "Ops"), Project("10002", "TMP", "Temporary")
    with store.warehouse.transaction() as connection:
        store_projects(connection, [app, ops, tmp], tracked_ids={"10000"}, synced_at=SYNCED_AT)
    renamed = Project("10001", "OPS2", "Ops", archived=True)

    with store.warehouse.transaction() as connection:
        store_projects(connection, [renamed], tracked_ids=set(), synced_at=LATER)

    assert store.rows("SELECT project_id, project_key, is_archived, synced_at FROM projects ORDER BY 1") == [
        ("10000", "APP", False, SYNCED_AT),
        ("10001", "OPS2", True, LATER),
    ]


def test_a_project_that_is_gone_leaves_although_another_one_has_never_been_shown(store: Store) -> None:
    with store.warehouse.transaction() as connection:
        store_tracked_projects(connection, [TrackedState(None, "SOON", "SOON", None, is_active=True)])
        store_projects(connection, [Project("1", "APP"), Project("2", "TMP")], tracked_ids=set(), synced_at=SYNCED_AT)
        store_projects(connection, [Project("1", "APP")], tracked_ids=set(), synced_at=LATER)

    assert store.rows("SELECT project_key FROM projects") == [("APP",)]


def test_a_project_that_is_not_listed_is_tracked_as_long_as_the_configuration_says_so(store: Store) -> None:
    def listing(*projects: Project, tracked: set[str]) -> list[tuple[Any, ...]]:
        with store.warehouse.transaction() as connection:
            store_projects(connection, projects, tracked_ids=tracked, synced_at=LATER)
        return store.rows("SELECT project_id, is_tracked FROM projects ORDER BY 1")

    store.load(issue(1))  # of the project 10000, which stays for it
    assert listing(Project("10000", "APP"), tracked={"10000"}) == [("10000", True)]
    assert listing(tracked={"10000"}) == [("10000", True)]
    assert listing(tracked=set()) == [("10000", False)]

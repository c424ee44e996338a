"""A status that is renamed or put into another category changes no issue's payload; the tables follow all the same."""

from __future__ import annotations

import msgspec

from jira_pipeline.jira.site import Status
from jira_pipeline.warehouse.reference import store_statuses
from jira_pipeline.warehouse.typed_issues import derive_issues
from jira_pipeline_tests.warehouse.loading import SYNCED_AT, Store, issue


def listed(name: str, category: str) -> Status:
    return msgspec.convert({"id": "1", "name": name, "statusCategory": {"key": category}}, Status)


def states(store: Store, *statuses: Status) -> list[tuple[object, ...]]:
    with store.warehouse.transaction() as connection:
        store_statuses(connection, statuses, synced_at=SYNCED_AT)
        derive_issues(connection)
        return connection.execute("SELECT issue_id, status, status_category FROM issues ORDER BY issue_id").fetchall()


def test_issues_follow_the_sites_list_of_statuses(store: Store) -> None:
    store.load(issue(1), issue(2, status={"id": "9", "name": "Odd", "statusCategory": {"key": "done"}}))

    assert states(store, listed("To Do", "new")) == [(1, "To Do", "new"), (2, "Odd", "done")]
    assert states(store, listed("Doing", "indeterminate")) == [(1, "Doing", "indeterminate"), (2, "Odd", "done")]


def test_a_category_that_the_list_does_not_say_stays_as_the_issue_says(store: Store) -> None:
    store.load(issue(1))

    assert states(store, listed("To Do", "undefined")) == [(1, "To Do", "new")]

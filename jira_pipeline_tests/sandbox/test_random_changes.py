"""Whatever happens to a site, what it serves is what is true, and a faithful reader of changes ends with the truth."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from jira_pipeline.sandbox import generate_site

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


KINDS = ("create", "update", "update", "update", "delete", "move", "rename", "backdate")


def change_something(sandbox, dice, issues, kinds=KINDS):
    """One random change to one of the issues, some minutes after the last; what it was."""
    sandbox.advance(timedelta(seconds=dice.randint(1, 600)))
    issue = issues.pop(dice.randrange(len(issues)))
    issue_id, project = issue["id"], issue["fields"]["project"]["id"]
    kind = dice.choice(kinds)
    if kind == "create":
        sandbox.create_issue(project, summary=f"Nr. {dice.random()}", labels=["new"])
    elif kind == "update":
        sandbox.update_issue(issue_id, summary=f"Changed {dice.random()}", priority=dice.choice(["High", "Low"]))
    elif kind == "backdate":
        sandbox.update_issue(issue_id, at=sandbox.now - timedelta(hours=5), summary=f"Earlier {dice.random()}")
    elif kind == "delete":
        sandbox.delete_issue(issue_id)
    elif kind == "move":
        sandbox.move_issue(issue_id, dice.choice(sorted({"10000", "10001", "10002"} - {project})))
    else:
        sandbox.rename_project(project, new_key=f"R{dice.randint(0, 10**6)}")
    return kind


def by_issue(issues):
    """Issues by id without the changelog, whose shape differs between endpoints, but with its ids."""
    return {
        issue["id"]: (issue["key"], issue["fields"], [h["id"] for h in issue["changelog"]["histories"]])
        for issue in issues
    }


def read_all(client, jql):
    """Every issue that a query finds, with its changelog, oldest history first."""
    if client.sandbox.flavour == "datacenter":
        page = client.get("/rest/api/2/search", jql=jql, maxResults=1000, expand="changelog").json()
        assert len(page["issues"]) == page["total"]
        return page["issues"]
    found = []
    params = {"jql": jql, "fields": "*all", "expand": "changelog", "maxResults": 17}
    while True:
        page = client.get("/rest/api/2/search/jql", **params).json()
        found += page["issues"]
        if "nextPageToken" not in page:
            break
        params["nextPageToken"] = page["nextPageToken"]
    for issue in found:
        issue["changelog"]["histories"].reverse()
    return found


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
@pytest.mark.parametrize("seed", [1, 2])
def test_searches_agree_with_the_truth_after_every_kind_of_change(serve, flavour, seed):
    client = serve(flavour, site=generate_site(seed=seed, issues=60, projects=3, max_histories=20))
    client.sandbox.now = START
    dice = random.Random(seed)
    kinds = set()
    for _ in range(6):
        issues = client.sandbox.issues()
        kinds |= {change_something(client.sandbox, dice, issues) for _ in range(10)}
        truth = by_issue(client.sandbox.issues())
        for order in ("created ASC, key ASC", "updated DESC", "key ASC", "priority"):
            found = read_all(client, f"project in (10000, 10001, 10002) ORDER BY {order}")
            assert len(found) == len(truth)
            assert by_issue(found) == truth
    assert kinds >= {"create", "update", "delete", "move", "rename", "backdate"}


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_a_reader_of_what_was_updated_since_its_last_visit_misses_no_update_creation_or_move(serve, flavour):
    def told(issues):
        return {
            issue["id"]: (issue["key"], issue["fields"]["updated"], len(issue["changelog"]["histories"]))
            for issue in issues
        }

    client = serve(flavour, site=generate_site(seed=4, issues=60, projects=3, max_histories=20))
    client.sandbox.now = START
    dice = random.Random(4)
    copy = told(read_all(client, "project in (10000, 10001, 10002) ORDER BY updated ASC, key ASC"))
    for _ in range(8):
        before = dict(copy)
        since = int(client.sandbox.now.timestamp() * 1000) // 60_000 * 60_000
        issues = client.sandbox.issues()
        for _ in range(5):
            change_something(client.sandbox, dice, issues, kinds=("create", "update", "move"))
        jql = f"project in (10000, 10001, 10002) AND updated >= {since} ORDER BY updated ASC, key ASC"
        copy |= told(read_all(client, jql))
        assert copy == told(client.sandbox.issues())
        assert sum(copy.get(key) != before.get(key) for key in copy) == 5

"""A site can be changed while it runs, from Python and by Jira's own write endpoints, and tells of it as Jira does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)


@pytest.fixture(params=["cloud", "datacenter"])
def client(request, serve):
    """A client of either flavour whose site's clock stands still."""
    client = serve(request.param)
    client.sandbox.now = NOON
    return client


def read(client, key):
    """The issue as the site sends it."""
    return client.get(f"/rest/api/2/issue/{key}", expand="changelog").json()


def last_items(client, key):
    """The items of the newest history."""
    return client.sandbox.issue(key)["changelog"]["histories"][-1]["items"]


def test_a_new_issue_is_found_and_has_the_next_number_and_a_higher_id(client):
    before = client.sandbox.issues()
    key = client.sandbox.create_issue("APP", summary="Brand new", assignee="user0@example.com", labels=["x"])
    issue = read(client, key)
    assert int(issue["id"]) > max(int(each["id"]) for each in before)
    assert int(key.split("-")[1]) > max(int(i["key"].split("-")[1]) for i in before if i["key"].startswith("APP-"))
    assert issue["fields"]["summary"] == "Brand new"
    assert issue["fields"]["created"] == issue["fields"]["updated"] == "2026-11-21T12:00:00.250+0000"
    assert client.ids(f"project = APP AND created >= {int(NOON.timestamp() * 1000)}") == [int(issue["id"])]


def test_the_keys_of_a_site_are_those_of_its_issues(client):
    first, *_ = client.sandbox.issues()
    client.sandbox.move_issue(first["key"], "OPS")
    client.sandbox.rename_project("OPS", new_key="RUN")
    keys = client.sandbox.issue_keys()
    assert list(keys.items()) == [(int(issue["id"]), issue["key"]) for issue in client.sandbox.issues()]
    assert keys[int(first["id"])].startswith("RUN-")
    client.sandbox.forbid_project("RUN")
    assert client.sandbox.issue_keys() == {
        issue_id: key for issue_id, key in keys.items() if not key.startswith("RUN-")
    }


def test_a_change_writes_a_history_and_moves_updated(client):
    key = client.sandbox.create_issue("APP", summary="old")
    client.sandbox.advance(timedelta(minutes=5))
    client.sandbox.update_issue(key, summary="new", priority="High")
    issue = client.sandbox.issue(key)
    (history,) = issue["changelog"]["histories"]
    assert issue["fields"]["updated"] == history["created"] == "2026-11-21T12:05:00.250+0000"
    assert [(each["field"], each["fromString"], each["toString"]) for each in history["items"]] == [
        ("summary", "old", "new"),
        ("priority", "Medium", "High"),
    ]


def test_setting_what_is_set_already_leaves_no_trace(client):
    key = client.sandbox.create_issue("APP", summary="same", labels=["a"])
    before = client.sandbox.issue(key)
    client.sandbox.advance(timedelta(minutes=5))
    client.sandbox.update_issue(key, summary="same", labels=["a"], assignee=None, sprint=None, flagged=False)
    assert client.sandbox.issue(key) == before


def test_history_ids_rise(client):
    key = client.sandbox.create_issue("APP", summary="0")
    highest = max(int(h["id"]) for issue in client.sandbox.issues() for h in issue["changelog"]["histories"])
    for number in range(1, 4):
        client.sandbox.update_issue(key, summary=str(number))
    ids = [int(history["id"]) for history in client.sandbox.issue(key)["changelog"]["histories"]]
    assert [highest < each for each in ids] == [True] * 3
    assert ids == sorted(ids)


def test_done_sets_the_resolution_and_reopening_clears_it(client):
    key = client.sandbox.create_issue("APP", summary="x")
    client.sandbox.update_issue(key, status="Done")
    done = client.sandbox.issue(key)["fields"]
    assert done["resolution"]["name"] == "Done"
    assert done["resolutiondate"] == done["statuscategorychangedate"] == done["updated"]
    assert [each["field"] for each in last_items(client, key)] == ["status", "resolution"]
    client.sandbox.advance(timedelta(hours=1))
    client.sandbox.update_issue(key, status="In Progress")
    reopened = client.sandbox.issue(key)["fields"]
    assert (reopened["resolution"], reopened["resolutiondate"]) == (None, None)
    assert reopened["status"]["statusCategory"]["key"] == "indeterminate"


def test_a_project_whose_workflow_sets_no_resolution_leaves_it_empty(client):
    key = client.sandbox.create_issue("ORDER", summary="x")
    client.sandbox.update_issue(key, status="Done")
    assert client.sandbox.issue(key)["fields"]["resolutiondate"] is None
    assert [each["field"] for each in last_items(client, key)] == ["status"]


def test_a_status_name_means_the_projects_own_status(client):
    ids = {}
    for project in ("APP", "ORDER"):
        key = client.sandbox.create_issue(project, summary="x")
        client.sandbox.update_issue(key, status="In Progress")
        ids[project] = client.sandbox.issue(key)["fields"]["status"]["id"]
    assert ids["APP"] != ids["ORDER"]


def test_assignees_are_written_by_account_id_or_key(client):
    key = client.sandbox.create_issue("APP", summary="x")
    client.sandbox.update_issue(key, assignee="user1@example.com")
    person = client.sandbox.issue(key)["fields"]["assignee"]
    identity = person["accountId" if client.sandbox.flavour == "cloud" else "key"]
    (item,) = last_items(client, key)
    assert (item["from"], item["to"], item["toString"]) == (None, identity, person["displayName"])


def test_replacing_a_version_is_two_items_of_one_field(client):
    key = client.sandbox.create_issue("APP", summary="x", fix_versions=["1.0"])
    client.sandbox.update_issue(key, fix_versions=["2.0"])
    pairs = [(each["field"], each["fromString"], each["toString"]) for each in last_items(client, key)]
    assert pairs == [("Fix Version", "1.0", None), ("Fix Version", None, "2.0")]


def test_sprints_keep_the_closed_ones_and_name_all_in_the_history(client):
    sprints = client.get("/rest/agile/1.0/board/10000/sprint").json()["values"]
    closed = next(each for each in sprints if each["state"] == "closed")
    active = client.get("/rest/agile/1.0/board/10000/sprint", state="active").json()["values"][0]
    key = client.sandbox.create_issue("APP", summary="x", sprint=closed["id"])
    client.sandbox.update_issue(key, sprint=active["name"])
    (item,) = last_items(client, key)
    assert (item["from"], item["to"]) == (str(closed["id"]), f"{closed['id']}, {active['id']}")
    assert len(client.sandbox.issue(key)["fields"]["customfield_10020"]) == 2


def test_story_points_go_to_the_projects_field(client):
    fields = {"APP": "customfield_10026", "ORDER": "customfield_10016"}
    for project, field in fields.items():
        key = client.sandbox.create_issue(project, summary="x", story_points=3)
        assert client.sandbox.issue(key)["fields"][field] == 3.0


def test_a_parent_is_a_parent_on_cloud_and_an_epic_link_on_data_center(client):
    epic = client.sandbox.create_issue("APP", summary="epic", issue_type="Epic")
    key = client.sandbox.create_issue("APP", summary="story", issue_type="Story")
    client.sandbox.update_issue(key, parent=epic)
    fields, (item,) = client.sandbox.issue(key)["fields"], last_items(client, key)
    if client.sandbox.flavour == "cloud":
        assert fields["parent"]["key"] == epic
        assert item["field"] == "IssueParentAssociation"
        assert "fieldId" not in item
    else:
        assert fields["customfield_10014"] == epic
        assert item["field"] == "Epic Link"


def test_a_backdated_change_takes_its_place_in_time_and_does_not_move_updated_back(client):
    key = client.sandbox.create_issue("APP", summary="x")
    client.sandbox.update_issue(key, priority="High")
    client.sandbox.update_issue(key, at=NOON - timedelta(hours=1), summary="earlier")
    issue = client.sandbox.issue(key)
    assert issue["fields"]["updated"] == "2026-11-21T12:00:00.250+0000"
    fields = [history["items"][0]["field"] for history in issue["changelog"]["histories"]]
    assert fields == ["summary", "priority"]


def test_a_deleted_issue_is_gone_everywhere(client):
    issue_id = client.sandbox.issue("APP-3")["id"]
    client.sandbox.delete_issue("APP-3")
    assert client.get("/rest/api/2/issue/APP-3").status_code == 404
    assert client.get(f"/rest/api/2/issue/{issue_id}").status_code == 404
    assert int(issue_id) not in client.ids("project = APP")
    assert issue_id not in {issue["id"] for issue in client.sandbox.issues()}


def test_a_moved_issue_keeps_its_id_and_answers_to_its_old_key(client):
    before = client.sandbox.issue("APP-3")
    new_key = client.sandbox.move_issue("APP-3", "OPS")
    assert new_key.startswith("OPS-")
    assert read(client, "APP-3")["key"] == read(client, new_key)["key"] == new_key
    assert read(client, "APP-3")["id"] == before["id"]
    assert int(before["id"]) in client.ids("project = OPS")
    assert int(before["id"]) not in client.ids("project = APP")
    assert client.ids("key = APP-3") == [int(before["id"])]
    items = {each["field"]: (each["fromString"], each["toString"]) for each in last_items(client, new_key)}
    assert items["Key"] == ("APP-3", new_key)
    assert items["project"] == ("Mobile App", "Betrieb & Störungen")


def test_a_move_takes_a_status_of_the_new_workflow(client):
    key = client.sandbox.create_issue("APP", summary="x", status="In Progress")
    moved = client.sandbox.move_issue(key, "OPS")
    assert client.sandbox.issue(moved)["fields"]["status"]["name"] == "In Arbeit"


def test_children_of_a_moved_issue_name_its_new_key(client):
    epic = client.sandbox.create_issue("APP", summary="epic", issue_type="Epic")
    child = client.sandbox.create_issue("APP", summary="child", issue_type="Story", parent=epic)
    before = client.sandbox.issue(child)["fields"]["updated"]
    client.sandbox.advance(timedelta(hours=1))
    new_key = client.sandbox.move_issue(epic, "OPS")
    fields = client.sandbox.issue(child)["fields"]
    shown = fields["parent"]["key"] if client.sandbox.flavour == "cloud" else fields["customfield_10014"]
    assert (shown, fields["updated"]) == (new_key, before)


def test_a_renamed_project_renames_its_issues_without_a_trace(client):
    before = client.sandbox.issue("APP-3")
    client.sandbox.rename_project("APP", new_key="MOB", new_name="Mobile")
    after = read(client, "MOB-3")
    assert after["id"] == before["id"]
    assert (after["fields"]["project"]["key"], after["fields"]["project"]["name"]) == ("MOB", "Mobile")
    assert after["fields"]["updated"] == before["fields"]["updated"]
    assert client.sandbox.issue("MOB-3")["changelog"] == before["changelog"]
    assert read(client, "APP-3")["key"] == "MOB-3"
    assert client.ids("project = APP ORDER BY key") == client.ids("project = MOB ORDER BY key") != []
    parents = [i["fields"]["parent"]["key"] for i in client.sandbox.issues() if i["fields"].get("parent")]
    assert not any(key.startswith("APP-") for key in parents)


def test_a_renamed_user_is_renamed_in_issues_and_authors_but_not_in_item_texts(client):
    key = client.sandbox.create_issue("APP", summary="x")
    client.sandbox.update_issue(key, assignee="user1@example.com", author="user1@example.com")
    old_name = client.sandbox.issue(key)["fields"]["assignee"]["displayName"]
    updated = client.sandbox.issue(key)["fields"]["updated"]
    client.sandbox.rename_user("user1@example.com", display_name="Someone Else")
    issue = client.sandbox.issue(key)
    assert issue["fields"]["assignee"]["displayName"] == "Someone Else"
    assert issue["changelog"]["histories"][-1]["author"]["displayName"] == "Someone Else"
    assert last_items(client, key)[0]["toString"] == old_name
    assert issue["fields"]["updated"] == updated


def test_an_archived_or_trashed_project_drops_out_of_searches(client):
    for leave in (client.sandbox.archive_project, client.sandbox.trash_project):
        leave("OPS")
        assert not any(issue["key"].startswith("OPS-") for issue in client.sandbox.issues())
        client.sandbox.allow_project("OPS")
        assert any(issue["key"].startswith("OPS-") for issue in client.sandbox.issues())


@pytest.mark.parametrize(
    "change", [{"status": "Nowhere"}, {"assignee": "nobody"}, {"sprint": 1}, {"colour": "red"}, {"parent": "APP-0"}]
)
def test_what_the_site_does_not_have_is_refused(client, change):
    with pytest.raises(ValueError, match=r"[Nn]o|not"):
        client.sandbox.update_issue("APP-3", **change)


def test_jiras_own_endpoints_create_edit_transition_and_delete(client):
    fields = {"project": {"key": "APP"}, "summary": "By hand", "issuetype": {"name": "Bug"}}
    answer = client.post("/rest/api/2/issue", fields=fields)
    assert answer.status_code == 201
    key = answer.json()["key"]
    url = f"{client.base}/rest/api/2/issue/{key}"
    edit = client.session.put(url, json={"fields": {"priority": {"name": "Low"}, "fixVersions": [{"name": "9"}]}})
    assert edit.status_code == 204
    offered = client.get(f"/rest/api/2/issue/{key}/transitions").json()["transitions"]
    done = next(each for each in offered if each["name"] == "Done")
    assert client.post(f"/rest/api/2/issue/{key}/transitions", transition={"id": done["id"]}).status_code == 204
    issue = read(client, key)["fields"]
    assert (issue["issuetype"]["name"], issue["priority"]["name"], issue["status"]["name"]) == ("Bug", "Low", "Done")
    assert client.session.delete(url).status_code == 204
    assert client.session.delete(url).status_code == 404


def test_what_jira_has_no_endpoint_for_is_under_sandbox(client):
    root = client.sandbox.url
    moved = client.session.post(f"{root}/sandbox/issues/APP-3/move", json={"project": "OPS"})
    assert moved.json()["key"] == client.sandbox.issue("APP-3")["key"]
    client.session.post(f"{root}/sandbox/projects/OPS/forbid")
    assert client.get("/rest/api/2/issue/APP-3").status_code == 404
    client.session.post(f"{root}/sandbox/projects/OPS/allow")
    assert client.session.get(f"{root}/sandbox/issues").json() == client.sandbox.issues()
    assert "/sandbox/projects/KEY" in client.session.get(f"{root}/sandbox/help").json()["errorMessages"][0]


def test_every_request_is_recorded(client):
    client.sandbox.clear_requests()
    client.get("/rest/api/2/myself")
    client.get("/rest/api/2/issue/APP-1", fields="summary")
    client.post("/rest/api/2/issue", fields={})
    seen = [(each.method, each.path, each.params, each.body, each.status) for each in client.sandbox.requests]
    assert seen == [
        ("GET", "/rest/api/2/myself", {}, None, 200),
        ("GET", "/rest/api/2/issue/APP-1", {"fields": ["summary"]}, None, 200),
        ("POST", "/rest/api/2/issue", {}, {"fields": {}}, 400),
    ]


def test_the_sites_clock_is_told_in_server_info_and_the_date_header(client):
    answer = client.get("/rest/api/2/serverInfo")
    assert answer.json()["serverTime"] == "2026-11-21T12:00:00.250+0000"
    assert answer.headers["Date"] == "Sat, 21 Nov 2026 12:00:00 GMT"

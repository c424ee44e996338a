"""Projects, people, fields, statuses, boards and issues by name, as each flavour lists them."""

from __future__ import annotations

from collections import Counter

import pytest

from jira_pipeline.sandbox import generate_site


@pytest.fixture
def large(serve):
    """A Cloud site with many projects and people."""
    return serve("cloud", site=generate_site(issues=900, projects=130, max_histories=2))


def project_pages(client, **params):
    """All pages of project/search."""
    pages, start = [], 0
    while True:
        page = client.get("/rest/api/3/project/search", startAt=start, **params).json()
        pages.append(page)
        start += len(page["values"])
        if page["isLast"]:
            return pages


def keys(client, **params):
    """The keys that project/search lists."""
    return [project["key"] for page in project_pages(client, **params) for project in page["values"]]


def test_projects_come_in_pages_of_at_most_100(large):
    pages = project_pages(large, maxResults=500)
    assert [len(page["values"]) for page in pages] == [100, 30]
    assert {page["maxResults"] for page in pages} == {100}
    assert {page["total"] for page in pages} == {130}


def test_projects_are_live_unless_asked_otherwise(cloud):
    cloud.sandbox.archive_project("OPS")
    cloud.sandbox.trash_project("WEB")
    assert keys(cloud) == ["APP", "ORDER"]
    assert keys(cloud, status="archived") == ["OPS"]
    assert keys(cloud, status="deleted") == ["WEB"]
    assert keys(cloud, status="live,archived") == keys(cloud, status=["live", "archived"]) == ["APP", "OPS", "ORDER"]


def test_a_project_that_can_be_administered_but_not_browsed_is_listed_by_default_and_cannot_be_searched(cloud):
    cloud.sandbox.forbid_project("OPS")
    assert "OPS" in keys(cloud)
    assert "OPS" not in keys(cloud, action="browse")
    assert cloud.search("project = OPS").status_code == 400
    assert cloud.get("/rest/api/3/project/OPS").status_code == 404


def test_insight_counts_issues_and_tells_the_last_update(cloud):
    (page,) = project_pages(cloud, expand="insight,projectKeys,lead")
    issues = cloud.sandbox.issues()
    for project in page["values"]:
        own = [issue for issue in issues if issue["fields"]["project"]["id"] == project["id"]]
        assert project["insight"]["totalIssueCount"] == len(own)
        assert project["insight"]["lastIssueUpdateTime"] == max(issue["fields"]["updated"] for issue in own)
        assert project["lead"]["accountId"]


def test_former_keys_are_listed_after_a_rename(cloud):
    cloud.sandbox.rename_project("APP", new_key="MOB")
    (page,) = project_pages(cloud, expand="projectKeys")
    assert {p["key"]: p["projectKeys"] for p in page["values"]}["MOB"] == ["MOB", "APP"]
    assert cloud.get("/rest/api/3/project/APP").json()["key"] == "MOB"


def test_the_style_tells_team_managed_projects(cloud):
    (page,) = project_pages(cloud)
    assert {project["key"]: project["style"] for project in page["values"]} == {
        "APP": "classic", "OPS": "classic", "ORDER": "next-gen", "WEB": "classic",
    }  # fmt: skip


def test_pages_of_people_are_shorter_than_asked_though_more_follow(cloud):
    lengths, seen, start = [], [], 0
    while True:
        page = cloud.get("/rest/api/3/users/search", startAt=start, maxResults=4).json()
        if not page:
            break
        lengths.append(len(page))
        seen += [person["accountId"] for person in page]
        start += 4
    assert isinstance(page, list)
    assert any(length < 4 for length in lengths[:-1])
    assert len(seen) == len(set(seen)) == sum(user.account_type != "customer" for user in generate_site().users) + 1


def test_people_include_inactive_ones_apps_and_some_without_email(cloud):
    people = cloud.get("/rest/api/3/users/search", maxResults=1000).json()
    assert {person["active"] for person in people} == {True, False}
    assert {person["accountType"] for person in people} == {"atlassian", "app"}
    assert any("emailAddress" not in person for person in people if person["accountType"] == "atlassian")
    assert max(Counter(person["displayName"] for person in people).values()) == 2


def test_everybody_met_in_issues_is_in_the_directory_or_a_customer(cloud):
    people = {person["accountId"] for person in cloud.get("/rest/api/3/users/search", maxResults=1000).json()}
    met = set()
    for issue in cloud.sandbox.issues():
        met |= {issue["fields"][name]["accountId"] for name in ("reporter", "creator") if issue["fields"][name]}
        met |= {h["author"]["accountId"] for h in issue["changelog"]["histories"] if "author" in h}
    assert met <= people


def test_every_status_of_an_issue_is_listed_with_its_category(cloud, datacenter):
    for client in (cloud, datacenter):
        listed = {each["id"]: each["statusCategory"]["key"] for each in client.get("/rest/api/2/status").json()}
        for issue in client.sandbox.issues():
            status = issue["fields"]["status"]
            assert listed[status["id"]] == status["statusCategory"]["key"]


def test_statuses_of_team_managed_projects_have_a_scope_on_cloud(cloud):
    scoped = [each for each in cloud.get("/rest/api/3/status").json() if "scope" in each]
    assert {each["scope"]["project"]["id"] for each in scoped} == {"10002"}


def test_every_field_of_an_issue_is_listed(cloud):
    listed = {field["id"] for field in cloud.get("/rest/api/3/field").json()}
    used = {name for issue in cloud.sandbox.issues() for name in issue["fields"]}
    assert used - listed <= {
        "aggregatetimespent", "aggregatetimeoriginalestimate", "aggregatetimeestimate", "aggregateprogress", "progress",
    }  # fmt: skip


def test_boards_tell_their_estimation_field_and_their_sprints(cloud):
    boards = cloud.get("/rest/agile/1.0/board", projectKeyOrId="ORDER").json()["values"]
    assert [board["location"]["projectKey"] for board in boards] == ["ORDER"]
    configuration = cloud.get(f"/rest/agile/1.0/board/{boards[0]['id']}/configuration").json()
    assert configuration["estimation"]["field"]["fieldId"] == "customfield_10016"
    sprints = cloud.get(f"/rest/agile/1.0/board/{boards[0]['id']}/sprint").json()
    states = Counter(sprint["state"] for sprint in sprints["values"])
    assert states["active"] == states["future"] == 1
    assert states["closed"] > 10
    future = next(sprint for sprint in sprints["values"] if sprint["state"] == "future")
    assert "startDate" not in future
    assert cloud.get(f"/rest/agile/1.0/sprint/{future['id']}").json() == future


def test_bulk_fetch_reads_up_to_100_issues_past_the_index_and_leaves_out_missing_ones(cloud):
    cloud.sandbox.index_lag_seconds = 3600
    key = cloud.sandbox.create_issue("APP", summary="not indexed yet")
    path = "/rest/api/3/issue/bulkfetch"
    page = cloud.post(path, issueIdsOrKeys=[key, "APP-5", "NOPE-1"], fields=["summary"], expand=["changelog"]).json()
    assert [issue["key"] for issue in page["issues"]] == [key, "APP-5"]
    assert all(issue["changelog"]["maxResults"] <= 40 for issue in page["issues"])
    assert cloud.post(path, issueIdsOrKeys=[str(number) for number in range(101)]).status_code == 400


def test_missing_and_forbidden_issues_look_the_same(cloud):
    cloud.sandbox.forbid_project("OPS")
    missing, forbidden = (cloud.get(f"/rest/api/3/issue/{key}") for key in ("OPS-99999", "OPS-2"))
    assert missing.status_code == forbidden.status_code == 404
    assert missing.content == forbidden.content


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_the_check_of_a_new_projects_key_tells_a_forbidden_project_from_one_that_is_not_there(serve, flavour):
    client = serve(flavour)
    client.sandbox.forbid_project("OPS")

    def errors(key):
        return client.get("/rest/api/2/projectvalidate/key", key=key).json()["errors"]

    assert errors("OPS") == {"projectKey": "A project with that project key already exists."}
    assert errors("NOPE") == {}


def test_an_unknown_address_is_404(cloud):
    assert cloud.get("/rest/api/3/nothing").status_code == 404
    assert cloud.get("/elsewhere").status_code == 404

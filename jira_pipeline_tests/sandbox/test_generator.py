"""Generated sites are the same each time and hold what trips a reader of Jira."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.sandbox.times import to_milliseconds


def truth(site, flavour="cloud", **options):
    """Every issue of a site."""
    return Sandbox(site, flavour, **options).issues()


@pytest.fixture(scope="module")
def issues():
    return truth(generate_site(seed=3, issues=600, max_histories=300))


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_the_same_arguments_give_the_same_bytes(flavour):
    arguments = {"seed": 5, "issues": 80, "payload_bytes": 20_000}
    first, second = (json.dumps(truth(generate_site(**arguments), flavour)) for _ in range(2))
    assert first == second
    assert first != json.dumps(truth(generate_site(**{**arguments, "seed": 6}), flavour))


def test_there_are_as_many_issues_as_asked_in_every_project(issues):
    assert len(issues) == 600
    sizes = Counter(issue["key"].split("-")[0] for issue in issues)
    assert sizes.keys() == {"APP", "OPS", "ORDER", "WEB"}
    assert max(sizes.values()) > 2 * min(sizes.values()) > 20


def test_ids_and_key_numbers_rise_with_the_time_of_creation(issues):
    by_id = sorted(issues, key=lambda issue: int(issue["id"]))
    assert all(a["fields"]["created"] <= b["fields"]["created"] for a, b in pairwise(by_id))
    numbers = [int(issue["key"].split("-")[1]) for issue in by_id if issue["key"].startswith("APP-")]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > len(numbers)


def test_lives_lie_between_start_and_end():
    start, end = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    for issue in truth(generate_site(issues=100, start=start, end=end)):
        times = [issue["fields"]["created"], *(each["created"] for each in issue["changelog"]["histories"])]
        parsed = [datetime.fromisoformat(text) for text in times]
        assert parsed == sorted(set(parsed))
        assert start <= parsed[0]
        assert parsed[-1] < end
        assert datetime.fromisoformat(issue["fields"]["updated"]) == parsed[-1]


def test_creation_is_dense_in_working_hours_and_thin_at_weekends(issues):
    created = [datetime.fromisoformat(issue["fields"]["created"]) for issue in issues]
    assert all(7 <= instant.hour < 19 for instant in created)
    assert 0 < sum(instant.weekday() >= 5 for instant in created) < len(created) / 10


def test_each_project_has_an_issue_with_the_longest_history(issues):
    longest: dict[str, int] = {}
    for issue in issues:
        project = issue["key"].split("-")[0]
        longest[project] = max(longest.get(project, 0), issue["changelog"]["total"])
    assert all(total >= 290 for total in longest.values())
    assert max(longest.values()) <= 300
    mean = sum(issue["changelog"]["total"] for issue in issues) / len(issues)
    assert 6 < mean < 25


def category_of():
    """The category of every status, the deleted one included."""
    return {status.id: status.category for status in generate_site(issues=1).statuses} | {"9990": "indeterminate"}


def test_the_status_history_leads_to_the_status(issues):
    checked = 0
    for issue in issues:
        moves = [i for h in issue["changelog"]["histories"] for i in h["items"] if i["field"] == "status"]
        assert all(earlier["to"] == later["from"] for earlier, later in pairwise(moves))
        if moves:
            checked += 1
            assert moves[-1]["to"] == issue["fields"]["status"]["id"]
    assert checked > 400


@pytest.mark.parametrize(
    ("field", "current"),
    [
        ("assignee", lambda f: f["assignee"] and f["assignee"]["accountId"]),
        ("resolution", lambda f: f["resolution"] and f["resolution"]["id"]),
        ("Sprint", lambda f: ", ".join(str(s["id"]) for s in f["customfield_10020"] or [])),
    ],
)
def test_other_histories_lead_to_the_value_too(issues, field, current):
    checked = 0
    for issue in issues:
        changes = [i for h in issue["changelog"]["histories"] for i in h["items"] if i["field"] == field]
        assert all(earlier["to"] == later["from"] for earlier, later in pairwise(changes))
        if changes:
            checked += 1
            assert changes[-1]["to"] == current(issue["fields"])
    assert checked > 50


def categories(issue, by_id):
    moves = [i for h in issue["changelog"]["histories"] for i in h["items"] if i["field"] == "status"]
    return [(by_id[each["from"]], by_id[each["to"]]) for each in moves]


def test_the_status_category_changed_when_the_history_says_so(issues):
    by_id = category_of()
    for issue in issues:
        changed = issue["fields"]["created"]
        for history in issue["changelog"]["histories"]:
            moves = [item for item in history["items"] if item["field"] == "status"]
            if any(by_id[item["from"]] != by_id[item["to"]] for item in moves):
                changed = history["created"]
        assert issue["fields"]["statuscategorychangedate"] == changed


def test_there_are_reopenings_steps_back_and_shortcuts(issues):
    by_id = category_of()
    kinds = Counter(pair for issue in issues for pair in categories(issue, by_id))
    for pair in (("done", "new"), ("done", "indeterminate"), ("indeterminate", "new"), ("new", "done")):
        assert kinds[pair] >= 3, pair


def test_types_include_epics_and_sub_tasks_with_parents_of_the_same_project(issues):
    by_key = {issue["key"]: issue for issue in issues}
    types = Counter(issue["fields"]["issuetype"]["name"] for issue in issues)
    assert types.keys() == {"Epic", "Story", "Task", "Bug", "Sub-task"}
    children = [issue for issue in issues if issue["fields"].get("parent")]
    for child in children:
        parent = by_key[child["fields"]["parent"]["key"]]
        assert parent["id"] == child["fields"]["parent"]["id"]
        assert parent["key"].split("-")[0] == child["key"].split("-")[0]
        subtask = child["fields"]["issuetype"]["subtask"]
        assert parent["fields"]["issuetype"]["name"] == ("Story" if subtask else "Epic")
    assert all(issue in children for issue in issues if issue["fields"]["issuetype"]["subtask"])


def test_story_points_lie_in_the_field_of_the_project_and_are_sometimes_zero_or_unset(issues):
    def used(project, field):
        return {i["fields"][field] for i in issues if i["key"].startswith(project + "-")} - {None}

    assert used("APP", "customfield_10026") >= {0.0, 0.5, 8.0}
    assert not used("APP", "customfield_10016")
    assert used("ORDER", "customfield_10016")
    assert not used("ORDER", "customfield_10026")
    assert used("WEB", "customfield_10016")
    assert used("WEB", "customfield_10026")
    assert not used("OPS", "customfield_10016") | used("OPS", "customfield_10026")


def test_team_managed_projects_resolve_nothing(issues):
    done = [i["fields"] for i in issues if i["fields"]["status"]["statusCategory"]["key"] == "done"]
    for fields in done:
        assert (fields["resolutiondate"] is None) == (fields["project"]["key"] == "ORDER")
    assert sum(fields["project"]["key"] == "ORDER" for fields in done) > 10


def test_sprints_are_planned_before_they_start_and_what_they_leave_is_taken_into_the_next():
    site = generate_site(seed=3, issues=600)
    sprints = {sprint.id: sprint for sprint in site.sprints}
    committed: Counter[int] = Counter()
    carried_over = 0
    for issue in truth(site):
        for history in issue["changelog"]["histories"]:
            at = to_milliseconds(datetime.fromisoformat(history["created"]))
            for item in (item for item in history["items"] if item["field"] == "Sprint"):
                *former, entered = (sprints[int(each)] for each in item["to"].split(", "))
                if entered.state != "future":
                    assert at <= entered.end, "nobody plans what is over"
                    committed[entered.id] += at <= entered.start
                    carried_over += at == entered.start and bool(former) and former[-1].end == at
    assert carried_over > 50
    recent = [sprint.id for sprint in site.sprints if sprint.state != "future"]
    assert sum(committed[sprint] > 0 for sprint in recent) > len(recent) / 2


def test_one_field_comes_twice_in_one_history_and_some_authors_are_unknown(issues):
    histories = [history for issue in issues for history in issue["changelog"]["histories"]]
    twice = [h for h in histories if max(Counter(item["field"] for item in h["items"]).values()) > 1]
    assert len(twice) > 5
    assert any("author" not in history for history in histories)
    assert any(history.get("author", {}).get("accountType") == "app" for history in histories)


def test_the_people_are_of_every_kind():
    users = generate_site(issues=500).users
    assert {user.account_type for user in users} == {"atlassian", "app", "customer"}
    assert {user.active for user in users} == {True, False}
    assert any(user.email is None for user in users if user.account_type == "atlassian" and user.active)
    assert max(Counter(user.display_name for user in users).values()) == 2
    assert any(not user.display_name.isascii() for user in users)
    assert len({user.account_id for user in users}) == len({user.key for user in users}) == len(users)


def test_status_names_repeat_over_team_managed_projects_and_are_partly_localised():
    statuses = generate_site(issues=1).statuses
    names = Counter(status.name for status in statuses)
    assert names["In Progress"] == 2
    assert {"Wartet auf Kunde", "Abandonné"} <= names.keys()
    assert Counter(status.category for status in statuses)["done"] > 4


def test_histories_name_a_deleted_status_and_former_names_of_statuses(issues):
    listed = {status.id: status.name for status in generate_site(issues=1).statuses}
    histories = [history for issue in issues for history in issue["changelog"]["histories"]]
    moves = [item for history in histories for item in history["items"] if item["field"] == "status"]
    assert {each["to"] for each in moves} - listed.keys() == {"9990"}
    assert "9990" not in {issue["fields"]["status"]["id"] for issue in issues}
    renamed = {each["toString"] for each in moves if listed.get(each["to"]) not in (None, each["toString"])}
    assert renamed == {"Peer Review", "In Bearbeitung"}


def test_text_holds_emoji_quotes_and_what_a_spreadsheet_takes_for_a_formula(issues):
    text = " ".join(f"{issue['fields']['summary']} {issue['fields']['description']}" for issue in issues)
    for part in ("💳", '"exact"', "=SUM(", "\\", "<b>", "日本語", "Ü"):
        assert part in text, part


def test_issues_are_padded_to_about_the_asked_size():
    padded = truth(generate_site(issues=200, payload_bytes=24_000))
    sizes = [len(json.dumps(issue, ensure_ascii=False, separators=(",", ":")).encode()) for issue in padded]
    assert 20_000 < sum(sizes) / len(sizes) < 28_000
    assert len(set(sizes)) > 100


def test_padding_is_a_field_like_any_other(serve):
    client = serve("cloud", site=generate_site(issues=20, payload_bytes=30_000))
    jql = "project = 10000 ORDER BY key"
    whole = client.get("/rest/api/2/search/jql", jql=jql, fields="*all").json()["issues"]
    (field,) = {name for issue in whole for name, value in issue["fields"].items() if len(str(value)) > 5000}
    for version in (2, 3):
        named = client.get(f"/rest/api/{version}/search/jql", jql=jql, fields=field).json()["issues"]
        assert [i["fields"].get(field) for i in named] == [i["fields"].get(field) for i in whole]


def test_padding_differs_from_issue_to_issue_and_stays_when_an_issue_changes():
    sandbox = Sandbox(generate_site(issues=60, payload_bytes=30_000), "cloud")
    texts = {issue["key"]: issue["fields"].get("customfield_19999") for issue in sandbox.issues()}
    before = {key: text for key, text in texts.items() if text}
    assert len(before) > 30
    assert len({text[:100] for text in before.values()}) > len(before) * 0.8
    for key, text in before.items():
        sandbox.update_issue(key, at=datetime(2027, 1, 1, tzinfo=UTC), summary="changed")
        assert sandbox.issue(key)["fields"]["customfield_19999"] == text


def test_an_issue_does_not_depend_on_the_order_in_which_issues_are_read():
    site = generate_site(issues=30, payload_bytes=20_000)
    forwards, backwards = Sandbox(site, "cloud"), Sandbox(site, "cloud")
    ids = [str(issue.id) for issue in site.issues]
    assert [forwards.issue(each) for each in ids] == [backwards.issue(each) for each in ids[::-1]][::-1]


def test_many_projects_have_keys_and_sprints_of_their_own():
    site = generate_site(issues=300, projects=30, end=datetime(2026, 11, 20, tzinfo=UTC) - timedelta(days=1))
    assert len({project.key for project in site.projects}) == 30
    assert len({sprint.id for sprint in site.sprints}) == len(site.sprints)
    assert {issue.project_id for issue in site.issues} == {project.id for project in site.projects}

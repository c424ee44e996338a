"""JQL means what it means in Jira, where extractors use it and where they go wrong."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest


def created(client, key):
    return datetime.fromisoformat(client.sandbox.issue(key)["fields"]["created"])


def milliseconds(instant):
    return int(instant.timestamp() * 1000)


def refusal(client, jql):
    """The message with which a query is refused."""
    path = "/rest/api/3/search/jql" if client.sandbox.flavour == "cloud" else "/rest/api/2/search"
    answer = client.get(path, jql=jql)
    assert answer.status_code == 400, answer.text
    (message,) = answer.json()["errorMessages"]
    return message


@pytest.mark.parametrize("name", ["APP", '"APP"', "app", "10000", '"10000"', '"Mobile App"'])
def test_a_project_goes_by_key_name_or_id(cloud, name):
    assert cloud.ids(f"project = {name} ORDER BY key") == cloud.ids("project = 10000 ORDER BY key") != []


def test_a_key_that_is_a_reserved_word_must_be_quoted(cloud):
    assert "reserved JQL word" in refusal(cloud, "project = ORDER")
    assert cloud.ids('project = "ORDER"') != []


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("project in (APP, NOPE)", "The value 'NOPE' does not exist for the field 'project'."),
        ("project = 4711", "A value with ID '4711' does not exist for the field 'project'."),
        ("project = APP AND flavour = x", "Field 'flavour' does not exist or you do not have permission to view it."),
        ("project = APP ORDER BY flavour", "Field 'flavour' does not exist or you do not have permission to view it."),
    ],
)
def test_an_unknown_name_refuses_the_whole_query(cloud, jql, message):
    assert refusal(cloud, jql) == message


def test_a_forbidden_project_cannot_be_told_from_one_that_does_not_exist(cloud):
    cloud.sandbox.forbid_project("OPS")
    assert refusal(cloud, "project in (APP, OPS)") == "The value 'OPS' does not exist for the field 'project'."
    assert all(not issue["key"].startswith("OPS-") for issue in cloud.sandbox.issues())
    cloud.sandbox.allow_project("OPS")
    assert cloud.ids("project = OPS") != []


@pytest.mark.parametrize(
    "jql",
    ["project =", "project APP", "project = APP AND", "(project = APP", "project = APP )", "project in APP",
     "project = APP ORDER key", "status was Done", 'summary > "a" AND project = APP', "project = APP; drop",
     "created >= yesterday", 'created >= "2026-13-01"', 'created >= "2026-11-01 10:00:00"',
     "updated >= '2026-11-01T10:00:00Z'"],
)  # fmt: skip
def test_what_jira_does_not_understand_is_refused(datacenter, jql):
    assert refusal(datacenter, jql)


def test_a_bare_number_is_epoch_milliseconds(cloud):
    instant = created(cloud, "APP-5")
    (issue,) = cloud.search(f"project = APP AND created = {milliseconds(instant)}", fields="key").json()["issues"]
    assert issue["key"] == "APP-5"
    assert cloud.ids(f"project = APP AND created > {milliseconds(instant)} AND key = APP-5") == []


def test_quoted_dates_are_wall_clock_of_the_accounts_zone(serve):
    instant = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "America/St_Johns"):
        client = serve("cloud", account_time_zone=zone)
        client.sandbox.create_issue("APP", at=instant, summary="at noon, UTC")
        wall = instant.astimezone(ZoneInfo(zone))
        for pattern in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M"):
            assert len(client.ids(f'project = APP AND created >= "{wall.strftime(pattern)}"')) == 1, zone
            later = (wall + timedelta(minutes=1)).strftime(pattern)
            assert client.ids(f'project = APP AND created >= "{later}"') == [], zone
        assert client.get("/rest/api/3/myself").json()["timeZone"] == zone


def test_a_date_without_a_time_is_midnight_of_the_accounts_zone(serve):
    client = serve("cloud", account_time_zone="America/New_York")
    before, after = (datetime(2026, 11, 21, 4, 59, tzinfo=UTC), datetime(2026, 11, 21, 5, 0, tzinfo=UTC))
    client.sandbox.create_issue("APP", at=before, summary="still the 20th in New York")
    client.sandbox.create_issue("APP", at=after, summary="the 21st")
    assert len(client.ids('project = APP AND created >= "2026-11-21"')) == 1


def test_a_wall_time_that_a_dst_change_skips_is_refused(serve):
    client = serve("cloud", account_time_zone="Europe/Berlin")
    assert "invalid" in refusal(client, 'project = APP AND updated >= "2026-03-29 02:30"')
    assert client.search('project = APP AND updated >= "2026-03-29 03:00"').status_code == 200


def test_a_wall_time_that_occurs_twice_is_the_later_one(serve):
    client = serve("cloud", account_time_zone="Europe/Berlin")
    for hour in (0, 1):
        client.sandbox.create_issue("APP", at=datetime(2026, 10, 25, hour, 30, tzinfo=UTC), summary="half past two")
    assert len(client.ids('project = APP AND created = "2026-10-25 02:30"')) == 1
    (issue,) = client.search('created = "2026-10-25 02:30"', fields="created").json()["issues"]
    assert issue["fields"]["created"] == "2026-10-25T02:30:00.000+0100"


def test_timestamps_bear_the_offset_of_the_accounts_zone(serve):
    texts = {}
    for zone in ("UTC", "Asia/Kolkata"):
        texts[zone] = serve("cloud", account_time_zone=zone).sandbox.issue("APP-5")["fields"]["created"]
    assert texts["Asia/Kolkata"].endswith("+0530")
    assert datetime.fromisoformat(texts["UTC"]) == datetime.fromisoformat(texts["Asia/Kolkata"])


def test_relative_dates_count_from_the_sites_clock(cloud):
    cloud.sandbox.now = datetime(2027, 1, 10, tzinfo=UTC)
    cloud.sandbox.create_issue("APP", summary="now")
    cloud.sandbox.now = datetime(2027, 1, 12, tzinfo=UTC)
    assert len(cloud.ids("project = APP AND created >= -3d")) == 1
    assert cloud.ids("project = APP AND created >= -1d") == []


def test_id_greater_than_compares_key_numbers_inside_the_anchors_project(cloud):
    anchor = cloud.sandbox.issue("APP-40")
    found = cloud.search(f"id > {anchor['id']}", fields="key", maxResults=5000).json()["issues"]
    numbers = [int(issue["key"].removeprefix("APP-")) for issue in found]
    assert min(numbers) > 40
    truth = [issue["key"] for issue in cloud.sandbox.issues() if issue["key"].startswith("APP-")]
    assert len(numbers) == sum(int(key.split("-")[1]) > 40 for key in truth)


@pytest.mark.parametrize("anchor", ["0", "99999999", "NOPE-1"])
def test_id_greater_than_an_issue_that_does_not_exist_finds_nothing(cloud, anchor):
    assert cloud.ids(f'project = APP AND id > "{anchor}"') == []


def test_a_walk_by_id_ends_early_when_its_anchor_is_deleted(cloud):
    first = cloud.ids("project = APP ORDER BY id ASC")
    cloud.sandbox.delete_issue(str(first[10]))
    assert cloud.ids(f"project = APP AND id > {first[10]} ORDER BY id ASC") == []


def test_empty_is_neither_equal_nor_unequal(cloud):
    def count(condition):
        return len(cloud.ids(f"project = APP AND {condition}"))

    assert count("resolution = Done") > 0
    assert count("resolution is EMPTY") > 0
    everything = len(cloud.ids("project = APP"))
    assert count("resolution = Done") + count("resolution != Done") + count("resolution is EMPTY") == everything


def test_status_category_and_status_agree(cloud):
    done = cloud.ids("project = APP AND statusCategory = Done ORDER BY key")
    by_status = cloud.ids("""project = APP AND (status = Done OR status = "Won't Do") ORDER BY key""")
    assert done == by_status != []


def test_sprints_labels_people_and_custom_fields_can_be_asked_for(cloud):
    issues = cloud.sandbox.issues()
    sprint = next(i["fields"]["customfield_10020"][0] for i in issues if i["fields"]["customfield_10020"])
    expected = [i for i in issues if any(s["id"] == sprint["id"] for s in i["fields"]["customfield_10020"] or [])]
    for jql in (f"sprint = {sprint['id']}", f'Sprint = "{sprint["name"]}"', f"cf[10020] in ({sprint['id']})"):
        assert sorted(cloud.ids(jql)) == [int(issue["id"]) for issue in expected]
    for jql, matches in (
        ("labels = backend", lambda f: "backend" in f["labels"]),
        ("type = Bug", lambda f: f["issuetype"]["name"] == "Bug"),
        ("assignee is EMPTY", lambda f: f["assignee"] is None),
        ('"Story Points" >= 5', lambda f: (f["customfield_10026"] or 0) >= 5),
    ):
        assert sorted(cloud.ids(jql)) == [int(i["id"]) for i in issues if matches(i["fields"])] != [], jql


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_any_mix_of_conditions_and_orders_agrees_with_going_through_all_issues(serve, flavour):
    client = serve(flavour, account_time_zone="America/St_Johns")
    dice = random.Random(99)
    issues = client.sandbox.issues()
    step = 1000 if flavour == "datacenter" else 1

    def instant(issue, field):
        return milliseconds(datetime.fromisoformat(issue["fields"][field])) // step

    def place(issue):
        project, number = issue["key"].rsplit("-", 1)
        return project, int(number)

    nonempty = 0
    for _ in range(80):
        projects = dice.sample(["APP", "OPS", '"ORDER"', "WEB"], dice.randint(1, 4))
        field, other = dice.sample(["created", "updated"], 2)
        low, high = sorted(milliseconds(datetime.fromisoformat(dice.choice(issues)["fields"][field])) for _ in "ab")
        conditions = [(f"project in ({', '.join(projects)})", lambda i, p=projects: f'"{place(i)[0]}"' in p
                       or place(i)[0] in p)]  # fmt: skip
        if dice.random() < 0.7:
            conditions.append((f"{field} >= {low}", lambda i, f=field, v=low: instant(i, f) >= v // step))
        if dice.random() < 0.5:
            conditions.append((f"{field} < {high}", lambda i, f=field, v=high: instant(i, f) < v // step))
        if dice.random() < 0.3:
            conditions.append((f"{other} > {low}", lambda i, f=other, v=low: instant(i, f) > v // step))
        if dice.random() < 0.3:
            conditions.append(("type != Bug", lambda i: i["fields"]["issuetype"]["name"] != "Bug"))
        order, direction = dice.choice([field, other, "key"]), dice.choice(["ASC", "DESC"])
        tie = direction if dice.random() < 0.7 else "ASC"
        jql = " AND ".join(text for text, _ in conditions) + f" ORDER BY {order} {direction}, key {tie}"
        expected = [issue for issue in issues if all(test(issue) for _, test in conditions)]
        expected.sort(key=place, reverse=tie == "DESC")
        if order == "key":
            expected.sort(key=place, reverse=direction == "DESC")
        else:
            expected.sort(key=lambda issue, f=order: instant(issue, f), reverse=direction == "DESC")
        assert client.ids(jql) == [int(issue["id"]) for issue in expected], jql
        nonempty += bool(expected)
    assert nonempty > 50

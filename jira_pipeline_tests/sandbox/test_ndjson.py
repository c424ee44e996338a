"""Files of issues are served as they are, and what surrounds the issues is inferred from them."""

from __future__ import annotations

import gzip
import json

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.sandbox import Sandbox, load_ndjson

PERSON = {"name": "avery", "key": "JIRAUSER1", "displayName": "Avery", "active": False, "extra": [1, {"a": None}]}
CLOUD_PERSON = {"accountId": "557058:1", "displayName": "Avery", "active": True, "accountType": "atlassian"}


def issue(number, *, person=PERSON, project=("10", "AB"), histories=None, **fields):
    """A small issue as a search returns it."""
    status = {"id": "3", "name": "Doing", "statusCategory": {"id": 4, "key": "indeterminate", "name": "In Progress"}}
    return {
        "expand": "changelog",
        "id": str(1000 + number),
        "key": f"{project[1]}-{number}",
        "fields": {
            "project": {"id": project[0], "key": project[1], "name": f"Project {project[1]}"},
            "summary": f"Nr. {number}",
            "created": f"2020-01-0{number}T10:00:00.000-0500",
            "updated": f"2020-02-0{number}T10:00:00.000-0500",
            "status": status,
            "assignee": person,
            "description": None,
            "customfield_10000": {"nobody": "knows", "this": [1.50, "ü"]},
            **fields,
        },
        **({} if histories is None else {"changelog": {"total": len(histories), "histories": histories}}),
    }


def history(number, created):
    return {"id": str(number), "created": created, "author": PERSON | {"key": "JIRAUSER2", "name": "b"}, "items": []}


def write(path, issues):
    path.write_text("\n".join(json.dumps(each) for each in issues) + "\n\n", encoding="utf-8")
    return path


def test_issues_are_sent_exactly_as_in_the_file(tmp_path, serve):
    issues = [issue(number) for number in range(1, 6)]
    client = serve(None, site=load_ndjson(write(tmp_path / "a.ndjson", issues)))
    assert client.sandbox.flavour == "datacenter"
    page = client.get("/rest/api/2/search", jql="project = AB ORDER BY key ASC", maxResults=100).json()
    assert [each["fields"] for each in page["issues"]] == [each["fields"] for each in issues]
    assert [each["id"] for each in page["issues"]] == [each["id"] for each in issues]


def test_compressed_files_and_several_files_are_read_too(tmp_path):
    plain = write(tmp_path / "a.ndjson", [issue(1)])
    packed = tmp_path / "b.ndjson.gz"
    packed.write_bytes(gzip.compress(json.dumps(issue(2, project=("11", "CD"))).encode()))
    site = load_ndjson([plain, packed])
    assert [project.key for project in site.projects] == ["AB", "CD"]
    assert len(site.issues) == 2


def test_histories_are_oldest_first_whatever_their_order_in_the_file(tmp_path):
    newest_first = [history(12, "2020-01-03T00:00:00.000+0000"), history(11, "2020-01-02T00:00:00.000+0000")]
    sandbox = Sandbox(load_ndjson(write(tmp_path / "a.ndjson", [issue(1, histories=newest_first)])))
    assert [each["id"] for each in sandbox.issues()[0]["changelog"]["histories"]] == ["11", "12"]


def test_people_statuses_and_fields_are_inferred(tmp_path):
    moved = [{**history(1, "2020-01-02T00:00:00.000+0000"), "items": [{"field": "status", "from": "1", "to": "3"}]}]
    site = load_ndjson(write(tmp_path / "a.ndjson", [issue(1, histories=moved)]))
    assert {user.key for user in site.users} == {"JIRAUSER1", "JIRAUSER2"}
    assert {status.id: status.category for status in site.statuses} == {"1": "new", "3": "indeterminate"}
    assert {"summary", "customfield_10000"} <= {field["id"] for field in site.fields}


def test_people_with_account_ids_make_it_a_cloud_site(tmp_path):
    assert load_ndjson(write(tmp_path / "a.ndjson", [issue(1, person=CLOUD_PERSON)])).flavour == "cloud"


def test_a_field_catalogue_may_come_with_the_file(tmp_path):
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps([{"id": "customfield_10000", "name": "Riddle", "schema": {"type": "any"}}]))
    site = load_ndjson(write(tmp_path / "a.ndjson", [issue(1)]), fields_file=fields)
    assert [field["name"] for field in site.fields] == ["Riddle"]


def test_a_document_stays_a_document_in_version_3_and_becomes_text_in_version_2(tmp_path, serve):
    document = {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": "Hello "}, {"type": "emoji",
                                               "attrs": {"shortName": ":wave:"}}]},
            {"type": "bulletList", "content": [{"type": "listItem", "content": [
                {"type": "paragraph", "content": [{"type": "text", "text": "item"}]}]}]},
        ],
    }  # fmt: skip
    path = write(tmp_path / "a.ndjson", [issue(1, person=CLOUD_PERSON, description=document)])
    client = serve("cloud", site=load_ndjson(path))
    by_version = {
        version: client.get(f"/rest/api/{version}/issue/AB-1").json()["fields"]["description"] for version in (2, 3)
    }
    assert by_version == {2: "Hello :wave:\nitem", 3: document}


@pytest.mark.parametrize(
    ("text", "place"),
    [("not json", "line 2"), ('{"id": "1", "key": "A-1"}', "line 2"), ('{"id":"x","key":"A-1","fields":{}}', "line 2")],
)
def test_what_is_not_an_issue_is_named_by_file_and_line(tmp_path, text, place):
    path = tmp_path / "bad.ndjson"
    path.write_text(json.dumps(issue(1)) + "\n" + text + "\n")
    with pytest.raises(SettingsError, match=f"bad.ndjson, {place}"):
        load_ndjson(path)


def test_a_missing_or_damaged_file_is_named(tmp_path):
    damaged = tmp_path / "cut.ndjson.gz"
    damaged.write_bytes(gzip.compress(b'{"id": 1}' * 1000)[:-20])
    for path in (tmp_path / "missing.ndjson", damaged):
        with pytest.raises(SettingsError, match=path.name):
            load_ndjson(path)


@pytest.mark.parametrize(
    ("name", "issues", "histories", "items"),
    [
        ("seanalytics-apache", 442, 1877, 2842),
        ("kaszaq-aww-before", 135, 1052, 1528),
        ("actionableagile", 25, 89, 93),
        ("grid2print", 50, 0, 0),
    ],
)
@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_real_files_are_served_whole(shared, serve, flavour, name, issues, histories, items):
    path = shared / "data" / f"{name}.ndjson.gz"
    client = serve(flavour, site=load_ndjson(path))
    keys = ", ".join(sorted({issue["fields"]["project"]["id"] for issue in client.sandbox.issues()}))
    served = []
    jql = f"project in ({keys}) ORDER BY updated ASC, key ASC"
    if flavour == "cloud":
        for page in client.walk(jql, fields="*all", maxResults=100):
            served += page
    else:
        served = client.get("/rest/api/2/search", jql=jql, maxResults=1000).json()["issues"]
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        source = {each["id"]: each for each in map(json.loads, lines)}
    assert len(served) == len(source) == issues
    for each in served:
        expected = source[each["id"]]["fields"]
        for field in ("status", "assignee", "created", "updated", "resolutiondate"):
            assert each["fields"].get(field) == expected.get(field)
    truth = client.sandbox.issues()
    assert sum(each["changelog"]["total"] for each in truth) == histories
    assert sum(len(h["items"]) for each in truth for h in each["changelog"]["histories"]) == items

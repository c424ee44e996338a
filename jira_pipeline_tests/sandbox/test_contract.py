"""The names in the sandbox's answers are those of Atlassian's OpenAPI documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

MEASURED = {
    "search/jql": {"warnings"},
    "myself": {"locale", "key", "name", "applicationRoles", "groups"},
    "field": {"untranslatedName"},
    "project/search": {"projectKeys"},
    "search": {"expand"},
    "issue/{issueIdOrKey}": {"expand"},
}
"""What live sites send beyond their OpenAPI document."""


class Document:
    """An OpenAPI document, asked for the names that an answer may hold."""

    def __init__(self, path):
        self.root = json.loads(path.read_text(encoding="utf-8"))

    def answer_schema(self, path: str, method: str) -> dict[str, Any]:
        responses = self.root["paths"][path][method]["responses"]
        response = responses.get("200") or responses["default"]
        return response["content"]["application/json"]["schema"]

    def unknown_names(self, value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
        """Names in a value that its schema does not have, down to where the document stops describing."""
        schema = next(iter(schema.get("allOf", [schema])))
        if "$ref" in schema:
            schema = self.root["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if isinstance(value, list):
            found = [name for each in value for name in self.unknown_names(each, schema.get("items", {}), place + "[]")]
            return sorted(set(found))
        properties = schema.get("properties")
        if not isinstance(value, dict) or not properties or place.endswith(".fields"):
            return []
        found = [f"{place}.{name}" for name in value if name not in properties]
        for name in value.keys() & properties.keys():
            found += self.unknown_names(value[name], properties[name], f"{place}.{name}")
        return sorted(set(found))


@pytest.fixture(scope="module")
def cloud_document(shared):
    return Document(shared / "facts" / "openapi-cloud-v3.json")


@pytest.fixture(scope="module")
def datacenter_document(shared):
    return Document(shared / "facts" / "openapi-dc-10.3.json")


CLOUD = [
    ("get", "/search/jql", {"jql": "project = APP", "fields": "*all", "expand": "changelog,names"}),
    ("post", "/search/jql", {"jql": "project = APP", "fields": ["*all"]}),
    ("post", "/search/approximate-count", {"jql": "project = APP"}),
    ("post", "/changelog/bulkfetch", {"issueIdsOrKeys": ["APP-1", "APP-2"], "maxResults": 5}),
    ("post", "/issue/bulkfetch", {"issueIdsOrKeys": ["APP-1"], "expand": ["changelog"]}),
    ("get", "/issue/{issueIdOrKey}/changelog", {}),
    ("get", "/issue/{issueIdOrKey}", {"expand": "changelog"}),
    ("get", "/project/search", {"expand": "insight,lead,projectKeys"}),
    ("get", "/users/search", {}),
    ("get", "/projectvalidate/key", {"key": "APP"}),
    ("get", "/myself", {}),
    ("get", "/status", {}),
    ("get", "/field", {}),
    ("get", "/serverInfo", {}),
]


@pytest.mark.parametrize(("method", "path", "sent"), CLOUD, ids=lambda value: value if isinstance(value, str) else "")
def test_cloud_answers_hold_documented_names_only(cloud, cloud_document, method, path, sent):
    address = "/rest/api/3" + path.replace("{issueIdOrKey}", "APP-1")
    answer = cloud.get(address, **sent) if method == "get" else cloud.post(address, **sent)
    assert answer.status_code == 200, answer.text
    schema = cloud_document.answer_schema("/rest/api/3" + path, method)
    allowed = MEASURED.get(path.strip("/"), set())
    unknown = cloud_document.unknown_names(answer.json(), schema)
    assert [name for name in unknown if name.rpartition(".")[2] not in allowed] == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/search", {"jql": "project = APP", "expand": "changelog"}),
        ("/user/list", {"maxResults": 3}),
        ("/issue/{issueIdOrKey}", {"expand": "changelog"}),
        ("/serverInfo", {}),
        ("/myself", {}),
    ],
)
def test_data_center_answers_hold_documented_names_only(datacenter, datacenter_document, path, params):
    answer = datacenter.get("/rest/api/2" + path.replace("{issueIdOrKey}", "APP-1"), **params)
    assert answer.status_code == 200, answer.text
    schema = datacenter_document.answer_schema("/api/2" + path, "get")
    unknown = datacenter_document.unknown_names(answer.json(), schema)
    allowed = MEASURED.get(path.strip("/"), set())
    assert [name for name in unknown if name.rpartition(".")[2] not in allowed] == []


def test_the_comparison_notices_a_name_that_is_not_documented(cloud, cloud_document):
    schema = cloud_document.answer_schema("/rest/api/3/search/jql", "get")
    page = cloud.search("project = APP", fields="*all", expand="changelog").json()
    page["issues"][0]["changelog"]["historys"] = []
    assert cloud_document.unknown_names(page, schema) == [".issues[].changelog.historys"]

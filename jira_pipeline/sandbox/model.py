"""What a Jira site consists of, as the generator makes it and as files are read into it.

Everything here is data at rest. `site.Site` is the running site that is built from it and that changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any, Literal, Protocol

Flavour = Literal["cloud", "datacenter"]
JsonObject = dict[str, Any]

SELF_BASE = "https://sandbox.atlassian.net"
"""Host of every generated `self` link. On purpose not the address that is served: clients must not follow them."""

STATUS_CATEGORIES: dict[str, JsonObject] = {
    key: {
        "self": f"{SELF_BASE}/rest/api/2/statuscategory/{number}",
        "id": number,
        "key": key,
        "colorName": colour,
        "name": name,
    }
    for key, number, colour, name in (
        ("undefined", 1, "medium-gray", "No Category"),
        ("new", 2, "blue-gray", "To Do"),
        ("done", 3, "green", "Done"),
        ("indeterminate", 4, "yellow", "In Progress"),
    )
}


@dataclass(frozen=True)
class Form:
    """How a site writes its issues: users and sprints by flavour, instants with the offset of the account's zone."""

    flavour: Flavour = "cloud"
    zone: tzinfo = UTC


@dataclass(frozen=True)
class User:
    """A user of either flavour; `original` is the object of a loaded file and is then sent as it is."""

    account_id: str
    key: str
    name: str
    display_name: str
    email: str | None = None
    active: bool = True
    account_type: str = "atlassian"
    time_zone: str = "Etc/UTC"
    original: JsonObject | None = None

    def as_json(self, flavour: Flavour) -> JsonObject:
        """The user object inside issues and histories: accountId on Cloud, key and name on Data Center."""
        if self.original is not None:
            return self.original
        person: JsonObject = {}
        if flavour == "cloud":
            person["self"] = f"{SELF_BASE}/rest/api/2/user?accountId={self.account_id}"
            person["accountId"] = self.account_id
        else:
            person["self"] = f"{SELF_BASE}/rest/api/2/user?username={self.name}"
            person["name"] = self.name
            person["key"] = self.key
        if self.email is not None:
            person["emailAddress"] = self.email
        avatar = f"https://secure.gravatar.com/avatar/{self.key}"
        person["avatarUrls"] = {
            "48x48": f"{avatar}?s=48",
            "24x24": f"{avatar}?s=24",
            "16x16": f"{avatar}?s=16",
            "32x32": f"{avatar}?s=32",
        }
        person["displayName"] = self.display_name
        person["active"] = self.active
        person["timeZone"] = self.time_zone
        if flavour == "cloud":
            person["accountType"] = self.account_type
        return person

    def identity(self, flavour: Flavour) -> str:
        """What histories write in `from` and `to` of an assignee: accountId on Cloud, user key on Data Center."""
        return self.account_id if flavour == "cloud" else self.key


@dataclass(frozen=True)
class Status:
    """A workflow status. Team-managed projects own theirs (`project_id`), so names repeat on a site; ids do not."""

    id: str
    name: str
    category: str
    project_id: int | None = None
    original: JsonObject | None = None

    def as_json(self) -> JsonObject:
        """The status object inside issues and in `GET /status`."""
        if self.original is not None:
            return self.original
        status: JsonObject = {
            "self": f"{SELF_BASE}/rest/api/2/status/{self.id}",
            "description": "",
            "iconUrl": f"{SELF_BASE}/images/icons/statuses/generic.png",
            "name": self.name,
            "id": self.id,
            "statusCategory": STATUS_CATEGORIES[self.category],
        }
        return status


@dataclass(frozen=True)
class Project:
    """A project. `workflow` names its statuses in board order; `sets_resolution` says if its done statuses do so."""

    id: int
    key: str
    name: str
    style: Literal["classic", "next-gen"] = "classic"
    lead: str | None = None
    workflow: tuple[str, ...] = ()
    sets_resolution: bool = True
    story_points_fields: tuple[str, ...] = ()
    former_keys: tuple[str, ...] = ()
    access: Literal["open", "forbidden", "archived", "trashed"] = "open"
    original: JsonObject | None = None

    def as_json(self, flavour: Flavour) -> JsonObject:
        """The project object inside issues."""
        if self.original is not None:
            return {**self.original, "key": self.key, "name": self.name}
        avatar = f"{SELF_BASE}/rest/api/2/universal_avatar/view/type/project/avatar/{self.id}"
        project: JsonObject = {
            "self": f"{SELF_BASE}/rest/api/2/project/{self.id}",
            "id": str(self.id),
            "key": self.key,
            "name": self.name,
            "projectTypeKey": "software",
        }
        if flavour == "cloud":
            project["simplified"] = self.style == "next-gen"
        project["avatarUrls"] = {"48x48": avatar, "24x24": f"{avatar}?size=small", "16x16": f"{avatar}?size=xsmall"}
        return project


@dataclass(frozen=True)
class Sprint:
    """A sprint of a board. Instants in epoch milliseconds; a future sprint has none."""

    id: int
    name: str
    state: Literal["closed", "active", "future"]
    board_id: int
    start: int | None = None
    end: int | None = None
    complete: int | None = None
    goal: str = ""


class IssueSource(Protocol):
    """One issue at rest: the columns that searches need, and its JSON on demand. Instants in epoch milliseconds.

    An issue whose JSON is smaller than `target_bytes` is padded to that size when it is sent.
    """

    id: int
    project_id: int
    number: int
    created: int
    updated: int
    resolved: int | None
    status_id: str
    target_bytes: int

    def as_json(self, form: Form) -> tuple[bytes, list[bytes]]:
        """The JSON object `fields`, and the JSON object of each history, oldest first."""


@dataclass
class SiteData:
    """A whole site at rest; `flavour` is the one whose form its issues already have, or that suits it by default."""

    projects: list[Project]
    users: list[User]
    statuses: list[Status]
    fields: list[JsonObject]
    issues: Sequence[IssueSource]
    sprints: list[Sprint] = field(default_factory=list)
    last_history_id: int = 10_000
    flavour: Flavour = "cloud"

"""The JSON of a generated issue, written from its life in the form of a site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .cast import DELETED_STATUS, FORMER_STATUS_NAMES, Cast
from .fields import EPIC_LINK, FLAGGED, RANK, SPRINT, STORY_POINT_ESTIMATE, STORY_POINTS, UNUSED_FIELDS
from .lives import COMPONENTS, LABELS, PRIORITIES, RESOLUTIONS, TYPES, VERSIONS, Happening, Life
from .model import SELF_BASE, Form, JsonObject
from .sprints import sprint_value
from .times import format_jira, to_datetime

_PHRASES = (
    "The customer sees a blank page after the second attempt.", "Steps:\n1. open the list\n2. press *Save* twice",
    "Acceptance: the export holds the same rows as the screen.", "h3. Hintergrund\nSeit Release 2.0 sporadisch.",
    "Log:\n{code}java.lang.IllegalStateException: \"queue\" at 0x1F{code}", "See [the runbook|https://example.com/r].",
    "検索結果が空になることがある。", "Works on staging 🙂, fails in production.", "Blocked by the licence question.",
)  # fmt: skip
_UNUSED = b"".join(b',"%s":null' % name.encode() for name in UNUSED_FIELDS)
_encode = msgspec.json.Encoder().encode


class World:
    """What the JSON of generated issues refers to, each piece encoded once for each form."""

    def __init__(self, cast: Cast, first: int, middle: int, issues: list[GeneratedIssue]) -> None:
        self.cast = cast
        self.issues = issues
        self.history_origin = first
        self.renamed_at = middle
        self.status_names = {status.id: status.name for status in [*cast.statuses, DELETED_STATUS]}
        self.sprints = {sprint.id: sprint for sprint in cast.sprints}
        self._pieces: dict[str, Pieces] = {}

    def pieces(self, form: Form) -> Pieces:
        """The encoded pieces for a form."""
        if form.flavour not in self._pieces:
            self._pieces[form.flavour] = Pieces(self, form)
        return self._pieces[form.flavour]

    def key(self, place: int) -> str:
        """The key of the issue at a place."""
        issue = self.issues[place]
        return f"{self.cast.projects[issue.project_id - 10_000].key}-{issue.number}"


class Pieces:
    """Users, statuses, projects and the like as encoded JSON, in one flavour."""

    def __init__(self, world: World, form: Form) -> None:
        self.users = [_raw(user.as_json(form.flavour)) for user in world.cast.users]
        self.statuses = {status.id: _raw(status.as_json()) for status in world.cast.statuses}
        self.projects = {project.id: _raw(project.as_json(form.flavour)) for project in world.cast.projects}
        self.sprints = {sprint.id: _raw(sprint_value(form.flavour, sprint)) for sprint in world.cast.sprints}
        self.types = [_raw(_type(number, name)) for number, name in enumerate(TYPES)]
        self.priorities = [_raw(_named("priority", number + 1, name)) for number, name in enumerate(PRIORITIES)]
        self.resolutions = [_raw(_named("resolution", number + 10_000, n)) for number, n in enumerate(RESOLUTIONS)]
        self.components = [_raw(_named("component", number + 10_000, name)) for number, name in enumerate(COMPONENTS)]
        self.versions = [
            _raw(_named("version", number + 10_000, name) | {"archived": False, "released": number < 2})
            for number, name in enumerate(VERSIONS)
        ]


class GeneratedIssue:
    """A generated issue at rest: the columns for searches, and its life, packed."""

    __slots__ = (
        "_life", "_place", "_world", "created", "id", "number", "project_id", "resolved", "status_id", "target_bytes",
        "updated",
    )  # fmt: skip

    def __init__(
        self, world: World, place: int, issue_id: int, project_id: int, number: int, created: int, life: Life,
        target_bytes: int,
    ) -> None:  # fmt: skip
        self.id = issue_id
        self.project_id = project_id
        self.number = number
        self.created = created
        self.updated = life.happenings[-1].at if life.happenings else created
        self.resolved = life.resolved
        self.status_id = life.status
        self.target_bytes = target_bytes
        self._world = world
        self._place = place
        self._life = msgspec.msgpack.encode(life)

    @property
    def life(self) -> Life:
        """The unpacked life."""
        return msgspec.msgpack.decode(self._life, type=Life)

    def history_id(self, at: int) -> int:
        """Unique on the site and rising with time: an issue has at most one history a second."""
        world = self._world
        return 10_000 + (at - world.history_origin) // 1000 * len(world.issues) + self._place

    def as_json(self, form: Form) -> tuple[bytes, list[bytes]]:
        """The object `fields`, and every history, oldest first."""
        life, pieces = self.life, self._world.pieces(form)
        histories = [_encode(self._history(happening, form, pieces)) for happening in life.happenings]
        return self._fields(life, form, pieces), histories

    def _fields(self, life: Life, form: Form, pieces: Pieces) -> bytes:
        values: dict[str, Any] = {
            "statuscategorychangedate": format_jira(life.category_changed, form.zone),
            "issuetype": pieces.types[life.type],
            "timespent": None,
            "project": pieces.projects[self.project_id],
            "fixVersions": [pieces.versions[each] for each in life.versions],
            "aggregatetimespent": None,
            "resolution": None if life.resolution is None else pieces.resolutions[life.resolution],
            "resolutiondate": None if life.resolved is None else format_jira(life.resolved, form.zone),
            "workratio": -1,
            "lastViewed": None,
            "watches": {
                "self": f"{SELF_BASE}/rest/api/2/issue/{self.id}/watchers",
                "watchCount": self.id % 4,
                "isWatching": False,
            },
            "created": format_jira(self.created, form.zone),
            "priority": pieces.priorities[life.priority],
            "labels": [LABELS[each] for each in life.labels],
            "timeestimate": None,
            "aggregatetimeoriginalestimate": None,
            "versions": [],
            "issuelinks": [],
            "assignee": None if life.assignee is None else pieces.users[life.assignee],
            "updated": format_jira(self.updated, form.zone),
            "status": pieces.statuses[life.status],
            "components": [pieces.components[each] for each in life.components],
            "timeoriginalestimate": None,
            "description": _story(life.story),
            STORY_POINTS: life.points,
            STORY_POINT_ESTIMATE: life.estimate,
            SPRINT: [pieces.sprints[each] for each in life.sprints] or None,
            FLAGGED: [_FLAG] if life.flagged else None,
            RANK: f"0|i{self.id:05x}:",
            EPIC_LINK: None,
            "security": None,
            "aggregatetimeestimate": None,
            "summary": life.summary,
            "creator": pieces.users[life.reporter],
            "subtasks": [],
            "reporter": pieces.users[life.reporter],
            "aggregateprogress": {"progress": 0, "total": 0},
            "environment": None,
            "duedate": None if life.due is None else to_datetime(life.due).strftime("%Y-%m-%d"),
            "progress": {"progress": 0, "total": 0},
            "votes": {"self": f"{SELF_BASE}/rest/api/2/issue/{self.id}/votes", "votes": 0, "hasVoted": False},
        }
        if life.parent is not None:
            if form.flavour == "datacenter" and TYPES[life.type] != "Sub-task":
                values[EPIC_LINK] = self._world.key(life.parent)
            else:
                values["parent"] = self._parent(life.parent, pieces)
        return _encode(values)[:-1] + _UNUSED + b"}"

    def _history(self, happening: Happening, form: Form, pieces: Pieces) -> dict[str, Any]:
        history: dict[str, Any] = {"id": str(self.history_id(happening.at))}
        if happening.author >= 0:
            history["author"] = pieces.users[happening.author]
        history["created"] = format_jira(happening.at, form.zone)
        history["items"] = [self._item(kind, old, new, form, happening.at) for kind, old, new in happening.items]
        return history

    def _item(self, kind: str, old: Any, new: Any, form: Form, at: int) -> JsonObject:
        field, field_id, describe = _ITEMS[kind]
        before, after = describe(self._world, form, old), describe(self._world, form, new)
        if kind == "status" and at < self._world.renamed_at:
            before, after = _formerly(before), _formerly(after)
        value: JsonObject = {"field": field, "fieldtype": "custom" if field_id.startswith("custom") else "jira"}
        if form.flavour == "cloud":
            value["fieldId"] = field_id
        return value | {"from": before[0], "fromString": before[1], "to": after[0], "toString": after[1]}

    def _parent(self, place: int, pieces: Pieces) -> JsonObject:
        parent = self._world.issues[place]
        life = parent.life
        return {
            "id": str(parent.id),
            "key": self._world.key(place),
            "self": f"{SELF_BASE}/rest/api/2/issue/{parent.id}",
            "fields": {"summary": life.summary, "issuetype": pieces.types[life.type]},
        }


_Side = tuple[str | None, str | None]
_FLAG = {"self": f"{SELF_BASE}/rest/api/2/customFieldOption/10019", "value": "Impediment", "id": "10019"}


def _user_side(world: World, form: Form, place: Any) -> _Side:
    if place is None:
        return None, None
    user = world.cast.users[place]
    return user.identity(form.flavour), user.display_name


def _status_side(world: World, form: Form, status: Any) -> _Side:
    return status, world.status_names[status]


def _formerly(side: _Side) -> _Side:
    return side[0], FORMER_STATUS_NAMES.get(str(side[1]), side[1])


def _sprint_side(world: World, form: Form, ids: Any) -> _Side:
    return ", ".join(str(each) for each in ids), ", ".join(world.sprints[each].name for each in ids)


def _labels_side(world: World, form: Form, labels: Any) -> _Side:
    return None, " ".join(LABELS[each] for each in labels)


def _points_side(world: World, form: Form, points: Any) -> _Side:
    return None, None if points is None else f"{points:g}"


def _flag_side(world: World, form: Form, flagged: Any) -> _Side:
    return ("[10019]", "Impediment") if flagged else (None, "")


def _rank_side(world: World, form: Form, higher: Any) -> _Side:
    return "", "" if higher is None else "Ranked higher" if higher else "Ranked lower"


def _from_list(names: tuple[str, ...], first_id: int) -> Callable[[World, Form, Any], _Side]:
    def side(world: World, form: Form, place: Any) -> _Side:
        return (None, None) if place is None else (str(first_id + place), names[place])

    return side


_ITEMS: dict[str, tuple[str, str, Callable[[World, Form, Any], _Side]]] = {
    "status": ("status", "status", _status_side),
    "resolution": ("resolution", "resolution", _from_list(RESOLUTIONS, 10_000)),
    "assignee": ("assignee", "assignee", _user_side),
    "priority": ("priority", "priority", _from_list(PRIORITIES, 1)),
    "version": ("Fix Version", "fixVersions", _from_list(VERSIONS, 10_000)),
    "points": ("Story Points", STORY_POINTS, _points_side),
    "estimate": ("Story point estimate", STORY_POINT_ESTIMATE, _points_side),
    "sprint": ("Sprint", SPRINT, _sprint_side),
    "labels": ("labels", "labels", _labels_side),
    "flagged": ("Flagged", FLAGGED, _flag_side),
    "rank": ("Rank", RANK, _rank_side),
    "summary": ("summary", "summary", lambda world, form, text: (None, text)),
    "description": ("description", "description", lambda world, form, story: (None, _story(story))),
}


def _story(number: int) -> str | None:
    """A description from a number: some of the phrases, none for -1."""
    if number < 0:
        return None
    chosen = [phrase for place, phrase in enumerate(_PHRASES) if number >> place & 1]
    return "\n\n".join(chosen) or _PHRASES[0]


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(_encode(value))


def _named(kind: str, number: int, name: str) -> JsonObject:
    return {"self": f"{SELF_BASE}/rest/api/2/{kind}/{number}", "id": str(number), "name": name}


def _type(number: int, name: str) -> JsonObject:
    hierarchy = {"Epic": 1, "Sub-task": -1}.get(name, 0)
    icon = f"{SELF_BASE}/rest/api/2/universal_avatar/view/type/issuetype/avatar/{10_300 + number}?size=medium"
    ids = {"Epic": 10_000, "Story": 10_001, "Task": 10_002, "Sub-task": 10_003, "Bug": 10_004}
    value = _named("issuetype", ids[name], name)
    return value | {"description": "", "iconUrl": icon, "subtask": name == "Sub-task", "hierarchyLevel": hierarchy}

"""Sprints as they are written: the Agile API's object, the object inside Cloud issues, and Data Center's text."""

from __future__ import annotations

from typing import Any

from .model import Flavour, JsonObject, Sprint
from .times import to_datetime


def sprint_json(sprint: Sprint) -> JsonObject:
    """A sprint as the Agile API shows it; a future one has no dates."""
    value: JsonObject = {"id": sprint.id, "state": sprint.state, "name": sprint.name}
    for name, instant in _dates(sprint):
        if instant is not None:
            value[name] = _text(instant)
    return {**value, "originBoardId": sprint.board_id, "goal": sprint.goal}


def sprint_value(flavour: Flavour, sprint: Sprint) -> Any:
    """A sprint inside an issue: an object on Cloud; on Data Center the text of a Java object, names unescaped."""
    if flavour == "cloud":
        value = sprint_json(sprint)
        value["boardId"] = value.pop("originBoardId")
        return value
    dates = "".join(f",{name}={'<null>' if at is None else _text(at)}" for name, at in _dates(sprint))
    return (
        f"com.atlassian.greenhopper.service.sprint.Sprint@{sprint.id * 2654435761 % 2**32:x}[id={sprint.id},"
        f"rapidViewId={sprint.board_id},state={sprint.state.upper()},name={sprint.name}{dates},"
        f"activatedDate={'<null>' if sprint.start is None else _text(sprint.start)},"
        f"sequence={sprint.id},goal={sprint.goal}]"
    )


def _dates(sprint: Sprint) -> tuple[tuple[str, int | None], ...]:
    return ("startDate", sprint.start), ("endDate", sprint.end), ("completeDate", sprint.complete)


def _text(instant: int) -> str:
    return to_datetime(instant).strftime("%Y-%m-%dT%H:%M:%S.000Z")

"""Issues that a client cannot read, as they turn up on real sites after migrations and app failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import msgspec

from .model import JsonObject

Blemish = Literal[
    "null", "null_fields", "no_fields", "no_status", "absurd_date", "wrong_types", "huge_description",
    "malformed", "server_error",
]  # fmt: skip
BLEMISHES: tuple[Blemish, ...] = get_args(Blemish)

HUGE_DESCRIPTION_BYTES = 5_000_000


class PageFails(Exception):
    """The site answers 500 to whatever includes a certain issue."""


def spoil(issue: bytes, blemish: Blemish) -> bytes:
    """The issue with a blemish. `malformed` makes the whole page unreadable; `server_error` raises PageFails."""
    if blemish == "server_error":
        raise PageFails
    if blemish == "null":
        return b"null"
    if blemish == "malformed":
        return issue[: len(issue) * 2 // 3]
    decoded: JsonObject = msgspec.json.decode(issue)
    if blemish == "null_fields":
        decoded["fields"] = None
    elif blemish == "no_fields":
        decoded.pop("fields", None)
    elif isinstance(decoded.get("fields"), dict):
        _FIELD_BLEMISHES[blemish](decoded["fields"])
    return msgspec.json.encode(decoded)


def _without_status(fields: JsonObject) -> None:
    fields.pop("status", None)


def _absurd_date(fields: JsonObject) -> None:
    fields["created"] = "20226-02-31T25:61:00.000+9900"


def _wrong_types(fields: JsonObject) -> None:
    fields |= {"summary": {"text": [1, 2]}, "labels": "none", "status": "Done", "assignee": 7, "project": []}


def _huge_description(fields: JsonObject) -> None:
    fields["description"] = "x" * HUGE_DESCRIPTION_BYTES


_FIELD_BLEMISHES: dict[str, Callable[[JsonObject], None]] = {
    "no_status": _without_status,
    "absurd_date": _absurd_date,
    "wrong_types": _wrong_types,
    "huge_description": _huge_description,
}

"""Page tokens of Cloud: opaque to clients, bound to the query that they were given out for."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

from .answers import Refusal
from .model import JsonObject

BAD_TOKEN = "The provided next page token is invalid or expired."


def write_token(signature: str, key: tuple[Any, ...] | None, offset: int = 0) -> str:
    """A token for the place behind `key`, or at `offset`, in the results of the query that `signature` stands for."""
    text = json.dumps({"q": zlib.crc32(signature.encode()), "k": key, "o": offset}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_token(token: str, signature: str) -> JsonObject:
    """The place that a token means. Raises Refusal (400) for a token of another query, or of none."""
    try:
        place = json.loads(base64.urlsafe_b64decode(token.encode()))
        if place["q"] != zlib.crc32(signature.encode()):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise Refusal(400, BAD_TOKEN) from None
    return dict(place)

"""The JSON of issues as bytes, ready to be joined into pages.

An issue's fields and histories are written once, when they are first asked for or when they change, and lie in a
spool. Padding, which makes issues as large as on a real site, is cut from one shared text and never stored.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import msgspec

from .model import Form, IssueSource, JsonObject
from .spool import Extent, Spool

SEARCH_HISTORIES = 40
"""Histories inside a Cloud search answer, the newest first (JRACLOUD-96459)."""

PADDING_FIELD = "customfield_19999"
PADDING_OVERHEAD = len(f',"{PADDING_FIELD}":""')
_WORDS = (
    "the queue drains before the deploy window opens and every retry waits for its turn while the cache is warm so a "
    "reader sees either the old page or the new one never half of both unless the lease expires between two commits "
)
_PADDING_TEXT = "".join(f"{number:05d} {_WORDS[(number * 37) % 97:]}" for number in range(600)).encode()

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder()


class Document(NamedTuple):
    """Where an issue's JSON lies: `histories` newest first, joined with commas; `newest` bytes are the 40 newest."""

    fields: Extent
    histories: Extent
    total: int
    newest: int
    holds_adf: bool


class Documents:
    """Every issue's JSON by issue id, written lazily from the sources in the site's form."""

    def __init__(self, form: Form, sources: dict[int, IssueSource]) -> None:
        self.form = form
        self._sources = sources
        self._documents: dict[int, Document] = {}
        self._spool = Spool()
        self._lock = threading.RLock()

    def prepare(self) -> None:
        """Write every issue's JSON now, so that the first pages cost no more than later ones."""
        for issue_id in list(self._sources):
            self.get(issue_id)

    def get(self, issue_id: int) -> Document:
        """The issue's document; KeyError when there is none."""
        document = self._documents.get(issue_id)
        if document is not None:
            return document
        with self._lock:
            if issue_id not in self._documents:
                source = self._sources[issue_id]
                self.put(issue_id, source.fields_json(self.form), source.histories_json(self.form))
                del self._sources[issue_id]
            return self._documents[issue_id]

    def put(self, issue_id: int, fields: bytes, histories: list[bytes]) -> None:
        """Store an issue's `fields` object and its histories, oldest first, replacing what was stored of it."""
        newest_first = histories[::-1]
        joined = b",".join(newest_first)
        document = Document(
            self._spool.append(fields),
            self._spool.append(joined),
            len(histories),
            len(b",".join(newest_first[:SEARCH_HISTORIES])) if len(histories) > SEARCH_HISTORIES else len(joined),
            b'"description":{' in fields or b'"description": {' in fields,
        )
        with self._lock:
            self._documents[issue_id] = document

    def drop(self, issue_id: int) -> None:
        """Forget a deleted issue."""
        with self._lock:
            self._documents.pop(issue_id, None)
            self._sources.pop(issue_id, None)

    def fields_bytes(self, document: Document, padding: int, issue_id: int) -> bytes:
        """The whole `fields` object, padded to the issue's size."""
        stored = self._spool.read(document.fields)
        return stored[:-1] + _padding_member(padding, issue_id) + b"}" if padding else stored

    def fields(self, document: Document) -> JsonObject:
        """The `fields` object decoded, without padding."""
        decoded: JsonObject = msgspec.json.decode(self._spool.read(document.fields))
        return decoded

    def members(self, document: Document, padding: int, issue_id: int) -> dict[str, msgspec.Raw]:
        """The `fields` object with each value still encoded."""
        return _members.decode(self.fields_bytes(document, padding, issue_id))

    def newest_histories(self, document: Document) -> bytes:
        """The 40 newest histories, newest first, joined with commas."""
        return self._spool.read(Extent(document.histories.offset, document.newest))

    def histories(self, document: Document) -> list[bytes]:
        """Every history, oldest first."""
        joined = self._spool.read(document.histories)
        return [bytes(raw) for raw in reversed(_elements.decode(b"[" + joined + b"]"))]


def encode(value: object) -> bytes:
    """JSON bytes."""
    return _encoder.encode(value)


def _padding_member(size: int, issue_id: int) -> bytes:
    length = max(0, size - PADDING_OVERHEAD)
    start = (issue_id * 613) % (len(_PADDING_TEXT) // 2)
    text = _PADDING_TEXT[start : start + length]
    while len(text) < length:
        text += _PADDING_TEXT[: length - len(text)]
    return b',"%s":"%s"' % (PADDING_FIELD.encode(), text)

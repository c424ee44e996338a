"""The JSON of issues as bytes, ready to be joined into pages.

An issue's fields and histories are written once, when they are first asked for or when they change, and lie in a
spool. Padding, which makes issues as large as on a real site, is cut from one shared text and never stored.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import msgspec

from .fields import PADDING_FIELD
from .model import Form, IssueSource, JsonObject
from .spool import Extent, Spool

SEARCH_HISTORIES = 40
"""Histories inside a Cloud search answer, the newest first (JRACLOUD-96459)."""

_PADDING_OVERHEAD = len(f',"{PADDING_FIELD}":""')
_WORDS = (
    "the queue drains before the deploy window opens and every retry waits for its turn while the cache is warm so a "
    "reader sees either the old page or the new one never half of both unless the lease expires between two commits "
)
_PADDING_TEXT = "".join(f"{number:05d} {_WORDS[(number * 37) % 97 :]}" for number in range(600)).encode()

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_encoder = msgspec.json.Encoder()


class Document(NamedTuple):
    """Where an issue's JSON lies: `histories` newest first, joined with commas; `newest` bytes are the 40 newest."""

    fields: Extent
    names: frozenset[str]
    histories: Extent
    total: int
    newest: int
    holds_adf: bool
    padding: int
    padding_start: int


class Documents:
    """Every issue's JSON by issue id, written lazily from the sources in the site's form."""

    def __init__(self, form: Form, sources: dict[int, IssueSource]) -> None:
        self.form = form
        self._sources = sources
        self._documents: dict[int, Document] = {}
        self._padding: dict[int, int] = {}
        self._names: dict[frozenset[str], frozenset[str]] = {}
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
                fields, histories = source.as_json(self.form)
                missing = source.target_bytes - len(fields) - sum(map(len, histories)) - _PADDING_OVERHEAD
                if missing > 0:
                    self._padding[issue_id] = missing
                self.put(issue_id, fields, histories)
                del self._sources[issue_id]
            return self._documents[issue_id]

    def put(self, issue_id: int, fields: bytes, histories: list[bytes]) -> None:
        """Store an issue's `fields` object and its histories, oldest first, replacing what was stored of it."""
        newest_first = histories[::-1]
        joined = b",".join(newest_first)
        document = Document(
            self._spool.append(fields),
            self._names_of(issue_id, fields),
            self._spool.append(joined),
            len(histories),
            len(b",".join(newest_first[:SEARCH_HISTORIES])) if len(histories) > SEARCH_HISTORIES else len(joined),
            b'"description":{' in fields or b'"description": {' in fields,
            self._padding.get(issue_id, 0),
            issue_id * 613 % (len(_PADDING_TEXT) // 2),
        )
        with self._lock:
            self._documents[issue_id] = document

    def _names_of(self, issue_id: int, fields: bytes) -> frozenset[str]:
        """The names of the issue's fields. A site's issues have few sets of them, so each set is kept once."""
        padding = [PADDING_FIELD] if issue_id in self._padding else []
        names = frozenset([*_members.decode(fields), *padding])
        return self._names.setdefault(names, names)

    def drop(self, issue_id: int) -> None:
        """Forget a deleted issue."""
        with self._lock:
            self._documents.pop(issue_id, None)
            self._sources.pop(issue_id, None)

    def fields_bytes(self, document: Document) -> bytes:
        """The whole `fields` object, padded to the issue's size."""
        stored = self._spool.read(document.fields)
        if not document.padding:
            return stored
        return b'%s,"%s":"%s"}' % (stored[:-1], PADDING_FIELD.encode(), _padding_text(document))

    def fields(self, document: Document) -> JsonObject:
        """The `fields` object decoded, without padding."""
        decoded: JsonObject = msgspec.json.decode(self._spool.read(document.fields))
        return decoded

    def members(self, document: Document, padded: bool) -> dict[str, msgspec.Raw]:
        """The `fields` object with each value still encoded, with or without the padding."""
        return _members.decode(self.fields_bytes(document) if padded else self._spool.read(document.fields))

    def newest_histories(self, document: Document) -> bytes:
        """The 40 newest histories, newest first, joined with commas."""
        return self._spool.read(Extent(document.histories.offset, document.newest))

    def histories(self, document: Document) -> list[bytes]:
        """Every history, oldest first."""
        joined = self._spool.read(document.histories)
        return [bytes(raw) for raw in reversed(_elements.decode(b"[" + joined + b"]"))]

    def decoded_histories(self, document: Document) -> list[JsonObject]:
        """Every history, oldest first, as objects."""
        newest_first: list[JsonObject] = msgspec.json.decode(b"[" + self._spool.read(document.histories) + b"]")
        return newest_first[::-1]


def encode(value: object) -> bytes:
    """JSON bytes."""
    return _encoder.encode(value)


def _padding_text(document: Document) -> bytes:
    """Text of the padding's length, beginning at another word for each issue, so that it does not compress away."""
    text = _PADDING_TEXT[document.padding_start : document.padding_start + document.padding]
    while len(text) < document.padding:
        text += _PADDING_TEXT[: document.padding - len(text)]
    return text

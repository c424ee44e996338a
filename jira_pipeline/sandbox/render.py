"""Issues as the bytes of an answer: chosen fields, either API version, histories as the endpoint gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

from .adf import to_adf, to_text
from .documents import SEARCH_HISTORIES, Document, encode
from .fields import PADDING_FIELD
from .index import Row
from .model import SELF_BASE
from .site import Site
from .spoiling import spoil

Changelog = Literal["none", "search", "issue"]
ISSUE_HISTORIES = 100
"""Histories inside Cloud's `GET issue/{key}?expand=changelog`, the newest first."""

_EXPAND = "operations,versionedRepresentations,editmeta,changelog,renderedFields"


@dataclass(frozen=True)
class Selection:
    """Which fields an answer holds. `everything` minus `excluded`, or those `named`."""

    everything: bool
    named: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    @property
    def only_identity(self) -> bool:
        """Whether nothing but id and key is asked, which Cloud answers with pages of up to 5,000."""
        return not self.everything and self.named <= {"id", "key"}


def select(fields: Iterable[str], default: Selection) -> Selection:
    """The selection that a `fields` parameter means: ids, `*all`, `*navigable`, and `-id` to leave out."""
    names = [name.strip() for each in fields for name in each.split(",") if name.strip()]
    if not names:
        return default
    excluded = frozenset(name[1:] for name in names if name.startswith("-"))
    named = frozenset(name for name in names if not name.startswith(("-", "*")))
    everything = any(name in ("*all", "*navigable") for name in names) or (bool(excluded) and not named)
    return Selection(everything, named, excluded)


ALL_FIELDS = Selection(everything=True)
ID_ONLY = Selection(everything=False, named=frozenset({"id"}))


def issue_bytes(site: Site, row: Row, selection: Selection, changelog: Changelog, version: int) -> bytes:
    """One issue as JSON. `version` is the API's: 2 writes descriptions as text, 3 as documents (ADF)."""
    blemish = site.blemishes.get(row.id)
    if blemish is not None and not selection.only_identity:
        return spoil(whole_issue(site, row, selection, changelog, version), blemish)
    if selection == ID_ONLY and changelog == "none":
        return b'{"id":"%d"}' % row.id
    return whole_issue(site, row, selection, changelog, version)


def whole_issue(site: Site, row: Row, selection: Selection, changelog: Changelog, version: int) -> bytes:
    """Like `issue_bytes`, without what may spoil the issue."""
    document = site.document(row)
    parts = [
        b'{"expand":"%s","id":"%d","self":"%s/rest/api/%d/issue/%d","key":"%s"'
        % (_EXPAND.encode(), row.id, SELF_BASE.encode(), version, row.id, site.key_of(row).encode())
    ]
    if not selection.only_identity:
        parts += [b',"fields":', _fields(site, document, selection, version)]
    if changelog != "none":
        parts += [b',"changelog":', _changelog(site, document, changelog)]
    parts.append(b"}")
    return b"".join(parts)


def _fields(site: Site, document: Document, selection: Selection, version: int) -> bytes:
    is_complete = selection.everything and selection.excluded.isdisjoint(document.names)
    if is_complete and version == 2 and not document.holds_adf:
        return site.documents.fields_bytes(document)
    members = site.documents.members(document, padded=selection.everything or PADDING_FIELD in selection.named)
    if selection.everything:
        chosen = {name: raw for name, raw in members.items() if name not in selection.excluded}
    else:
        chosen = {name: raw for name, raw in members.items() if name in selection.named}
    for name in ("description", "environment"):
        if name in chosen:
            chosen[name] = _in_version(chosen[name], version)
    return encode(chosen)


def _in_version(raw: msgspec.Raw, version: int) -> msgspec.Raw:
    text = bytes(raw)
    if version == 3 and text.startswith(b'"'):
        return msgspec.Raw(encode(to_adf(msgspec.json.decode(text))))
    if version == 2 and text.startswith(b"{"):
        return msgspec.Raw(encode(to_text(msgspec.json.decode(text))))
    return raw


def _changelog(site: Site, document: Document, changelog: Changelog) -> bytes:
    limit = SEARCH_HISTORIES if changelog == "search" else ISSUE_HISTORIES
    if site.flavour == "datacenter":
        histories, limit = b",".join(site.documents.histories(document)), document.total
    elif changelog == "search":
        histories = site.documents.newest_histories(document)
    else:
        histories = b",".join(site.documents.histories(document)[: -limit - 1 : -1])
    return b'{"startAt":0,"maxResults":%d,"total":%d,"histories":[%s]}' % (
        min(limit, document.total),
        document.total,
        histories,
    )

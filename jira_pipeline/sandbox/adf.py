"""Atlassian Document Format (API v3) to and from plain text (API v2), as far as descriptions need it.

Document structure: developer.atlassian.com/cloud/jira/platform/apis/document/structure.
"""

from __future__ import annotations

from typing import Any

_BLOCKS = frozenset(
    {"paragraph", "heading", "codeBlock", "blockquote", "listItem", "tableRow", "rule", "panel", "mediaSingle"}
)


def to_adf(text: str) -> dict[str, Any]:
    """A document with one paragraph a line of the text."""
    return {
        "version": 1,
        "type": "doc",
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []}
            for line in text.split("\n")
        ],
    }


def to_text(document: dict[str, Any]) -> str:
    """The words of a document, one line a block."""
    pieces: list[str] = []
    _collect(document, pieces)
    return "".join(pieces).rstrip("\n")


def _collect(node: dict[str, Any], pieces: list[str]) -> None:
    kind = node.get("type")
    if kind == "text":
        pieces.append(str(node.get("text", "")))
    elif kind == "hardBreak":
        pieces.append("\n")
    elif kind in ("mention", "emoji", "status", "date"):
        attributes = node.get("attrs", {})
        pieces.append(str(attributes.get("text") or attributes.get("shortName") or attributes.get("timestamp", "")))
    for child in node.get("content") or []:
        _collect(child, pieces)
    if (kind in _BLOCKS and pieces and not pieces[-1].endswith("\n")) or (kind in _BLOCKS and not node.get("content")):
        pieces.append("\n")

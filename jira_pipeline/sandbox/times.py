"""Instants as Jira writes them, and as the sandbox keeps them: whole milliseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(instant: datetime) -> int:
    """Milliseconds since the epoch of an aware datetime, rounded down. A naive datetime raises TypeError."""
    return (instant - EPOCH) // MILLISECOND


def to_datetime(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of an epoch time in milliseconds, in `zone`."""
    return (EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def parse_jira(text: str) -> int:
    """Epoch milliseconds of a timestamp such as `2026-08-24T11:11:52.944+0000` (no colon in the offset)."""
    instant = datetime.fromisoformat(text)
    return to_milliseconds(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def format_jira(milliseconds: int, zone: tzinfo = UTC) -> str:
    """Jira's form of an instant: three decimals, and the offset of the account's zone without a colon."""
    text = to_datetime(milliseconds, zone).isoformat(timespec="milliseconds")
    return text[:-3] + text[-2:]

"""Instants as Jira writes them, and as the sandbox keeps them: whole milliseconds since 1970-01-01 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

_DAY = 86_400_000


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
    offset, text = (0, "+0000") if zone is UTC else _offset(milliseconds // 900_000, zone)
    day, rest = divmod(milliseconds + offset, _DAY)
    seconds, thousandths = divmod(rest, 1000)
    minutes, second = divmod(seconds, 60)
    return f"{_date(day)}T{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}.{thousandths:03d}{text}"


@lru_cache(maxsize=100_000)
def _offset(quarter: int, zone: tzinfo) -> tuple[int, str]:
    """A zone's offset in milliseconds and as text; zones change theirs at whole quarters of an hour (of UTC)."""
    instant = to_datetime(quarter * 900_000, zone)
    return (instant.utcoffset() or timedelta(0)) // MILLISECOND, instant.strftime("%z")


@lru_cache(maxsize=10_000)
def _date(day: int) -> str:
    return to_datetime(day * _DAY).strftime("%Y-%m-%d")

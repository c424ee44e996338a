"""Which failures pass by themselves, and how long to wait for that.

jira-python's own retries are switched off: it does not retry 500, 502, 504, read time-outs or cut bodies, raises
ValueError on a Retry-After date, and waits less than Jira asks for.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRYABLE_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long a request is tried. Waits double from `first_wait` up to `longest_wait` seconds, with
    jitter of 0.7 to 1.3 as Atlassian's rate-limiting guide advises; `total_seconds` bounds all attempts of one request
    together."""

    attempts: int = 6
    first_wait: float = 2.0
    longest_wait: float = 60.0
    total_seconds: float = 2 * 3600.0
    connect_timeout: float = 10.0
    read_timeout: float = 120.0

    def backoff(self, attempt: int) -> float:
        """Seconds to wait after failed attempt number `attempt` (from 1) when Jira does not say how long."""
        wait: float = min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1))
        return wait * random.uniform(0.7, 1.3)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for, in either form of RFC 9110 §10.2.3 (seconds or an HTTP date).

    The date is compared with the answer's own Date header where there is one, so a wrong local clock does no harm.
    None when the header is absent or unreadable.
    """
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    until = _http_date(value)
    if until is None:
        return None
    now = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (until - now).total_seconds())


def answer_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock when it answered, from the Date header; None when absent."""
    return _http_date(headers.get("Date", ""))


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)

"""How long to wait: what Retry-After says in both its forms, and the back-off where Jira says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from jira_pipeline.jira.retry import RETRYABLE_STATUS, RetryPolicy, answer_time, retry_after


@pytest.mark.parametrize(("value", "seconds"), [("0", 0.0), ("1847", 1847.0), ("1.5", 1.5), (" 3 ", 3.0), ("-5", 0.0)])
def test_seconds_are_waited_as_told(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_a_date_is_measured_by_the_servers_own_clock() -> None:
    """A local clock that is wrong by a day does no harm."""
    server_now = datetime(2030, 1, 1, 12, tzinfo=UTC)
    headers = {
        "Retry-After": format_datetime(server_now + timedelta(seconds=90), usegmt=True),
        "Date": format_datetime(server_now, usegmt=True),
    }

    assert retry_after(headers) == 90.0


def test_without_the_servers_clock_a_date_is_measured_by_ours() -> None:
    until = datetime.now(UTC) + timedelta(seconds=60)

    assert retry_after({"Retry-After": format_datetime(until, usegmt=True)}) == pytest.approx(60, abs=5)


def test_a_date_that_has_passed_means_now() -> None:
    assert retry_after({"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}) == 0.0


@pytest.mark.parametrize("value", ["", "soon", "12 parsecs", "nan", "inf", "-inf", "1e999"])
def test_what_cannot_be_read_says_nothing(value: str) -> None:
    assert retry_after({"Retry-After": value}) is None
    assert retry_after({}) is None


def test_the_back_off_doubles_up_to_a_limit_with_jitter() -> None:
    policy = RetryPolicy(first_wait=2.0, longest_wait=10.0)

    waits = {attempt: [policy.backoff(attempt) for _ in range(200)] for attempt in (1, 2, 3, 4, 50)}

    for attempt, middle in ((1, 2.0), (2, 4.0), (3, 8.0), (4, 10.0), (50, 10.0)):
        assert 0.7 * middle <= min(waits[attempt]) < max(waits[attempt]) <= 1.3 * middle


def test_the_clock_of_an_answer_is_its_date_header() -> None:
    assert answer_time({"Date": "Mon, 02 Nov 2026 10:00:00 GMT"}) == datetime(2026, 11, 2, 10, tzinfo=UTC)
    assert answer_time({}) is None
    assert answer_time({"Date": "today"}) is None


def test_passing_faults_are_those_that_the_rate_limiting_guide_and_http_name() -> None:
    assert {408, 429, 500, 502, 503, 504} <= RETRYABLE_STATUS
    assert not RETRYABLE_STATUS & {400, 401, 403, 404, 409, 410}

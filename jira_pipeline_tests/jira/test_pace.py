"""When Jira runs short, all threads slow down together, and come back to speed by themselves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.limiter import Limiter
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.transport import Meter, Transport
from jira_pipeline.sandbox import Fault, Sandbox, generate_site

EXACT = RetryPolicy(attempts=6, first_wait=2.0, longest_wait=60.0, connect_timeout=5.0, read_timeout=5.0)


class Clock:
    """A monotonic clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.seconds

    def sleep(self, condition: threading.Condition, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock: Clock) -> Limiter:
    return Limiter(now=clock.now, sleep=clock.sleep)


def starts(limiter: Limiter, requests: int) -> list[float]:
    """How long after the first of some requests each of the others may start."""
    instants = [limiter.wait() for _ in range(requests)]
    return [round(instant - instants[0], 6) for instant in instants]


def test_without_a_sign_of_shortage_nobody_waits(limiter: Limiter) -> None:
    assert starts(limiter, 4) == [0, 0, 0, 0]


def test_the_first_sign_spaces_requests_to_ten_a_second(limiter: Limiter) -> None:
    limiter.slow_down(limiter.wait())

    assert starts(limiter, 4) == [0, 0.1, 0.2, 0.3]


def test_each_further_sign_doubles_the_spacing_up_to_a_limit(limiter: Limiter) -> None:
    spacings = []
    for _ in range(8):
        limiter.slow_down(limiter.wait())
        spacings.append(limiter.spacing)

    assert spacings == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 6.4]


def test_requests_that_were_under_way_together_are_one_sign(limiter: Limiter, clock: Clock) -> None:
    """Eight threads that all get 429 must not slow the run down to a 256th."""
    together = [limiter.wait() for _ in range(8)]
    clock.seconds += 1
    for started in together:
        limiter.slow_down(started)

    assert limiter.spacing == 0.1


def test_twenty_good_answers_in_a_row_halve_the_spacing_until_it_is_gone(limiter: Limiter) -> None:
    for _ in range(3):
        limiter.slow_down(limiter.wait())
    spacings = []
    for _ in range(60):
        limiter.speed_up()
        spacings.append(limiter.spacing)

    assert [spacings[number] for number in (18, 19, 38, 39, 58, 59)] == [0.4, 0.2, 0.2, 0.1, 0.1, 0.0]


def test_a_sign_of_shortage_begins_the_run_of_good_answers_anew(limiter: Limiter) -> None:
    limiter.slow_down(limiter.wait())
    for _ in range(19):
        limiter.speed_up()
    limiter.slow_down(limiter.wait())
    for _ in range(19):
        limiter.speed_up()

    assert limiter.spacing == 0.2


def test_the_spacing_holds_between_threads() -> None:
    limiter = Limiter()
    limiter.slow_down(limiter.wait())

    with ThreadPoolExecutor(5) as threads:
        instants = sorted(threads.map(lambda _: limiter.wait(), range(5)))

    assert min(later - earlier for earlier, later in pairwise(instants)) >= 0.099


class TestWithJira:
    """The same through requests to a sandbox."""

    @pytest.fixture
    def sandbox(self) -> Iterator[Sandbox]:
        with Sandbox(generate_site(5, issues=3, projects=1), "cloud") as sandbox:
            yield sandbox

    @pytest.fixture
    def transport(self, sandbox: Sandbox, limiter: Limiter) -> Transport:
        return Transport(credentials_from(sandbox.credentials), policy=EXACT, limiter=limiter)

    def test_half_an_hour_asked_for_is_half_an_hour_waited(
        self, sandbox: Sandbox, transport: Transport, clock: Clock
    ) -> None:
        """1847 s is the example of Atlassian's documentation. jira-python would ask three times within minutes."""
        rule = sandbox.faults.add(Fault("too_many_requests", retry_after=1847), path="/field")
        meter, began = Meter(), clock.seconds

        assert transport.get("field", decode=json.loads, meter=meter)

        assert clock.seconds - began == pytest.approx(1847)
        assert (rule.fired, meter.requests, meter.retries) == (1, 2, 1)

    def test_the_pause_holds_threads_that_were_not_refused(self, sandbox: Sandbox) -> None:
        transport = Transport(credentials_from(sandbox.credentials), policy=EXACT)
        sandbox.faults.add(Fault("too_many_requests", retry_after=1), path="/field")

        def later(_: int) -> float:
            time.sleep(0.3)  # by then the first thread has its 429
            transport.get("status", decode=json.loads)
            return time.monotonic()

        began = time.monotonic()
        with ThreadPoolExecutor(4) as threads:
            refused = threads.submit(transport.get, "field", decode=json.loads)
            ended = list(threads.map(later, range(3)))

        assert refused.result()
        assert min(ended) - began >= 1.0

    @pytest.mark.parametrize("retry_after", [0, None])
    def test_too_many_requests_slow_everybody_down(
        self, sandbox: Sandbox, transport: Transport, limiter: Limiter, retry_after: int | None
    ) -> None:
        """Data Center says `Retry-After: 0`, gateways say nothing."""
        sandbox.faults.add(Fault("too_many_requests", retry_after=retry_after), path="/field", times=2)

        assert transport.get("field", decode=json.loads)

        assert limiter.spacing == 0.2

    def test_without_retry_after_everybody_waits_for_the_back_off(
        self, sandbox: Sandbox, transport: Transport, clock: Clock
    ) -> None:
        sandbox.faults.add(Fault("too_many_requests"), path="/field")
        began = clock.seconds

        assert transport.get("field", decode=json.loads)

        assert 2.0 * 0.7 <= clock.seconds - began <= 2.0 * 1.3

    def test_an_answer_near_the_limit_slows_everybody_down_before_there_is_a_429(
        self, sandbox: Sandbox, transport: Transport, limiter: Limiter
    ) -> None:
        sandbox.faults.add("near_limit", path="/field")

        assert transport.get("field", decode=json.loads)
        assert limiter.spacing == 0.1
        for _ in range(20):
            assert transport.get("status", decode=json.loads)

        assert limiter.spacing == 0.0

    def test_threads_of_one_transport_share_the_pace(self, sandbox: Sandbox) -> None:
        transport = Transport(credentials_from(sandbox.credentials), policy=EXACT)
        sandbox.faults.add("near_limit", path="/field")
        transport.get("field", decode=json.loads)
        began = time.monotonic()

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda _: transport.get("status", decode=json.loads), range(8)))

        assert time.monotonic() - began >= 0.7

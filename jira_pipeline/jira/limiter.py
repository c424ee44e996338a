"""One limiter for all threads: when Jira asks for a pause, everybody pauses; when it runs short, everybody slows down.

Jira's limits hold for the account or the whole site, so a thread that went on while another waits would only bring the
next refusal (developer.atlassian.com, "Rate limiting": share the state among workers, aim at some 10 requests/s).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext


class Cancelled(Exception):
    """The run is being stopped; the waiting thread has nothing left to do."""


_FIRST_SPACING = 0.1  # seconds: the ten requests a second that Atlassian advises
_WIDEST_SPACING = 6.4
_RUN_OF_SUCCESSES = 20


class Limiter:
    """Holds every thread back until the latest pause that Jira has asked for is over, and spaces requests out while
    Jira is short of allowance.

    There is no spacing at first. Each sign of shortage doubles it, up to 6.4 s; 20 good answers in a row halve it,
    and below 0.1 s it is gone. `now` and `sleep` are replaced by tests: seconds of a monotonic clock, and waiting on
    the condition for some seconds at most.

    State guarded: the instant before which no request may start, the spacing, how many requests may be under way, and
    whether the run is being stopped.
    """

    def __init__(
        self,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[threading.Condition, float], object] = threading.Condition.wait,
    ) -> None:
        self.now = now
        self._sleep = sleep
        self._condition = threading.Condition()
        self._not_before = 0.0
        self._next_start = 0.0
        self._spacing = 0.0
        self._slowed_at = 0.0
        self._successes = 0
        self._stopped = False
        self._slots: AbstractContextManager[object] = nullcontext()

    @property
    def spacing(self) -> float:
        """Seconds between the starts of any two requests."""
        return self._spacing

    def pause(self, seconds: float) -> None:
        """Let no request start for `seconds` from now; a longer pause already in force stays."""
        with self._condition:
            self._not_before = max(self._not_before, self.now() + seconds)

    def slow_down(self, started: float) -> None:
        """Note that Jira is short of allowance, as the answer to a request begun at `started` says.

        Requests that were under way together say it together and count once: those begun before the last slowing down
        say nothing about the new pace.
        """
        with self._condition:
            self._successes = 0
            if started < self._slowed_at:
                return
            self._slowed_at = self.now()
            self._spacing = min(_WIDEST_SPACING, max(_FIRST_SPACING, self._spacing * 2))
            self._next_start = max(self._next_start, self._slowed_at + self._spacing)

    def speed_up(self) -> None:
        """Note a good answer."""
        with self._condition:
            self._successes += 1
            if self._spacing and self._successes >= _RUN_OF_SUCCESSES:
                self._successes = 0
                self._spacing = self._spacing / 2 if self._spacing > _FIRST_SPACING else 0.0

    @contextmanager
    def at_most(self, requests: int) -> Iterator[None]:
        """Meanwhile let so many requests be under way at once, those that wait to be made again among them."""
        before, self._slots = self._slots, threading.Semaphore(requests)
        try:
            yield
        finally:
            self._slots = before

    @contextmanager
    def request(self, at_least: float = 0.0) -> Iterator[float]:
        """One request, from when it may start, `at_least` seconds from now, which is given, until it is over. Raises
        `Cancelled` when the run is stopped."""
        with self._slots:
            yield self.wait(at_least)

    def wait(self, at_least: float = 0.0) -> float:
        """Return when a request may start, `at_least` seconds from now; gives that instant. Raises `Cancelled` when
        the run is stopped."""
        own = self.now() + at_least
        with self._condition:
            while not self._stopped:
                now = self.now()
                remaining = max(self._not_before, own, self._next_start) - now
                if remaining <= 0:
                    self._next_start = now + self._spacing
                    return now
                self._sleep(self._condition, remaining)
            raise Cancelled

    def stop(self) -> None:
        """Wake every waiting thread with `Cancelled` and let no further request start."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

"""One limiter for all threads: when Jira asks for a pause, everybody pauses."""

from __future__ import annotations

import threading
import time


class Cancelled(Exception):
    """The run is being stopped; the waiting thread has nothing left to do."""


class Limiter:
    """Holds every thread back until the latest pause that Jira has asked for is over.

    State guarded: the instant (monotonic) before which no request may start, and whether the run is being stopped.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._not_before = 0.0
        self._stopped = False

    def pause(self, seconds: float) -> None:
        """Let no request start for `seconds` from now; a longer pause already in force stays."""
        with self._condition:
            self._not_before = max(self._not_before, time.monotonic() + seconds)

    def wait(self, at_least: float = 0.0) -> None:
        """Return when a request may start, `at_least` seconds from now. Raises `Cancelled` when the run is stopped."""
        own = time.monotonic() + at_least
        with self._condition:
            while not self._stopped:
                remaining = max(self._not_before, own) - time.monotonic()
                if remaining <= 0:
                    return
                self._condition.wait(remaining)
            raise Cancelled

    def stop(self) -> None:
        """Wake every waiting thread with `Cancelled` and let no further request start."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

"""One limiter for all threads."""

from __future__ import annotations

import threading
import time

import pytest

from jira_pipeline.jira.limiter import Cancelled, Limiter


def test_one_pause_holds_every_thread() -> None:
    limiter = Limiter()
    passed: list[float] = []
    limiter.pause(0.2)
    started = time.monotonic()

    def work() -> None:
        limiter.wait()
        passed.append(time.monotonic() - started)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(passed) == 5
    assert min(passed) >= 0.19


def test_a_shorter_pause_does_not_cut_a_longer_one() -> None:
    limiter = Limiter()
    limiter.pause(0.2)
    limiter.pause(0.0)
    started = time.monotonic()

    limiter.wait()

    assert time.monotonic() - started >= 0.19


def test_a_pause_that_begins_while_a_thread_waits_is_added() -> None:
    limiter = Limiter()
    started = time.monotonic()
    threading.Timer(0.05, limiter.pause, [0.3]).start()

    limiter.wait(0.1)

    assert time.monotonic() - started >= 0.3


def test_stopping_wakes_every_waiting_thread_and_lets_nobody_start() -> None:
    limiter = Limiter()
    limiter.pause(600)
    cancelled: list[bool] = []

    def work() -> None:
        with pytest.raises(Cancelled):
            limiter.wait()
        cancelled.append(True)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    limiter.stop()
    for thread in threads:
        thread.join(10)

    assert cancelled == [True] * 3
    with pytest.raises(Cancelled):
        limiter.wait()

"""Connections to Dagster's own SQLite files that are kept: opening them is half of the processor time of a small run.

Dagster opens a file anew for every statement, and with a new engine, so that SQLAlchemy compiles every statement anew
and SQLite moves its write-ahead log into the file each time. What is stored, and when, is the same, and once a process
has ended so are the files.
"""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any

import dagster._core.storage.event_log.sqlite.sqlite_event_log as event_log
import dagster._core.storage.runs.sqlite.sqlite_run_storage as runs
import dagster._core.storage.schedules.sqlite.sqlite_schedule_storage as schedules
import sqlalchemy
from sqlalchemy.pool import QueuePool


def keep_connections() -> None:
    """Of this process, and of those forked from it."""
    for module in (event_log, runs, schedules):
        assert callable(module.create_engine)
        vars(module)["create_engine"] = _engine_of


def _engine_of(url: str, *, connect_args: dict[str, Any] | None = None, **_: object) -> sqlalchemy.Engine:
    return _kept_engine(url, **(connect_args or {}))


@cache
def _kept_engine(url: str, **connect_args: object) -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(url, poolclass=QueuePool, connect_args=connect_args)
    atexit.register(engine.dispose)
    vars(engine)["dispose"] = lambda: None  # called after each statement
    return engine

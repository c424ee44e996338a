"""Connections to Dagster's own databases that are kept: opening them is half of the processor time of a small run.

Dagster opens an SQLite file anew for every statement, and with a new engine, so that SQLAlchemy compiles every
statement anew and SQLite moves its write-ahead log into the file each time. Of PostgreSQL it asks a new connection for
every statement, which is a password to be checked and a process of the server each time. What is stored, and when, is
the same, and once a process has ended so are the files.

Each time it opens a database first, Dagster also looks up in the 45 files of its migrations which is the newest. They
are read once.
"""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool, QueuePool


def keep_connections() -> None:
    """Of this process to SQLite, and of those forked from it."""
    import dagster._core.storage.event_log.sqlite.sqlite_event_log as event_log
    import dagster._core.storage.runs.sqlite.sqlite_run_storage as runs
    import dagster._core.storage.schedules.sqlite.sqlite_schedule_storage as schedules

    for module in (event_log, runs, schedules):
        assert callable(module.create_engine)
        vars(module)["create_engine"] = engine_of
    read_migrations_once()


def read_migrations_once() -> None:
    """Of this process and of those forked from it; with each of Dagster's three configurations of Alembic."""
    ScriptDirectory.from_config = _migrations  # type: ignore[method-assign]


def engine_of(url: str, *, connect_args: Mapping[str, Any] | None = None, **settings: Any) -> sqlalchemy.Engine:
    """As `sqlalchemy.create_engine`, but the one there is already where connections are not to be kept."""
    if settings.get("poolclass") is not NullPool:
        return sqlalchemy.create_engine(url, connect_args=dict(connect_args or {}), **settings)
    return _kept_engine(url, tuple((connect_args or {}).items()), settings.get("isolation_level"))


_read_migrations = ScriptDirectory.from_config


@cache
def _migrations(config: Config) -> ScriptDirectory:
    return _read_migrations(config)


@cache
def _kept_engine(url: str, connect_args: tuple[tuple[str, Any], ...], isolation_level: Any) -> sqlalchemy.Engine:
    isolation = {} if isolation_level is None else {"isolation_level": isolation_level}
    engine = sqlalchemy.create_engine(url, poolclass=QueuePool, connect_args=dict(connect_args), **isolation)
    if engine.dialect.name == "sqlite":
        # The UI watches the file, not its log, to see whether a run has got on.
        sqlalchemy.event.listen(engine, "connect", lambda opened, _: opened.execute("PRAGMA wal_autocheckpoint = 1"))
    atexit.register(engine.dispose)
    vars(engine)["dispose"] = lambda: None  # called after each statement
    return engine

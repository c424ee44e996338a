"""Settings and transactions of a DuckDB session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import duckdb


@contextmanager
def with_settings(connection: duckdb.DuckDBPyConnection, settings: Mapping[str, str]) -> Iterator[None]:
    """Other settings for as long as the context lasts, then DuckDB's own again."""
    for name, value in settings.items():
        connection.execute(f"SET {name} = '{value}'")
    try:
        yield
    finally:
        with suppress(duckdb.Error):  # an engine that refuses everything is given up
            for name in settings:
                connection.execute(f"RESET {name}")


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing: committed at the end, rolled back on an error."""
    connection.execute("BEGIN")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")

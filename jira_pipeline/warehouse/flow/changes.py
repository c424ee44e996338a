"""What tables are brought forward by: the differences that changed issues make, kept until a table takes them in.

Such a table is either counted anew, or it holds everything up to a recorded day and what has changed in its issues
since is in a table of differences (`ops.cumulative_flow_changes`, `ops.done_move_changes`, `ops.cycle_time_changes`).
Those of `cycle_times` have several readers, so each derivation's are a batch that stays until all have taken it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from jira_pipeline.warehouse.flow.tables import definition_changed, record, recorded
from jira_pipeline.warehouse.statements import row_count, run_sql

ALWAYS_KEPT = 10_000
"""Issues; more than these and a fifth of all at once are not worth subtracting and adding one by one."""
LONGEST = 1_000_000
"""Rows; a longer table of differences waits for somebody who never comes."""

STATUSES_FROM = "flow.daily_flow.statuses_from"

UNTAKEN = """
CREATE OR REPLACE TEMP VIEW untaken_changes AS
SELECT * FROM ops.cycle_time_changes WHERE batch IN (SELECT batch FROM ops.change_readers WHERE reader = '{}')
"""
NEXT_BATCH = "SELECT coalesce(max(batch), 0) + 1 FROM ops.change_readers"


def counted_through(connection: duckdb.DuckDBPyConnection, table: str) -> date | None:
    """The last day that `table` holds; None when it has to be counted anew."""
    day = recorded(connection, _name(table))
    return None if day is None else date.fromisoformat(day)


def record_counted(connection: duckdb.DuckDBPyConnection, table: str, last_day: date) -> None:
    """Note that `table` now holds everything up to `last_day`."""
    record(connection, _name(table), value=last_day.isoformat())


def forget_counted(connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], *, kept_in: tuple[str, ...]) -> None:
    """Have `tables` counted anew the next time, and give up the differences that would bring them forward."""
    record(connection, *map(_name, tables), value=None)
    for differences in kept_in:
        connection.execute(f"DELETE FROM {differences}")


def days_to_keep(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    last_day: date,
    *,
    sources: tuple[str, ...],
    settings: tuple[object, ...] | None,
) -> date | None:
    """Through which day what `table` holds is to be brought forward; None: count it anew.

    Anew when it is defined otherwise than before, or `last_day` lies before an earlier run's.
    """
    is_redefined = definition_changed(connection, table, sources=sources, settings=settings)
    through = counted_through(connection, table)
    return None if is_redefined or through is None or through > last_day else through


def bring_forward(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    last_day: date,
    *,
    files: tuple[str, ...],
    settings: tuple[object, ...] | None,
    parameters: Mapping[str, object],
) -> None:
    """Bring `table` up to `last_day` by its .sql files, from what it holds or from nothing.

    The SQL is told `$through`, the day up to which the table holds everything (before all others when it is empty), and
    `$is_rebuild`; the temporary view `untaken_changes` has what changed in `cycle_times` since. `settings`: those of
    them that no table it reads is rebuilt for.
    """
    through = days_to_keep(connection, table, last_day, sources=("flow_macros", *files), settings=settings)
    if through is None:
        connection.execute(f"DELETE FROM {table}")
    own = {"last_day": last_day, "through": through or date.min, "is_rebuild": through is None}
    connection.execute(UNTAKEN.format(table))
    for file in files:
        run_sql(connection, file, {**parameters, **own})
    run_sql(connection, "changes_taken", {"reader": table})
    record_counted(connection, table, last_day)


def change_readers(
    connection: duckdb.DuckDBPyConnection, tables: tuple[str, ...], changed_issues: int, *, kept_in: tuple[str, ...]
) -> list[str]:
    """Which of `tables` are brought forward by the differences that so many changed issues make, kept in `kept_in`.

    The others are counted anew the next time they run: they are to be anyway, or the differences are too many.
    """
    too_many = max(ALWAYS_KEPT, row_count(connection, "issues") // 5)
    if changed_issues > too_many or max(row_count(connection, differences) for differences in kept_in) > LONGEST:
        forget_counted(connection, tables, kept_in=kept_in)
    return [table for table in tables if counted_through(connection, table)]


def new_batch(connection: duckdb.DuckDBPyConnection, readers: Sequence[str]) -> int | None:
    """A number for changes in `cycle_times` that each of `readers` takes in when it runs; None where nobody would."""
    if not readers:
        return None
    ((batch,),) = connection.execute(NEXT_BATCH).fetchall()
    connection.execute(
        "INSERT INTO ops.change_readers BY NAME SELECT unnest($readers) AS reader, $batch AS batch",
        {"readers": readers, "batch": batch},
    )
    return int(batch)


def record_renewed_statuses(connection: duckdb.DuckDBPyConnection, first_day: date) -> None:
    """Note for `daily_flow` that `cumulative_flow` has other rows than before from `first_day` on."""
    earlier = recorded(connection, STATUSES_FROM)
    record(connection, STATUSES_FROM, value=min(first_day.isoformat(), earlier or date.max.isoformat()))


def take_renewed_statuses(connection: duckdb.DuckDBPyConnection) -> date:
    """The first day that `cumulative_flow` changed since the last call."""
    first_day = recorded(connection, STATUSES_FROM)
    record(connection, STATUSES_FROM, value=None)
    return date.fromisoformat(first_day) if first_day else date.max


def _name(table: str) -> str:
    return f"flow.{table}.through"

"""Which issues a table has to derive again: those whose stored row is another than the one derived from, or gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from jira_pipeline.warehouse.flow.tables import record, recorded
from jira_pipeline.warehouse.session import with_settings
from jira_pipeline.warehouse.statements import run_sql, sql_text

WITH_HISTORY = """
SELECT issue_id, load_id FROM issues
WHERE issue_id NOT IN (SELECT issue_id FROM raw_issues WHERE NOT history_complete AND issue_id IS NOT NULL)
"""
# Of each table: the loads of the issues that it should hold, and of those that it holds.
LOADS = {
    "status_intervals": (WITH_HISTORY, "SELECT issue_id, load_id FROM status_intervals WHERE stay_number = 1"),
    # Not the stays, which come from the same issues: there are six times as many to read.
    "time_in_status": (WITH_HISTORY, "SELECT issue_id, load_id FROM time_in_status WHERE is_current"),
    "field_intervals": (
        WITH_HISTORY,
        "SELECT issue_id, load_id FROM field_intervals WHERE field = 'project' AND until_at IS NULL",
    ),
    "cycle_times": ("SELECT issue_id, load_id FROM issues", "SELECT issue_id, load_id FROM cycle_times"),
}


FEW_ISSUES = 50_000
NEWER = "SELECT count(*) FROM issues WHERE load_id > (SELECT coalesce(max(load_id), -1) FROM cycle_times)"


@contextmanager
def few_on_one_thread(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One thread for the derivation when no more than `FEW_ISSUES` have been loaded since `cycle_times` was derived.

    Many short statements: on two cores a second thread takes an eighth more processor time for them. By the clock it
    saves nothing with 100,000 issues and two seconds with a million. Nobody looks whether another setting rebuilds
    everything: that then takes a third longer.
    """
    row = connection.execute(NEWER).fetchone()
    are_few = row is None or row[0] <= FEW_ISSUES
    with with_settings(connection, {"threads": "1"} if are_few else {}):
        yield


@contextmanager
def taken_out(connection: duckdb.DuckDBPyConnection, *queries: str, issues: int) -> Iterator[None]:
    """What the .sql files `queries` select of that many outdated issues, under their names for as long as the context
    lasts: temporary tables where the issues are few, because reading them out of all is what costs then, else views."""
    kind = "TABLE" if issues <= FEW_ISSUES else "VIEW"
    for query in queries:
        connection.execute(f"CREATE TEMP {kind} {query} AS {sql_text(query)}")
    yield
    for query in queries:
        connection.execute(f"DROP {kind} {query}")


def find_outdated_issues(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Fill the temporary table `outdated_issues` with the ids that `table` has to derive anew; returns how many.

    Loads are numbered upwards, so what is new has a higher number than everything derived (`ops.state` says up to
    which). Whether that is all is told by a fingerprint of the other rows on both sides; where it differs (issues
    removed, numbers used twice, a table that was emptied) both sides are compared row by row.

    The SQL variable `least_load` is the lowest load of these issues. No row about them anywhere has a lower one, which
    spares reading what earlier loads have written.
    """
    present, derived = LOADS[table]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW present_loads AS {present}")
    connection.execute(f"CREATE OR REPLACE TEMP VIEW derived_loads AS {derived}")
    through = int(recorded(connection, f"flow.{table}.load") or -1)
    run_sql(connection, "newer_issues", {"through": through})
    if connection.execute("SELECT nothing_else FROM others_compared").fetchone() != (True,):
        run_sql(connection, "outdated_issues")
    row = connection.execute("SELECT count(*), min(load_id), max(load_id) FROM outdated_issues").fetchone()
    issues, least, most = row or (0, None, None)
    connection.execute(f"SET VARIABLE least_load = {'NULL' if least is None else least}")
    if most is not None and most > through:
        record(connection, f"flow.{table}.load", value=str(most))
    return int(issues)

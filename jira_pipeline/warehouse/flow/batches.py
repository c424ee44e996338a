"""Deriving some issues at a time: what is joined and sorted on the way then fits into memory, however many they are."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from jira_pipeline.warehouse.statements import row_count

ISSUES_IN_A_BATCH = 1_000_000
"""Of an ordinary history: these just fit. What is spilled to disk costs more than all the joins."""

# By number, because issues fetched together lie together in the tables that are read.
SPLIT = """
CREATE OR REPLACE TEMP TABLE batched_issues AS
SELECT issue_id, ntile($batches) OVER (ORDER BY issue_id) AS batch FROM outdated_issues
"""
TAKE = "CREATE OR REPLACE TEMP TABLE outdated_issues AS SELECT issue_id FROM batched_issues WHERE batch = $batch"


def batches_of_outdated_issues(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Has the temporary table `outdated_issues` hold one part of its rows after the other, at least once.

    What is derived of an issue depends on no other issue, so that doing it in parts changes nothing.
    """
    batches = -(-row_count(connection, "outdated_issues") // ISSUES_IN_A_BATCH)
    if batches <= 1:
        yield
        return
    connection.execute(SPLIT, {"batches": batches})
    for batch in range(1, batches + 1):
        connection.execute(TAKE, {"batch": batch})
        yield
    connection.execute("DROP TABLE batched_issues")

"""raw_issues into issues: typed columns, read from the payload of every issue that is not typed yet in its present
form."""

from __future__ import annotations

import duckdb

from jira_pipeline.warehouse.statements import run_sql


def derive_issues(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring `issues` up to date with `raw_issues`; returns how many rows were written. Runs inside the caller's
    transaction."""
    paths = [
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT '$.fields.' || field_id AS path FROM ops.field_roles ORDER BY path"
        ).fetchall()
    ]
    parameters = {"field_paths": paths}
    run_sql(connection, "field_positions", parameters)
    run_sql(connection, "issues", parameters)
    row = connection.execute("SELECT count(*) FROM stale").fetchone()
    return int(row[0]) if row else 0

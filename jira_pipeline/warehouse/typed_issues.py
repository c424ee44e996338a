"""raw_issues into issues: typed columns, read from the payload of every issue that is not typed yet in its present
form."""

from __future__ import annotations

import duckdb
import msgspec

from jira_pipeline.warehouse.statements import row_count, run_sql


def derive_issues(connection: duckdb.DuckDBPyConnection) -> int:
    """Bring `issues` up to date with `raw_issues`; returns how many rows were written. Runs inside the caller's
    transaction.

    What a load has written is typed already (`type_stale`): this finds what is not, as after a change of the fields
    that play a role, and follows renamed statuses and moved parents.
    """
    run_sql(connection, "stale_issues")
    stale = row_count(connection, "stale")
    if stale:  # not as after most runs: planning how none are typed takes as long as a small load
        type_stale(connection)
    run_sql(connection, "renamed_in_issues")
    return stale


def type_stale(connection: duckdb.DuckDBPyConnection) -> None:
    """Type the issues of the temporary table `stale` (issue_id, load_id) anew."""
    found = connection.execute("SELECT DISTINCT field_id FROM ops.field_roles ORDER BY field_id").fetchall()
    fields = [field_id for (field_id,) in found]
    # Read in one pass with the fields that every site has, because each pass parses the whole payload.
    members = ", ".join('TRY_CAST(fields."' + field.replace('"', '""') + '" AS JSON)' for field in fields)
    connection.execute(f"CREATE OR REPLACE TEMP MACRO values_in_roles(fields) AS CAST([{members}] AS JSON[])")
    run_sql(connection, "field_positions", {"field_ids": fields})
    structure = {"fields": dict.fromkeys(fields, "JSON")}
    run_sql(connection, "issues", {"fields_in_roles": msgspec.json.encode(structure).decode()})

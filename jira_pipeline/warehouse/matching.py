"""Which member of the team roster each Jira user is."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import msgspec

from jira_pipeline.settings import TeamMember
from jira_pipeline.warehouse.statements import row_count, run_sql


def match_assignees(connection: duckdb.DuckDBPyConnection, members: Sequence[TeamMember]) -> int:
    """Rebuild `matched_assignees` from `users`, `issues` and the roster; returns its number of rows, one a user.

    The rules, and the reasons given to unmatched users, are in `sql/matched_assignees.sql`. The table is emptied and
    filled: the caller holds the transaction, and the write lock.
    """
    run_sql(connection, "matched_assignees", {"members": msgspec.json.encode(members).decode()})
    return row_count(connection, "matched_assignees")

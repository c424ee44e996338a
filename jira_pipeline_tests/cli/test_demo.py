"""`demo`: the README's first command."""

from __future__ import annotations

from pathlib import Path

import duckdb

from .conftest import Run


def test_the_demo_ends_with_the_tables_summarised(run: Run, tmp_path: Path) -> None:
    outcome = run("demo", "--no-ui", "--issues", "80")
    assert outcome.exit_code == 0, outcome.stderr
    assert "How long work takes" in outcome.stdout
    with duckdb.connect(str(tmp_path / "data" / "demo" / "jira.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM issues").fetchone() == (80,)
        matched = connection.execute("SELECT DISTINCT match_method FROM matched_assignees WHERE is_matched").fetchall()
    assert {method for (method,) in matched} == {"account_id", "email", "alias"}

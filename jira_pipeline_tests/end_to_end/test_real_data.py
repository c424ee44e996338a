"""Real sites' exports, served by the sandbox: exactly what is in them arrives, and a second sync changes nothing."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.sandbox import Sandbox, load_ndjson
from jira_pipeline_tests.end_to_end.pipeline import TODAY, Pipeline, assert_same_tables

SHARED = Path(os.environ.get("JIRA_PIPELINE_SHARED") or Path(__file__).resolve().parents[3] / "shared")

# Issues, histories, change items; None where the export has no changelogs.
COUNTS: dict[str, tuple[int, int | None, int | None]] = {
    "seanalytics-apache": (442, 1877, 2842),
    "kaszaq-aww-before": (135, 1052, 1528),
    "actionableagile": (25, 89, 93),
    "grid2print": (50, None, None),
    "arrow": (18285, None, None),
}


def instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def as_in_the_source(issue: dict[str, Any]) -> tuple[Any, ...]:
    fields = issue["fields"]
    person = fields.get("assignee") or {}
    return (
        int(issue["id"]),
        issue["key"],
        fields["status"]["name"],
        person.get("accountId") or person.get("key") or person.get("name"),
        instant(fields["created"]),
        instant(fields["updated"]),
        instant(fields.get("resolutiondate")),
    )


@pytest.mark.parametrize("name", COUNTS)
def test_a_real_export_arrives_whole(name: str, tmp_path: Path) -> None:
    path = SHARED / "data" / f"{name}.ndjson.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not here: set JIRA_PIPELINE_SHARED to the directory that holds data/{path.name}")
    with Sandbox(load_ndjson(path)) as sandbox:
        sandbox.now = TODAY
        source = sandbox.issues()
        keys = sorted({issue["fields"]["project"]["key"] for issue in source})
        pipeline = Pipeline(sandbox, tmp_path, keys=keys, threads=4)

        outcomes = pipeline.sync()

        assert {key: outcome.error for key, outcome in outcomes.items()} == dict.fromkeys(keys)
        issues, histories, items = COUNTS[name]
        stored = pipeline.rows(
            "SELECT issue_id, issue_key, status, assignee_id, created_at, updated_at, resolved_at "
            "FROM issues ORDER BY issue_id"
        )
        assert len(stored) == issues
        assert stored == [as_in_the_source(issue) for issue in source]
        if histories is not None:
            assert pipeline.rows("SELECT sum(history_count), bool_and(history_complete) FROM raw_issues") == [
                (histories, True)
            ]
            assert pipeline.value("SELECT count(*) FROM issue_changes") == items
        pipeline.derive()
        before = pipeline.tables()
        outcomes = pipeline.sync()
        pipeline.derive()
        assert {(outcome.issues_created, outcome.issues_updated) for outcome in outcomes.values()} == {(0, 0)}
        assert_same_tables(pipeline.tables(), before)

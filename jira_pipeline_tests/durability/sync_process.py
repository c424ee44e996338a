"""A whole sync in a process of its own, which may be killed, with the site in the environment. Prints a line when it
begins to work, and ends like the command line does."""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.settings import PipelineConfig, SyncSettings, TrackedProject
from jira_pipeline.sync.plan import PartitionWindow
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.ingest import ingest
from jira_pipeline.warehouse.typed_issues import derive_issues
from jira_pipeline_tests.end_to_end.pipeline import Unwatched

DAY = date(2026, 11, 19)


def main(directory: str, *keys: str) -> int:
    """Fetch and store every issue, type and publish them."""
    print("working", flush=True)
    warehouse = Warehouse(Path(directory) / "jira.duckdb")
    try:
        warehouse.prepare()
        outcomes = ingest(
            connect(credentials_from(os.environ)),
            warehouse,
            PipelineConfig(
                path=Path(directory) / "jira_pipeline.yaml",
                start_date=DAY,
                tracked_projects=tuple(TrackedProject(key=key) for key in keys),
                sync=SyncSettings(concurrency=2),
            ),
            partitions=PartitionWindow(DAY, DAY, is_newest=True),
            run_id=f"process {os.getpid()}",
            progress=Unwatched(),
            full=True,
        )
        with warehouse.transaction() as connection:
            derive_issues(connection)
        warehouse.publish()
    except PipelineError as error:
        print(f"jira-pipeline: {error}", file=sys.stderr)
        return error.exit_code
    for outcome in outcomes:
        if outcome.error is not None:
            print(f"jira-pipeline: {outcome.project_key}: {outcome.error}", file=sys.stderr)
    return int(any(outcome.error is not None for outcome in outcomes))

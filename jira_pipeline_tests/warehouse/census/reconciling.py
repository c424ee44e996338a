"""A sandbox, a warehouse, and what runs of the pipeline do between them: sync, census, derive."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.sandbox import Sandbox
from jira_pipeline.settings import load_config
from jira_pipeline.sync.plan import PartitionWindow
from jira_pipeline.sync.progress import LoggedProgress
from jira_pipeline.warehouse.census import CensusOutcome
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.ingest import ingest
from jira_pipeline.warehouse.reconcile import take_census
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline.warehouse.typed_issues import derive_issues

DAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
_QUICK = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.02, total_seconds=20.0)


class Pipeline:
    """A warehouse that follows a sandbox. Projects are tracked by key."""

    def __init__(self, sandbox: Sandbox, directory: Path, tracked: Iterable[str]) -> None:
        self.sandbox = sandbox
        self.warehouse = Warehouse(directory / "jira.duckdb")
        self._config = directory / "jira_pipeline.yaml"
        self._runs = 0
        self.track(*tracked)
        sandbox.now = NOW

    def track(self, *keys: str) -> None:
        """Track these projects and no others."""
        projects = "".join(f"  - key: {key}\n" for key in keys)
        self._config.write_text(f"start_date: 2026-11-01\ntracked_projects:\n{projects}", encoding="utf-8")

    def connect(self) -> JiraSite:
        """Sign in; the requests of that are not recorded."""
        site = connect(credentials_from(self.sandbox.credentials), policy=_QUICK)
        self.sandbox.clear_requests()
        return site

    def sync(self, *, full: bool = False) -> tuple[ProjectOutcome, ...]:
        """One sync of the newest partition."""
        self._runs += 1
        return ingest(
            self.connect(),
            self.warehouse,
            load_config(self._config),
            partitions=PartitionWindow(DAY, DAY, is_newest=True),
            run_id=f"run {self._runs}",
            progress=LoggedProgress(),
            full=full,
        )

    def census(self, *, confirmed: Iterable[str] = (), site: JiraSite | None = None) -> dict[str, CensusOutcome]:
        """One census, by project key."""
        self._runs += 1
        outcomes = take_census(
            site or self.connect(),
            self.warehouse,
            load_config(self._config),
            run_id=f"run {self._runs}",
            partition_date=DAY,
            confirmed=list(confirmed),
        )
        return {outcome.project_key: outcome for outcome in outcomes}

    def derive(self) -> None:
        """Type the issues."""
        with self.warehouse.transaction() as connection:
            derive_issues(connection)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.warehouse.connection() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def removed(self) -> dict[int, str]:
        """Why issues are marked as removed, by id."""
        return dict(self.rows("SELECT issue_id, removal_reason FROM raw_issues WHERE removed_at IS NOT NULL"))

    def stored(self) -> dict[int, str]:
        """The keys of the issues that are not removed, by id."""
        return dict(self.rows("SELECT issue_id, issue_key FROM raw_issues WHERE removed_at IS NULL"))

    def shown(self, *projects: str) -> dict[int, str]:
        """The keys of the issues that the site shows in these projects, by id."""
        keys = self.sandbox.issue_keys()
        return {issue_id: key for issue_id, key in keys.items() if key.rpartition("-")[0] in projects}

    def requests_to(self, *endings: str) -> int:
        """How many of the last connection's requests went to paths with one of these endings."""
        return sum(request.path.endswith(endings) for request in self.sandbox.requests)

"""A pipeline that follows a site: the steps of its jobs without Dagster, with waits too short to be noticed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.sandbox import Sandbox
from jira_pipeline.settings import PipelineConfig, SyncSettings, TrackedProject
from jira_pipeline.sync.plan import PartitionWindow
from jira_pipeline.warehouse.census import CensusOutcome
from jira_pipeline.warehouse.flow import FlowSettings, derive_cycle_times, derive_status_intervals
from jira_pipeline.warehouse.ingest import ingest, select_projects
from jira_pipeline.warehouse.operations import known_project_ids, required_as_of
from jira_pipeline.warehouse.reconcile import take_census
from jira_pipeline.warehouse.reference import store_directory, store_projects
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline.warehouse.typed_issues import derive_issues
from jira_pipeline_tests.empty_warehouse import empty_warehouse
from jira_pipeline_tests.end_to_end.pipeline import Unwatched

# A request meets at most two random faults in a row.
PATIENT = RetryPolicy(
    attempts=5, first_wait=0.001, longest_wait=0.005, total_seconds=30.0, connect_timeout=5.0, read_timeout=5.0
)


class Follower:
    """A warehouse and what runs of the pipeline do to it. State guarded: the number of runs, which names them."""

    def __init__(self, sandbox: Sandbox, directory: Path, tracked_keys: Iterable[str]) -> None:
        self.warehouse = empty_warehouse(directory)
        self._sandbox = sandbox
        self._config = PipelineConfig(
            path=directory / "jira_pipeline.yaml",
            start_date=date(2025, 10, 1),
            tracked_projects=tuple(TrackedProject(key=key) for key in tracked_keys),
            sync=SyncSettings(overlap_hours=12, concurrency=2),
        )
        self._runs = itertools.count(1)

    @property
    def newest_partition(self) -> date:
        """The last complete day in UTC, by the site's clock."""
        return self._sandbox.now.date() - timedelta(days=1)

    def sync(self, first: date, last: date) -> tuple[ProjectOutcome, ...]:
        """Store what the partitions ask for, type it, and say how each project fared."""
        site = self._connect()
        listed = site.projects()
        with self.warehouse.transaction() as connection:
            selection = select_projects(site, listed, self._config, known_ids=known_project_ids(connection))
            tracked = {project.id for _, project in selection.active}
            store_projects(connection, listed, tracked_ids=tracked, synced_at=self._sandbox.now)
        outcomes = ingest(
            site,
            self.warehouse,
            self._config,
            partitions=PartitionWindow(first, last, is_newest=last >= self.newest_partition),
            run_id=f"run {next(self._runs)}",
            progress=Unwatched(),
        )
        users = list(site.directory())
        with self.warehouse.transaction() as connection:
            store_directory(connection, users, synced_at=self._sandbox.now)
            derive_issues(connection)
        return outcomes

    def census(self) -> tuple[CensusOutcome, ...]:
        """Look for what is gone. So many issues at once that somebody must confirm it is confirmed."""
        outcomes = self._take_census(())
        held = [outcome.project_key for outcome in outcomes if outcome.held]
        return self._take_census(held) if held else outcomes

    def _take_census(self, confirmed: Iterable[str]) -> tuple[CensusOutcome, ...]:
        outcomes = take_census(
            self._connect(),
            self.warehouse,
            self._config,
            run_id=f"run {next(self._runs)}",
            partition_date=self.newest_partition,
            confirmed=list(confirmed),
        )
        with self.warehouse.transaction() as connection:
            derive_issues(connection)
        return outcomes

    def derive_flow(self) -> None:
        """Bring the flow tables up to date."""
        with self.warehouse.transaction() as connection:
            settings, as_of = FlowSettings(), required_as_of(connection)
            derive_status_intervals(connection, settings, as_of=as_of)
            derive_cycle_times(connection, settings, as_of=as_of)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.warehouse.transaction() as connection:
            return connection.execute(sql).fetchall()

    def _connect(self) -> JiraSite:
        site = connect(credentials_from(self._sandbox.credentials), policy=PATIENT)
        # Slowing down for a site that is short of allowance is a matter of seconds, and tested elsewhere.
        site.transport.limiter.slow_down = lambda started: None  # type: ignore[method-assign]
        return site

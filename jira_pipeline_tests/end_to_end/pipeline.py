"""A pipeline beside a sandbox: it syncs and derives as the assets do, without Dagster; tables are compared whole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.errors import RequestRefused
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.sandbox import Sandbox
from jira_pipeline.settings import PipelineConfig, SyncSettings, TrackedProject
from jira_pipeline.sync.plan import PartitionWindow
from jira_pipeline.warehouse.flow import (
    FlowSettings,
    derive_cycle_time_metrics,
    derive_cycle_times,
    derive_status_intervals,
    few_on_one_thread,
)
from jira_pipeline.warehouse.ingest import ingest, select_projects
from jira_pipeline.warehouse.matching import match_assignees
from jira_pipeline.warehouse.operations import known_project_ids, required_as_of
from jira_pipeline.warehouse.reference import store_directory, store_projects
from jira_pipeline.warehouse.run_store import ProjectOutcome
from jira_pipeline.warehouse.typed_issues import derive_issues
from jira_pipeline_tests.empty_warehouse import empty_warehouse

QUICK = RetryPolicy(
    attempts=3, first_wait=0.01, longest_wait=0.05, total_seconds=20.0, connect_timeout=5.0, read_timeout=10.0
)
TODAY = datetime(2026, 11, 21, 12, tzinfo=UTC)
YESTERDAY = date(2026, 11, 20)
# Which run wrote a row, and when: these tell how the tables came about, all other columns what is in them.
BOOKKEEPING = frozenset({"partition_date", "synced_at", "load_id"})

Tables = dict[str, list[tuple[Any, ...]]]


class Unwatched:
    """Progress that nobody looks at."""

    shows_totals = False

    def started(self, project_key: str, mode: str) -> None: ...

    def expects(self, project_key: str, total: int) -> None: ...

    def landed(self, project_key: str, issues: int) -> None: ...

    def finished(self, project_key: str, issues: int, error: str | None) -> None: ...


class Pipeline:
    """A warehouse that follows a sandbox. All the sandbox's projects are tracked unless `keys` says which."""

    def __init__(
        self, sandbox: Sandbox, directory: Path, *, keys: Sequence[str] | None = None, threads: int = 3
    ) -> None:
        self.sandbox = sandbox
        self.warehouse = empty_warehouse(directory)
        if keys is None:
            keys = sorted({issue["fields"]["project"]["key"] for issue in sandbox.issues()})
        self.config = PipelineConfig(
            path=directory / "jira_pipeline.yaml",
            start_date=date(2026, 11, 1),
            tracked_projects=tuple(TrackedProject(key=key) for key in keys),
            sync=SyncSettings(overlap_hours=12, concurrency=threads),
        )
        self._runs = itertools.count(1)

    def sync(
        self, first: date = YESTERDAY, last: date | None = None, *, full: bool = False, only: Sequence[str] = ()
    ) -> dict[str, ProjectOutcome]:
        """Sync the partitions from `first` to `last` and type the issues; the outcomes by project key.

        The newest partition is the day before the sandbox's own.
        """
        last = last or first
        environ = self.sandbox.credentials | {"JIRA_PIPELINE_DATABASE": str(self.warehouse.published)}
        site = connect(credentials_from(environ), policy=QUICK)
        newest = self.sandbox.now.date() - timedelta(days=1)
        listed = site.projects()
        with self.warehouse.transaction() as connection:
            selection = select_projects(site, listed, self.config, known_ids=known_project_ids(connection))
            tracked = {project.id for _, project in selection.active}
            store_projects(connection, listed, tracked_ids=tracked, synced_at=self.sandbox.now)
        outcomes = ingest(
            site,
            self.warehouse,
            self.config,
            partitions=PartitionWindow(first, last, is_newest=last >= newest),
            run_id=f"run-{next(self._runs)}",
            progress=Unwatched(),
            full=full,
            only=only,
        )
        try:
            users = list(site.directory())
        except RequestRefused:
            users = []
        with self.warehouse.transaction() as connection:
            if users:
                store_directory(connection, users, synced_at=self.sandbox.now)
            derive_issues(connection)
            match_assignees(connection, self.config.team_members)
        return {outcome.project_key: outcome for outcome in outcomes}

    def derive(self) -> None:
        """Bring the flow tables up to date, as the assets do after a sync."""
        with self.warehouse.transaction() as connection:
            settings, as_of = FlowSettings(), required_as_of(connection)
            with few_on_one_thread(connection):
                derive_status_intervals(connection, settings, as_of=as_of)
                derive_cycle_times(connection, settings, as_of=as_of)
                derive_cycle_time_metrics(connection, settings, as_of=as_of)

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        with self.warehouse.transaction() as connection:
            return connection.execute(sql, list(parameters)).fetchall()

    def value(self, sql: str, *parameters: object) -> Any:
        """The only value of an answer."""
        ((value,),) = self.rows(sql, *parameters)
        return value

    def tables(self, *, leaving_out: frozenset[str] = frozenset()) -> Tables:
        """Every table of the schema `main`, whole, without the columns named."""
        with self.warehouse.transaction() as connection:
            columns: dict[str, list[str]] = {}
            for table, column in connection.execute(
                "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'main' AND NOT internal "
                "AND database_name = current_database() ORDER BY table_name, column_index"
            ).fetchall():
                if column not in leaving_out:
                    columns.setdefault(table, []).append(f'"{column}"')
            return {
                table: connection.execute(f'SELECT {", ".join(names)} FROM "{table}" ORDER BY ALL').fetchall()
                for table, names in columns.items()
            }

    def contents(self) -> Tables:
        """What the tables say, apart from which run wrote it."""
        return self.tables(leaving_out=BOOKKEEPING)


def assert_same_tables(found: Tables, expected: Tables) -> None:
    """Tables are equal, row by row; says which table differs and by which rows."""
    assert found.keys() == expected.keys()
    for table, rows in expected.items():
        if found[table] != rows:
            have, want = set(map(repr, found[table])), set(map(repr, rows))
            raise AssertionError(f"{table}: not expected {list(have - want)[:3]}, missing {list(want - have)[:3]}")


def at(day: int, hour: int = 9) -> datetime:
    """An instant of November 2026."""
    return datetime.combine(date(2026, 11, day), time(hour), UTC)

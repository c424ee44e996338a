"""Storing one project while it is being fetched: whole issues in transactions as they land, the watermark with the
last one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.errors import ProjectUnavailable
from jira_pipeline.sync.fetch import ProjectFetch
from jira_pipeline.sync.landing import LandingFile
from jira_pipeline.sync.plan import ProjectPlan
from jira_pipeline.warehouse.database import transaction
from jira_pipeline.warehouse.disk import full_disk_explained
from jira_pipeline.warehouse.load import LandingDamaged, LoadCounts, are_a_batch, load_issues, set_issues_aside
from jira_pipeline.warehouse.operations import record_outcome


@dataclass(frozen=True)
class ProjectOutcome:
    """How the sync of one tracked project ended. `error` is None when everything of its window is stored."""

    project_key: str
    mode: str | None
    issues_fetched: int = 0
    issues_created: int = 0
    issues_updated: int = 0
    issues_failed: int = 0
    changes_written: int = 0
    requests: int = 0
    retries: int = 0
    error: BaseException | None = None

    @property
    def is_permanent(self) -> bool:
        """Whether the error stays until somebody acts: trying again tomorrow alone does not help."""
        return isinstance(self.error, (ProjectUnavailable, SettingsError))

    @property
    def is_unknown(self) -> bool:
        """Whether the site has no such project at all, so that the configuration is wrong."""
        return isinstance(self.error, SettingsError)


class ProjectStore:
    """Stores what lands of one project.

    A small project is stored in one transaction. A large one takes one for every 96 MB or more: so storing keeps pace
    with fetching, a run that dies loses little, and other writers need not wait for hours. What is stored are whole
    issues, each with its history; the watermark moves in the last transaction only, so after a failure the next run
    fetches the window again.

    State guarded: the files that wait, what has been stored, and why no more can be.
    """

    def __init__(self, plan: ProjectPlan, landing: Path, *, run_id: str, partition_date: date) -> None:
        self._plan = plan
        self._landing = landing
        self._run_id = run_id
        self._partition_date = partition_date
        self._waiting: list[LandingFile] = []
        self._counts = LoadCounts()
        self._error: Exception | None = None

    def add(self, file: LandingFile) -> None:
        """Take a landing file, to be stored soon."""
        self._waiting.append(file)

    @property
    def has_enough(self) -> bool:
        """Whether so much waits that storing it is worth a transaction."""
        return are_a_batch(self._waiting)

    def store_waiting(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Store the files that wait."""
        with self._taken() as files, self._failure_noted(), self._transaction(connection):
            self._load(connection, files, datetime.now(UTC))

    def finish(self, connection: duckdb.DuckDBPyConnection, fetch: ProjectFetch) -> ProjectOutcome:
        """Store what is left, and in the same transaction how the fetch ended."""
        finished_at = datetime.now(UTC)
        with self._taken() as files:
            with self._failure_noted(), self._transaction(connection):
                self._load(connection, files, finished_at)
                set_issues_aside(connection, fetch.unreadable, self._plan.project.key, finished_at)
                if self._error is None:
                    self._record(connection, fetch, finished_at)
            if self._error is not None:
                fetch = _not_stored(fetch, self._error)
                with transaction(connection):
                    self._record(connection, fetch, finished_at)
        return ProjectOutcome(
            project_key=self._plan.project.key,
            mode=self._plan.mode,
            issues_fetched=fetch.issues_fetched,
            issues_created=self._counts.issues_created,
            issues_updated=self._counts.issues_updated,
            issues_failed=len(fetch.unreadable),
            changes_written=self._counts.changes_written,
            requests=fetch.requests,
            retries=fetch.retries,
            error=fetch.error,
        )

    def _load(self, connection: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], now: datetime) -> None:
        if files and self._error is None:
            self._counts += load_issues(
                connection, files, project=self._plan.project, partition_date=self._partition_date, synced_at=now
            )

    def _record(self, connection: duckdb.DuckDBPyConnection, fetch: ProjectFetch, finished_at: datetime) -> None:
        record_outcome(
            connection,
            fetch,
            self._counts,
            run_id=self._run_id,
            partition_date=self._partition_date,
            finished_at=finished_at,
        )

    @contextmanager
    def _taken(self) -> Iterator[list[LandingFile]]:
        files, self._waiting = self._waiting, []
        yield files
        for file in files:
            file.unlink()

    @contextmanager
    def _transaction(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        counts = self._counts
        try:
            with full_disk_explained(self._landing.parent), transaction(connection):
                yield
        except BaseException:
            self._counts = counts
            raise

    @contextmanager
    def _failure_noted(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, LandingDamaged) as error:
            self._error = self._error or error


def _not_stored(fetch: ProjectFetch, error: Exception) -> ProjectFetch:
    reason = str(error).partition("\n")[0].rstrip(". ")
    sentence = (
        f"What was fetched of {fetch.plan.project.key} could not be stored: {reason}. "
        "What was stored before is untouched, and the next run fetches it again."
    )
    return replace(fetch, watermark=fetch.plan.watermark, error=PipelineError(sentence))

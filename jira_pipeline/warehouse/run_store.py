"""Storing what lands while more is being fetched: whole issues in transactions as they come, a project's watermark with
its last ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.errors import ProjectUnavailable
from jira_pipeline.sync.fetch import Landed, ProjectFetch
from jira_pipeline.sync.landing import LandingFile
from jira_pipeline.warehouse.database import transaction
from jira_pipeline.warehouse.disk import full_disk_explained
from jira_pipeline.warehouse.load import LandingDamaged, LoadCounts, are_a_batch, load_issues, set_issues_aside
from jira_pipeline.warehouse.operations import record_outcome

_CANNOT_BE_STORED = (duckdb.Error, LandingDamaged)

# Projects by id, with how the fetch of each ended, or None while it goes on.
_Group = dict[str, ProjectFetch | None]


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


class RunStore:
    """Stores what lands in one run.

    What has landed is stored as soon as it is 96 MB, and whenever a project ends, of whatever projects it is: planning
    the statements of a load takes longer than loading a few issues. So storing keeps pace with fetching, a run that
    dies loses little, and other writers need not wait for hours. What is stored are whole issues, each with its
    history; the watermark moves in a project's last transaction only, so after a failure the next run fetches the
    window again.

    State guarded: by project, the files that wait, what has been stored, and why no more can be.
    """

    def __init__(self, landing: Path, *, run_id: str, partition_date: date) -> None:
        self._landing = landing
        self._run_id = run_id
        self._partition_date = partition_date
        self._waiting: defaultdict[str, list[LandingFile]] = defaultdict(list)
        self._counts: defaultdict[str, LoadCounts] = defaultdict(LoadCounts)
        self._errors: dict[str, Exception] = {}

    def add(self, landed: Landed) -> None:
        """Take a landing file, to be stored soon."""
        self._waiting[landed.plan.project.id].append(landed.file)

    @property
    def has_enough(self) -> bool:
        """Whether so much waits that storing it is worth a transaction."""
        return are_a_batch([file for files in self._waiting.values() for file in files])

    def store(self, connection: duckdb.DuckDBPyConnection, ended: Sequence[ProjectFetch]) -> list[ProjectOutcome]:
        """Store what waits, and with the last issues of the projects whose fetch has ended how it ended.

        Returns the outcomes of those. What cannot be stored of another is told when that one ends.
        """
        return [outcome for group in self._groups(ended) for outcome in self._store(connection, group)]

    def _groups(self, ended: Sequence[ProjectFetch]) -> Iterator[_Group]:
        """Projects to be stored together: few enough not to be two batches, and alone what has failed already."""
        group: _Group = {}
        files: list[LandingFile] = []
        of_all: _Group = {fetch.plan.project.id: fetch for fetch in ended}
        of_all |= {
            project_id: None for project_id, waits in self._waiting.items() if waits and project_id not in of_all
        }
        for project_id, fetch in of_all.items():
            if project_id in self._errors:
                yield {project_id: fetch}
                continue
            group[project_id] = fetch
            files += self._waiting[project_id]
            if are_a_batch(files):
                yield group
                group, files = {}, []
        if group:
            yield group

    def _store(self, connection: duckdb.DuckDBPyConnection, group: _Group) -> list[ProjectOutcome]:
        now = datetime.now(UTC)
        ended = [fetch for fetch in group.values() if fetch is not None]
        before = {project_id: self._counts[project_id] for project_id in group}
        try:
            if failed := self._errors.keys() & group.keys():
                raise self._errors[failed.pop()]
            with self._transaction(connection):
                files = [file for project_id in group for file in self._waiting[project_id]]
                loaded = self._load(connection, files, now)
                counts = {each: stored + loaded.get(each, LoadCounts()) for each, stored in before.items()}
                for fetch in ended:
                    set_issues_aside(connection, fetch.unreadable, fetch.plan.project.key, now)
                self._record(connection, ended, counts, now)
        except _CANNOT_BE_STORED as error:
            if len(group) > 1:
                # Each by itself, so that only those fail that cannot be stored.
                return [outcome for each in group.items() for outcome in self._store(connection, dict([each]))]
            self._errors |= dict.fromkeys(group, error)
            ended, counts = [_not_stored(fetch, error) for fetch in ended], before
            with transaction(connection):
                self._record(connection, ended, counts, now)
        self._counts |= counts
        for project_id in group:
            self._drop(project_id)
        return [_outcome(fetch, counts[fetch.plan.project.id]) for fetch in ended]

    def _load(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], now: datetime
    ) -> Mapping[str, LoadCounts]:
        return load_issues(connection, files, partition_date=self._partition_date, synced_at=now)

    def _record(
        self,
        connection: duckdb.DuckDBPyConnection,
        ended: Sequence[ProjectFetch],
        counts: Mapping[str, LoadCounts],
        finished_at: datetime,
    ) -> None:
        for fetch in ended:
            record_outcome(
                connection,
                fetch,
                counts[fetch.plan.project.id],
                run_id=self._run_id,
                partition_date=self._partition_date,
                finished_at=finished_at,
            )

    def _drop(self, project_id: str) -> None:
        for file in self._waiting[project_id]:
            file.unlink()
        self._waiting[project_id] = []

    @contextmanager
    def _transaction(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with full_disk_explained(self._landing.parent), transaction(connection):
            yield


def _outcome(fetch: ProjectFetch, counts: LoadCounts) -> ProjectOutcome:
    return ProjectOutcome(
        project_key=fetch.plan.project.key,
        mode=fetch.plan.mode,
        issues_fetched=fetch.issues_fetched,
        issues_created=counts.issues_created,
        issues_updated=counts.issues_updated,
        issues_failed=len(fetch.unreadable),
        changes_written=counts.changes_written,
        requests=fetch.requests,
        retries=fetch.retries,
        error=fetch.error,
    )


def _not_stored(fetch: ProjectFetch, error: Exception) -> ProjectFetch:
    reason = str(error).partition("\n")[0].rstrip(". ")
    sentence = (
        f"What was fetched of {fetch.plan.project.key} could not be stored: {reason}. "
        "What was stored before is untouched, and the next run fetches it again."
    )
    return replace(fetch, watermark=fetch.plan.watermark, error=PipelineError(sentence))

"""Storing what lands while more is being fetched: whole issues in transactions as they come, a project's watermark with
its last ones."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.errors import ProjectUnavailable
from jira_pipeline.sync.fetch import Landed, ProjectFetch
from jira_pipeline.sync.landing import LandingFile
from jira_pipeline.warehouse.disk import full_disk_explained
from jira_pipeline.warehouse.load import (
    LandingDamaged,
    LoadCounts,
    are_a_batch,
    forget_set_aside,
    load_issues,
    set_issues_aside,
)
from jira_pipeline.warehouse.operations import record_outcome
from jira_pipeline.warehouse.session import transaction

_CANNOT_BE_STORED = (duckdb.Error, LandingDamaged)

# By project.
_Files = dict[str, list[LandingFile]]


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
        self._waiting: defaultdict[str, deque[LandingFile]] = defaultdict(deque)
        self._counts: defaultdict[str, LoadCounts] = defaultdict(LoadCounts)
        self._errors: dict[str, Exception] = {}

    def add(self, landed: Landed) -> None:
        """Take a landing file, to be stored soon."""
        if landed.plan.project.id in self._errors:
            landed.file.unlink()
        else:
            self._waiting[landed.plan.project.id].append(landed.file)

    @property
    def has_enough(self) -> bool:
        """Whether so much waits that storing it is worth a transaction."""
        return are_a_batch([file for files in self._waiting.values() for file in files])

    def store(self, connection: duckdb.DuckDBPyConnection, ended: Sequence[ProjectFetch]) -> list[ProjectOutcome]:
        """Store what waits, if it is enough or a project has ended, and with a project's last issues how it ended.

        Returns the outcomes of those that have ended. What cannot be stored of another is told when that one ends.
        """
        while self.has_enough:
            self._store(connection, self._take(), {})
        rest = {fetch.plan.project.id: fetch for fetch in ended}
        failed = [rest.pop(project_id) for project_id in self._errors.keys() & rest.keys()]
        outcomes = [self._fail(connection, fetch) for fetch in failed]
        return outcomes + (self._store(connection, self._take(), rest) if rest else [])

    def _take(self) -> _Files:
        """What waits, up to a batch: a transaction keeps all that it writes in memory."""
        taken: _Files = {}
        for project_id, waiting in self._waiting.items():
            while waiting and not are_a_batch([file for files in taken.values() for file in files]):
                taken.setdefault(project_id, []).append(waiting.popleft())
        return taken

    def _store(
        self, connection: duckdb.DuckDBPyConnection, files: _Files, ended: Mapping[str, ProjectFetch]
    ) -> list[ProjectOutcome]:
        now = datetime.now(UTC)
        ids = dict.fromkeys([*files, *ended])
        try:
            with self._transaction(connection):
                loaded = self._load(connection, [file for of_one in files.values() for file in of_one], now)
                counts = {each: self._counts[each] + loaded.get(each, LoadCounts()) for each in ids}
                for fetch in ended.values():
                    set_issues_aside(connection, fetch.unreadable, fetch.plan.project.key, now)
                    if fetch.gone:
                        forget_set_aside(connection, fetch.gone, fetch.plan.project.key)
                    self._record(connection, fetch, counts[fetch.plan.project.id], now)
        except _CANNOT_BE_STORED as error:
            if len(ids) > 1:
                # Each by itself, so that only those fail that cannot be stored.
                outcomes: list[ProjectOutcome] = []
                for each in ids:
                    own = {each: ended[each]} if each in ended else {}
                    outcomes += self._store(connection, {each: files.get(each, [])}, own)
                return outcomes
            (project_id,) = ids
            self._errors[project_id] = error
            _unlink([*files.get(project_id, ()), *self._waiting.pop(project_id, ())])
            return [self._fail(connection, fetch) for fetch in ended.values()]
        self._counts |= counts
        _unlink(file for of_one in files.values() for file in of_one)
        return [_outcome(fetch, counts[project_id]) for project_id, fetch in ended.items()]

    def _fail(self, connection: duckdb.DuckDBPyConnection, fetch: ProjectFetch) -> ProjectOutcome:
        """Record that a project has ended of which something could not be stored."""
        project_id = fetch.plan.project.id
        failed, counts = _not_stored(fetch, self._errors[project_id]), self._counts[project_id]
        with transaction(connection):
            self._record(connection, failed, counts, datetime.now(UTC))
        return _outcome(failed, counts)

    def _load(
        self, connection: duckdb.DuckDBPyConnection, files: Sequence[LandingFile], now: datetime
    ) -> Mapping[str, LoadCounts]:
        return load_issues(connection, files, partition_date=self._partition_date, synced_at=now)

    def _record(
        self, connection: duckdb.DuckDBPyConnection, fetch: ProjectFetch, counts: LoadCounts, finished_at: datetime
    ) -> None:
        record_outcome(
            connection,
            fetch,
            counts,
            run_id=self._run_id,
            partition_date=self._partition_date,
            finished_at=finished_at,
        )

    @contextmanager
    def _transaction(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        with full_disk_explained(self._landing.parent), transaction(connection):
            yield


def _unlink(files: Iterable[LandingFile]) -> None:
    for file in files:
        file.unlink()


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

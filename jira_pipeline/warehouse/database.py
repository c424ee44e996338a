"""The two files: a working database that one run at a time writes, and the published copy that everybody else reads.

DuckDB lets one process write a file and nobody else open it meanwhile, so people never open the file that is written.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj

import duckdb
from filelock import FileLock, Timeout

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.warehouse.disk import full_disk_explained
from jira_pipeline.warehouse.engine import started_engine, use_attached
from jira_pipeline.warehouse.schema import check_not_newer, ensure_schema, has_present_schema
from jira_pipeline.warehouse.session import transaction, with_settings
from jira_pipeline.warehouse.statements import sql_text

log = logging.getLogger(__name__)

# Named, because a newer DuckDB would write files that the clients of people's tools cannot open yet.
_STORAGE_VERSION = "v1.5.0"
_WAIT_SECONDS = 600.0
_CATALOG = "warehouse"
# DuckDB writes full row groups straight to the file; what does not fill one is kept in memory and written at the
# commit, by one thread and by way of the log. Issues are large, so few of them are enough.
_ISSUES_IN_A_ROW_GROUP = 2048
# DuckDB's words for a file of another user, for one that is none of its own, and for a damaged one. A full disk is told
# elsewhere.
_CANNOT_BE_OPENED = ("ermission denied", "not a valid DuckDB database", "s a directory", "Corrupt database file")
# And for a file that a newer DuckDB has written, or this one on behalf of a newer version of this project.
_NEWER_FORMAT = ("newer version of DuckDB", "storage version of an existing database cannot be lowered")
# Of this process, to attach a database to, each with the directory it spills to: starting one takes seven times as long
# as attaching.
_IDLE_ENGINES: list[tuple[duckdb.DuckDBPyConnection, Path]] = []


class Warehouse:
    """The warehouse at one path. Every write goes through `transaction`; people see it after `publish`."""

    def __init__(self, published: Path) -> None:
        self.published = published
        self.working = published.with_name(f"{published.stem}_working.duckdb")
        self.landing = published.with_name(f"{published.stem}_landing")
        self._spilled = published.with_name(f"{published.stem}_working.duckdb.tmp")
        self._write_lock = published.with_name(f"{published.stem}_working.lock")
        self._sync_lock = published.with_name(f"{published.stem}_sync.lock")

    def prepare(self) -> None:
        """Make the directory and the tables. Raises `SettingsError` when the path cannot be written, or holds what is
        somebody else's."""
        if self.published.exists() and not self.working.exists():
            with ExitStack() as stack:
                if _opened(self.published, stack) is None:
                    raise SettingsError(
                        f"JIRA_PIPELINE_DATABASE is {self.published}, a file that jira_pipeline has not written and "
                        "would replace: set it to another path, or move the file away."
                    )
        try:
            self.published.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = self.published.with_name(f".{self.published.name}.writable")
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise SettingsError(
                f"JIRA_PIPELINE_DATABASE is {self.published}, which cannot be written ({error.strerror}): "
                "set it to a file in a directory that belongs to you."
            ) from error
        with self.transaction():
            pass

    @contextmanager
    def connection(self, *, whole_issues: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the working database, outside a transaction, closed in any case. `whole_issues`: what is
        read or written are issues with their payloads, large rows. Waits for another process that is writing, up to
        ten minutes. Raises `PipelineError` when what is done with it finds no room."""
        with (
            _held(self._write_lock, "is being written by another run"),
            full_disk_explained(self.working.parent),
            self._attached(row_group_size=_ISSUES_IN_A_ROW_GROUP if whole_issues else None) as connection,
        ):
            if not has_present_schema(connection):
                with transaction(connection):
                    ensure_schema(connection, self.working)
            yield connection

    @contextmanager
    def transaction(self, *, whole_issues: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection as `connection` gives it, inside one transaction."""
        with self.connection(whole_issues=whole_issues) as connection, transaction(connection):
            yield connection

    @contextmanager
    def syncing(self) -> Iterator[Path]:
        """The right to fetch into this warehouse, held by one process at a time; gives an empty directory for landing
        files.

        Landing files of a run that died are dropped: its watermarks did not move, so what they hold is fetched again.
        """
        with _held(self._sync_lock, "is being synced by another run"):
            self.landing.mkdir(mode=0o700, exist_ok=True)
            for leftover in self.landing.iterdir():
                leftover.unlink()
            yield self.landing

    def is_whole(self) -> bool:
        """Whether the tables derived from issues are up to date with them, so that a copy would show one consistent
        state."""
        with self.connection() as connection:
            row = connection.execute(sql_text("is_whole")).fetchone()
        return bool(row and row[0])

    def publish(self) -> int:
        """Swap a copy of the working database in for people to read, atomically; returns its size in bytes.

        Whoever has the old copy open keeps reading it; whoever opens it next sees the new one. Copying bytes of a
        checkpointed file takes a second for a gigabyte, a logical copy half a minute. Raises `PipelineError` when
        there is no room for a second one; the old copy stays.
        """
        with _held(self._write_lock, "is being written by another run"), full_disk_explained(self.published.parent):
            with self._attached() as connection:
                connection.execute("CHECKPOINT")
            unfinished = self.published.with_name(f".{self.published.name}.publishing")
            with self.working.open("rb") as source, unfinished.open("wb") as target:
                os.fchmod(target.fileno(), 0o600)
                copyfileobj(source, target, 1 << 22)
                target.flush()
                os.fsync(target.fileno())
            os.replace(unfinished, self.published)
            # Left by somebody who wrote to the old copy: DuckDB would refuse to open the new one beside it.
            self.published.with_name(f"{self.published.name}.wal").unlink(missing_ok=True)
            return self.published.stat().st_size

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection to the published copy. Raises `SettingsError` when nothing has been published yet,
        something else is there, or a newer version has written it."""
        if not self.published.exists():
            raise SettingsError(f"There is no database at {self.published} yet: run `jira-pipeline sync` first.")
        with ExitStack() as stack:
            connection = _opened(self.published, stack)
            if connection is None:
                raise SettingsError(
                    f"{self.published} cannot be read as a database of jira_pipeline: correct JIRA_PIPELINE_DATABASE, "
                    "or close the program that is writing to this file."
                )
            yield connection

    @contextmanager
    def latest(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """A read-only connection for those who ask how the last run went: to the working database, which knows it even
        of a run that stopped before it could publish. To the published copy while a run is writing, or for somebody who
        may only read that; None before the first run."""
        with ExitStack() as stack:
            connection = self._working_at_rest(stack)
            if connection is None and self.published.exists():
                connection = stack.enter_context(self.reading())
            yield connection

    def _working_at_rest(self, stack: ExitStack) -> duckdb.DuckDBPyConnection | None:
        if not self.working.exists():
            return None
        try:  # a run that begins meanwhile waits
            stack.enter_context(FileLock(self._write_lock, mode=0o600).acquire(timeout=0))
        except (Timeout, OSError):
            return None
        return _opened(self.working, stack)

    @contextmanager
    def _attached(self, *, row_group_size: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        engine = _engine_spilling_to(self._spilled)
        connection = engine.cursor()
        try:
            self._attach(connection, row_group_size)
            yield connection
        finally:
            connection.close()
            try:
                engine.execute(f"DETACH DATABASE IF EXISTS {_CATALOG}")
            except duckdb.Error:
                engine.close()  # after some errors, as of a full disk, it refuses everything
            else:
                _IDLE_ENGINES.append((engine, self._spilled))

    def _attach(self, connection: duckdb.DuckDBPyConnection, row_group_size: int | None) -> None:
        path = str(self.working).replace("'", "''")
        row_groups = "" if row_group_size is None else f", ROW_GROUP_SIZE {row_group_size}"
        try:
            connection.execute(f"ATTACH '{path}' AS {_CATALOG} (STORAGE_VERSION '{_STORAGE_VERSION}'{row_groups})")
        except duckdb.Error as error:
            _refuse_newer_format(self.working, error)
            if "Could not set lock" in str(error):
                raise PipelineError(
                    f"{self.working} is open in another program: close it there. "
                    f"For queries use {self.published.name}, which can be open at any time."
                ) from error
            if not any(said in str(error) for said in _CANNOT_BE_OPENED):
                raise
            raise PipelineError(
                f"{self.working} cannot be opened ({str(error).partition(chr(10))[0]}): make it readable and writable; "
                "if it is damaged, put a backup of the database there, or remove it to fetch everything again."
            ) from error
        use_attached(connection, _CATALOG)
        os.chmod(self.working, 0o600)


def _opened(path: Path, stack: ExitStack) -> duckdb.DuckDBPyConnection | None:
    """A database of this project, opened for reading until the stack is closed; None where another file is there.
    Raises `SettingsError` when a newer version, or a newer DuckDB, has written it."""
    try:
        connection = stack.enter_context(duckdb.connect(str(path), read_only=True))
        found = connection.execute(
            "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'ops' AND table_name = 'tracked_projects'"
        ).fetchone()
    except duckdb.Error as error:
        _refuse_newer_format(path, error)
        return None
    if found != (1,):
        return None
    check_not_newer(connection, path)
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _refuse_newer_format(path: Path, error: duckdb.Error) -> None:
    if any(said in str(error) for said in _NEWER_FORMAT):
        raise SettingsError(
            f"{path} is in a newer format of DuckDB than this installation writes: update this installation."
        ) from error


def _engine_spilling_to(directory: Path) -> duckdb.DuckDBPyConnection:
    """An idle engine, or a new one. What finds no room in memory goes to this directory while it is needed, beside the
    database: the engine's own choice is the working directory of whoever has started the pipeline."""
    spills_to: Path | None
    try:
        engine, spills_to = _IDLE_ENGINES.pop()
    except IndexError:
        engine, spills_to = started_engine(), None
    if spills_to != directory:
        path = str(directory).replace("'", "''")
        try:
            engine.execute(f"SET GLOBAL temp_directory = '{path}'")
        except duckdb.NotImplementedException:  # it has used another one, of another warehouse
            engine.close()
            return _engine_spilling_to(directory)
    return engine


@contextmanager
def loading(connection: duckdb.DuckDBPyConnection, *, while_fetching: bool) -> Iterator[None]:
    """Settings for reading landing files.

    Joins run as they are written, the left side past a hash table of the right one: DuckDB takes a landing file for 42
    lines, and would rather copy every payload into a hash table. `while_fetching`: leave the other cores to those who
    fetch, because loading issues gains less from a second one than they lose.
    """
    as_written = {"disabled_optimizers": "join_order,build_side_probe_side"}
    with with_settings(connection, as_written | ({"threads": "1"} if while_fetching else {})):
        yield


@contextmanager
def _held(path: Path, what: str) -> Iterator[None]:
    lock = FileLock(path, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("%s %s; waiting for it", path.parent, what)
        try:
            lock.acquire(timeout=_WAIT_SECONDS)
        except Timeout as error:
            raise PipelineError(
                f"{path.parent} {what} and has been for {_WAIT_SECONDS / 60:.0f} minutes: "
                "wait for it to end, or stop it, then run again."
            ) from error
    except OSError as error:
        raise PipelineError(
            f"{path} cannot be locked ({error.strerror or error}): run this as the user to whom it belongs, or remove "
            "it while no run is under way."
        ) from error
    try:
        yield
    finally:
        lock.release()

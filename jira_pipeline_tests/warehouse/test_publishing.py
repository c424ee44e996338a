"""The published file: always openable, always whole, swapped in atomically; and one writer at a time behind it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline_tests.warehouse.loading import Store, issue

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def published(store: Store) -> Store:
    """A warehouse with one typed issue that has been published."""
    store.load(issue(1))
    store.derive()
    store.warehouse.publish()
    return store


def published_issues(store: Store) -> int:
    with store.warehouse.reading() as connection:
        row = connection.execute("SELECT count(*) FROM issues").fetchone()
    assert row is not None
    return int(row[0])


def in_another_process(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Run Python elsewhere; it can be told to go on by a line on its input."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY,
    )


def says(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == line


def add_and_publish(store: Store, issue_id: int) -> None:
    store.load(issue(issue_id))
    store.derive()
    store.warehouse.publish()


def test_a_reader_in_another_process_neither_fails_nor_blocks_and_keeps_its_view(published: Store) -> None:
    reader = in_another_process(
        """
        import sys, duckdb
        connection = duckdb.connect(sys.argv[1], read_only=True)
        count = lambda: print(connection.execute("SELECT count(*) FROM issues").fetchone()[0], flush=True)
        count()
        sys.stdin.readline()
        count()
        """,
        published.warehouse.published,
    )
    says(reader, "1")

    started = time.monotonic()
    add_and_publish(published, 2)
    assert time.monotonic() - started < 30, "the writer waited for the reader"

    assert published_issues(published) == 2, "a new reader sees the new state"
    reader.communicate("\n", timeout=30)
    assert reader.returncode == 0
    assert published_issues(published) == 2


def test_a_reader_that_goes_on_after_the_swap_still_reads_the_old_state(published: Store) -> None:
    with duckdb.connect(str(published.warehouse.published), read_only=True) as old:
        add_and_publish(published, 2)

        assert old.execute("SELECT count(*) FROM issues").fetchall() == [(1,)]


def test_readers_that_come_all_the_time_always_find_a_whole_file(published: Store) -> None:
    reader = in_another_process(
        """
        import sys, threading, duckdb
        stop = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
        seen = set()
        print("reading", flush=True)
        while not stop.is_set():
            with duckdb.connect(sys.argv[1], read_only=True) as connection:
                seen.add(connection.execute(
                    "SELECT (SELECT count(*) FROM issues), (SELECT count(*) FROM raw_issues)").fetchone())
        assert all(typed == raw for typed, raw in seen), seen
        print(len(seen) > 1, flush=True)
        """,
        published.warehouse.published,
    )
    says(reader, "reading")
    for issue_id in range(2, 6):
        add_and_publish(published, issue_id)
        time.sleep(0.1)

    output, _ = reader.communicate("\n", timeout=30)

    assert (reader.returncode, output.strip()) == (0, "True"), output


def test_an_unfinished_copy_of_a_killed_publisher_does_no_harm(published: Store) -> None:
    leftover = published.warehouse.published.with_name(f".{published.warehouse.published.name}.publishing")
    leftover.write_bytes(b"half a copy" * 1000)
    assert published_issues(published) == 1

    add_and_publish(published, 2)

    assert published_issues(published) == 2
    assert not leftover.exists()


def test_a_publisher_killed_in_the_middle_leaves_the_old_copy(published: Store) -> None:
    published.load(issue(2))
    published.derive()
    publisher = in_another_process(
        """
        import os, sys, time
        from pathlib import Path
        from jira_pipeline.warehouse import database
        def replace(source, target):
            print("about to swap", flush=True)
            time.sleep(600)
        os.replace = replace
        database.Warehouse(Path(sys.argv[1])).publish()
        """,
        published.warehouse.published,
    )
    says(publisher, "about to swap")
    publisher.kill()
    publisher.wait(30)

    assert published_issues(published) == 1
    published.warehouse.publish()
    assert published_issues(published) == 2


def test_a_stale_write_ahead_log_beside_the_published_file_is_removed(published: Store) -> None:
    """Somebody wrote to the old copy; DuckDB would refuse to open the new one beside its log."""
    log = published.warehouse.published.with_name(f"{published.warehouse.published.name}.wal")
    writer = in_another_process(
        """
        import os, sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("CREATE TABLE notes AS SELECT 1 AS note")
        os._exit(0)
        """,
        published.warehouse.published,
    )
    writer.communicate(timeout=30)
    assert log.exists()

    add_and_publish(published, 2)

    assert not log.exists()
    assert published_issues(published) == 2


def test_only_the_owner_may_read_the_files(published: Store) -> None:
    for path in (published.warehouse.published, published.warehouse.working):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_nothing_published_yet_is_said_with_what_to_do(store: Store) -> None:
    with (
        pytest.raises(SettingsError, match=r"no database at .*jira\.duckdb yet: run `jira-pipeline sync` first"),
        store.warehouse.reading(),
    ):
        pass


def test_the_published_file_is_of_a_storage_version_that_duckdb_1_5_reads(published: Store) -> None:
    """A newer DuckDB writes a version of its own unless it is told one, and older clients cannot open that."""
    with published.warehouse.reading() as connection:
        tags = connection.execute(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'jira'"
        ).fetchall()
    assert tags == [("v1.5.0+",)]


# --- writing ------------------------------------------------------------------------------------------------------


def test_a_second_writer_in_another_process_waits_for_the_first(store: Store) -> None:
    writer = in_another_process(
        """
        import sys, time
        from pathlib import Path
        from jira_pipeline.warehouse.database import Warehouse
        with Warehouse(Path(sys.argv[1])).transaction() as connection:
            connection.execute("INSERT INTO ops.state VALUES ('turn', 'first')")
            print("inside", flush=True)
            sys.stdin.readline()
        """,
        store.warehouse.published,
    )
    says(writer, "inside")
    entered: list[list[tuple[str, str]]] = []

    def enter() -> None:
        with store.warehouse.transaction() as connection:
            entered.append(connection.execute("SELECT * FROM ops.state WHERE name = 'turn'").fetchall())

    second = threading.Thread(target=enter)
    second.start()
    second.join(0.5)
    assert not entered
    writer.communicate("\n", timeout=30)
    second.join(30)

    assert entered == [[("turn", "first")]]


def test_a_writer_that_dies_leaves_neither_rows_nor_a_lock(store: Store) -> None:
    writer = in_another_process(
        """
        import sys, os
        from pathlib import Path
        from jira_pipeline.warehouse.database import Warehouse
        with Warehouse(Path(sys.argv[1])).transaction() as connection:
            connection.execute("INSERT INTO ops.state VALUES ('turn', 'first')")
            os._exit(9)
        """,
        store.warehouse.published,
    )
    assert writer.wait(30) == 9

    assert store.rows("SELECT * FROM ops.state WHERE name = 'turn'") == []


def test_an_exception_inside_a_transaction_leaves_nothing_and_frees_the_file(store: Store) -> None:
    def fail() -> None:
        with store.warehouse.transaction() as connection:
            connection.execute("INSERT INTO ops.state VALUES ('turn', 'lost')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with duckdb.connect(str(store.warehouse.working)) as connection:
        assert connection.execute("SELECT * FROM ops.state WHERE name = 'turn'").fetchall() == []
    assert store.rows("SELECT * FROM ops.state WHERE name = 'turn'") == []


def test_a_failing_statement_leaves_nothing_and_frees_the_file(store: Store) -> None:
    with pytest.raises(duckdb.CatalogException):
        store.rows("INSERT INTO ops.state VALUES ('turn', 'lost'); SELECT * FROM nowhere")

    assert store.rows("SELECT * FROM ops.state WHERE name = 'turn'") == []


def test_the_working_file_open_in_another_program_is_said_with_what_to_do(store: Store) -> None:
    other = in_another_process(
        """
        import sys, duckdb
        connection = duckdb.connect(sys.argv[1])
        print("open", flush=True)
        sys.stdin.readline()
        """,
        store.warehouse.working,
    )
    says(other, "open")

    with (
        pytest.raises(
            PipelineError, match=r"jira_working\.duckdb is open in another program: close it there"
        ) as caught,
        store.warehouse.transaction(),
    ):
        pass
    other.communicate("\n", timeout=30)

    assert "jira.duckdb, which can be open at any time" in str(caught.value)
    assert store.rows("SELECT 1") == [(1,)]


def test_a_sync_holds_off_another_sync_but_no_writer(store: Store) -> None:
    entered = threading.Event()

    def sync() -> None:
        with Warehouse(store.warehouse.published).syncing():
            entered.set()

    with store.warehouse.syncing():
        second = threading.Thread(target=sync)
        second.start()
        assert store.rows("SELECT 1") == [(1,)]
        assert not entered.wait(0.3)
    assert entered.wait(30)
    second.join(30)


def test_landing_files_of_a_dead_run_are_dropped(store: Store) -> None:
    with store.warehouse.syncing() as landing:
        (landing / "10000-0001-0000.heads.zst").write_bytes(b"old")
        (landing / "10000-0001-0001.heads.part").write_bytes(b"half")

    with store.warehouse.syncing() as landing:
        assert list(landing.iterdir()) == []


# --- making the tables ----------------------------------------------------------------------------------------------


def test_preparing_makes_the_directory_and_every_table_and_can_be_repeated(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "deep" / "down" / "jira.duckdb")
    for _ in range(2):
        warehouse.prepare()

    with warehouse.transaction() as connection:
        tables = connection.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT temporary"
        ).fetchall()
    assert {("main", "issues"), ("main", "raw_issues"), ("main", "cycle_times"), ("ops", "sync_runs")} <= set(tables)
    assert len(tables) == len(set(tables))


def test_every_column_that_comes_from_jira_is_explained(store: Store) -> None:
    assert (
        store.rows(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE schema_name IN ('main', 'ops') AND NOT internal AND coalesce(comment, '') = '' "
            "AND table_name IN ('projects', 'users', 'raw_issues', 'issues', 'issue_changes', 'matched_assignees', "
            "'tracked_projects', 'sync_runs', 'quarantined_issues')"
        )
        == []
    )


@pytest.mark.parametrize(
    "place",
    [
        lambda path: path / "file" / "jira.duckdb",
        lambda path: path / "locked" / "jira.duckdb",
    ],
    ids=["below a file", "in a directory of somebody else"],
)
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, place: Callable[[Path], Path]) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "locked").mkdir(mode=0o500)
    path = place(tmp_path)
    if path.parent.name == "locked" and os.geteuid() == 0:
        pytest.skip("root may write everywhere")

    with pytest.raises(SettingsError, match=r"JIRA_PIPELINE_DATABASE is .*jira\.duckdb, which cannot be written"):
        Warehouse(path).prepare()


def test_python_variables_do_not_stand_in_for_tables(store: Store) -> None:
    nowhere = "a Python variable"

    with pytest.raises(duckdb.CatalogException, match="nowhere"):
        store.rows("SELECT * FROM nowhere")
    assert nowhere


@pytest.mark.parametrize("content", ["a database", "notes"])
def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path, content: str) -> None:
    """People point JIRA_PIPELINE_DATABASE at the database they have."""
    theirs = tmp_path / "warehouse.duckdb"
    if content == "a database":
        with duckdb.connect(str(theirs)) as connection:
            connection.execute("CREATE TABLE precious AS SELECT 42 AS answer")
    else:
        theirs.write_text("not to be lost")
    before = theirs.read_bytes()

    with pytest.raises(SettingsError, match=r"^JIRA_PIPELINE_DATABASE is .*warehouse\.duckdb, a file that .* replace"):
        Warehouse(theirs).prepare()

    assert theirs.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["warehouse.duckdb"]


def test_a_published_file_of_which_the_working_one_is_lost_may_be_replaced(published: Store) -> None:
    published.warehouse.working.unlink()

    published.warehouse.prepare()
    published.warehouse.publish()

    assert published_issues(published) == 0


@pytest.mark.parametrize("content", ["a database", "notes"])
def test_a_file_of_somebody_else_is_told_when_it_is_to_be_read(tmp_path: Path, content: str) -> None:
    theirs = tmp_path / "warehouse.duckdb"
    if content == "a database":
        duckdb.connect(str(theirs)).close()
    else:
        theirs.write_text("notes " * 1000)

    with (
        pytest.raises(SettingsError, match=r"^.*warehouse\.duckdb cannot be read as a database of jira_pipeline"),
        Warehouse(theirs).reading(),
    ):
        pass


@pytest.mark.parametrize("damage", ["overwritten", "a few bytes", "a directory"])
def test_a_working_file_that_cannot_be_opened_is_told(published: Store, damage: str) -> None:
    working = published.warehouse.working
    content = working.read_bytes()
    working.unlink()
    if damage == "overwritten":
        working.write_text("not a database " * 1000)
    elif damage == "a few bytes":
        working.write_bytes(b"\0" * 4 + content[4:])
    else:
        working.mkdir()

    with pytest.raises(PipelineError, match=r"_working\.duckdb cannot be opened \(.*put a backup .* there, or remove"):
        published.warehouse.prepare()


def test_a_lock_that_cannot_be_had_for_ever_is_told(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "jira.duckdb")
    (tmp_path / "jira_working.lock").mkdir()

    with pytest.raises(PipelineError, match=r"jira_working\.lock cannot be locked \(.*run this as the user"):
        warehouse.prepare()

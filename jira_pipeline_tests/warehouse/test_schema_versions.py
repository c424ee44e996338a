"""Files of older versions are migrated, or left exactly as they were."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.warehouse import database, schema
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.states import project_states
from jira_pipeline.warehouse.typed_issues import derive_issues
from jira_pipeline_tests.empty_warehouse import empty_warehouse

HERE = Path(__file__).parent
PACKAGED = dict(schema.migrations())
NEXT = max(PACKAGED) + 1
"""The version after the present one."""
VERSIONS = sorted(HERE.glob("schema_version_*.sql"))
CATALOG = (
    "SELECT schema_name, table_name, NULL AS position, NULL AS name, NULL AS type, comment FROM duckdb_tables() "
    "WHERE database_name = current_database() AND NOT temporary "
    "UNION ALL SELECT schema_name, table_name, column_index, column_name, data_type, comment FROM duckdb_columns() "
    "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
)
ADD_A_COLUMN = (
    "ALTER TABLE raw_issues ADD COLUMN payload_bytes BIGINT; UPDATE raw_issues SET payload_bytes = strlen(payload);"
)
RECORDED_VERSION = "SELECT split_part(value, ':', 1) FROM ops.state WHERE name = 'schema'"
RENAME_IT = "ALTER TABLE raw_issues RENAME COLUMN payload_bytes TO bytes; DROP TABLE ops.suspected_issues;"


def made_by(version: Path, directory: Path) -> Warehouse:
    """A warehouse whose working file a jira_pipeline of that time has made."""
    warehouse = Warehouse(directory / "jira.duckdb")
    with duckdb.connect(str(warehouse.working), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(version.read_text(encoding="utf-8"))
    return warehouse


@pytest.fixture
def old(tmp_path: Path) -> Warehouse:
    return made_by(HERE / "schema_version_1.sql", tmp_path)


def looked_at(warehouse: Warehouse, sql: str) -> list[tuple[Any, ...]]:
    """An answer of the working file as it is, without the pipeline's opening it."""
    with duckdb.connect(str(warehouse.working), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def everything(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """The catalog and every row."""
    with duckdb.connect(str(warehouse.working), read_only=True) as connection:
        catalog = connection.execute(CATALOG).fetchall()
        tables = sorted({f"{schema}.{table}" for schema, table, *_ in catalog})
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in tables}
    return {"catalog": catalog, **rows}


def with_migrations(monkeypatch: pytest.MonkeyPatch, *further: str) -> None:
    """The packaged migrations and these after them."""
    migrations = PACKAGED | dict(enumerate(further, start=NEXT))
    monkeypatch.setattr(schema, "migrations", lambda: migrations)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.stem)
def test_a_file_of_an_older_version_becomes_what_a_new_one_is_and_keeps_its_rows(version: Path, tmp_path: Path) -> None:
    """Fails when schema.sql has been changed without a migration that does the same to the files there are."""
    older = made_by(version, tmp_path)
    counts = {
        table: looked_at(older, f"SELECT count(*) FROM {table}")
        for table in ("projects", "users", "raw_issues", "issue_changes", "ops.tracked_projects", "ops.sync_runs")
    }
    assert all(rows > 0 for ((rows,),) in counts.values())

    older.prepare()

    fresh = empty_warehouse(tmp_path / "fresh")
    assert looked_at(older, CATALOG) == looked_at(fresh, CATALOG)
    assert looked_at(older, "SELECT value FROM ops.state WHERE name = 'schema'") == looked_at(
        fresh, "SELECT value FROM ops.state WHERE name = 'schema'"
    )
    assert {table: looked_at(older, f"SELECT count(*) FROM {table}") for table in counts} == counts


def test_what_an_older_version_has_fetched_is_derived_from_without_fetching_it_again(old: Warehouse) -> None:
    with old.transaction() as connection:
        assert derive_issues(connection) == 2
        assert connection.execute("SELECT issue_key, status FROM issues ORDER BY ALL").fetchall() == [
            ("APP-1", "Done"),
            ("APP-2", "Done"),
        ]


def test_changes_that_were_stored_without_their_load_have_it_since_version_2(old: Warehouse) -> None:
    with old.transaction() as connection:
        loads = connection.execute("SELECT issue_id, load_id FROM issue_changes ORDER BY ALL").fetchall()

    assert loads == looked_at(old, "SELECT issue_id, load_id FROM raw_issues ORDER BY ALL") == [(1, 7), (2, 7)]


def test_a_file_is_migrated_through_every_version_it_lacks(old: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migrations(monkeypatch, ADD_A_COLUMN, RENAME_IT)

    old.prepare()

    assert looked_at(old, "SELECT count(*), min(bytes) > 100 FROM raw_issues") == [(2, True)]
    assert looked_at(old, RECORDED_VERSION) == [(str(NEXT + 1),)]
    assert looked_at(old, "SELECT count(*) FROM ops.suspected_issues") == [(0,)], "made again by the schema"


def test_a_migration_is_applied_once(old: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migrations(monkeypatch, ADD_A_COLUMN)
    old.prepare()
    with_migrations(monkeypatch, "SELECT error('applied again')", "DELETE FROM users")

    old.prepare()

    assert looked_at(old, "SELECT count(*) FROM users") == [(0,)]


def test_a_new_file_is_made_at_the_present_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migrations(monkeypatch, "SELECT error('nothing to migrate')")
    warehouse = Warehouse(tmp_path / "jira.duckdb")

    warehouse.prepare()

    assert looked_at(warehouse, RECORDED_VERSION) == [(str(NEXT),)]


def test_a_file_without_a_recorded_version_counts_as_version_1(old: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with duckdb.connect(str(old.working)) as connection:
        connection.execute("DROP TABLE ops.state")
    with_migrations(monkeypatch, ADD_A_COLUMN)

    old.prepare()

    assert looked_at(old, "SELECT count(payload_bytes) FROM raw_issues") == [(2,)]


@pytest.mark.parametrize(
    "broken",
    [
        "SELECT * FROM nowhere;",
        "ALTER TABLE raw_issues ALTER COLUMN payload TYPE INTEGER;",
        "DELETE FROM users; not SQL",
    ],
    ids=["no such table", "rows that do not fit", "no SQL"],
)
def test_a_migration_that_fails_leaves_the_file_as_it_was(
    broken: str, old: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(old)
    with_migrations(monkeypatch, ADD_A_COLUMN, RENAME_IT, broken)

    with pytest.raises(
        PipelineError, match=rf"jira_working\.duckdb could not be brought from schema version {NEXT + 1} to {NEXT + 2}"
    ):
        old.prepare()

    assert everything(old) == before


def test_a_file_of_a_newer_version_is_left_alone(old: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    with_migrations(monkeypatch, ADD_A_COLUMN)
    old.prepare()
    before = everything(old)
    with_migrations(monkeypatch)

    with pytest.raises(
        SettingsError, match=rf"written by a newer jira_pipeline \(schema version {NEXT}, this one knows {NEXT - 1}\)"
    ):
        old.prepare()

    assert everything(old) == before


def published_by_a_newer_version(old: Warehouse, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The published file, after this version has come back in place of the newer one."""
    with_migrations(monkeypatch, ADD_A_COLUMN)
    old.prepare()
    old.publish()
    with duckdb.connect(str(old.published)) as connection:
        connection.execute("ALTER TABLE ops.tracked_projects RENAME COLUMN last_sync_at TO synced_at")
    with_migrations(monkeypatch)
    return old.published.read_bytes()


def test_files_of_a_newer_version_are_not_read_as_if_they_were_of_this_one(
    old: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their columns may have other names, or mean something else."""
    before = published_by_a_newer_version(old, monkeypatch)

    with pytest.raises(SettingsError, match=r"/jira_working\.duckdb was written by a newer"):
        project_states(old)
    old.working.unlink()
    with pytest.raises(SettingsError, match=r"/jira\.duckdb was written by a newer .*: update this installation"):
        project_states(old)

    assert old.published.read_bytes() == before


def test_a_published_file_of_a_newer_version_is_not_replaced_when_the_working_one_is_lost(
    old: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published_by_a_newer_version(old, monkeypatch)
    old.working.unlink()

    with pytest.raises(SettingsError, match=r"/jira\.duckdb was written by a newer .*: update this installation"):
        old.prepare()

    assert old.published.read_bytes() == before
    assert not old.working.exists()


def test_a_file_in_a_newer_format_of_duckdb_says_to_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a later version of this project may write."""
    warehouse = Warehouse(tmp_path / "jira.duckdb")
    with duckdb.connect(str(warehouse.working), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute("CREATE TABLE something (x INTEGER)")
    monkeypatch.setattr(database, "_STORAGE_VERSION", "v1.4.0")
    before = warehouse.working.read_bytes()

    with pytest.raises(
        SettingsError, match=r"_working\.duckdb is in a newer format of DuckDB .*update this installation"
    ):
        warehouse.prepare()

    assert warehouse.working.read_bytes() == before


def test_a_format_that_duckdb_cannot_read_yet_says_to_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = Warehouse(tmp_path / "jira.duckdb")
    warehouse.published.write_bytes(b"of the future")
    said = (
        "IO Error: Trying to read a database file with version number 69, but we can only read versions between 64 and "
        "68.\nThe database file was created with a newer version of DuckDB.\n\nNewer DuckDB version might introduce"
    )

    def connect(*_: object, **__: object) -> None:
        raise duckdb.IOException(said)

    monkeypatch.setattr(duckdb, "connect", connect)

    with (
        pytest.raises(SettingsError, match=r"/jira\.duckdb is in a newer format of DuckDB .*update this installation"),
        warehouse.reading(),
    ):
        pass


def test_packaged_migrations_are_numbered_from_2_without_a_gap() -> None:
    names = [path.name for path in Path(schema.__file__).with_name("sql").joinpath("migrations").glob("*.sql")]

    assert all(re.fullmatch(r"\d{4}_\w+\.sql", name) for name in names)
    assert sorted(schema.migrations()) == list(range(2, 2 + len(names)))

"""A real working database with the site's statuses, and a way to put issues and changes there as the loader does."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest

from jira_pipeline.warehouse.engine import started_engine, use_attached
from jira_pipeline.warehouse.flow import (
    FLOW_TABLES,
    FlowSettings,
    create_flow_tables,
    derive_cycle_time_metrics,
    derive_cycle_times,
    derive_status_intervals,
    derive_tables,
)
from jira_pipeline.warehouse.session import transaction
from jira_pipeline.warehouse.statements import sql_text

EDGE_CASES: dict[str, Any] = json.loads((Path(__file__).parent / "edge_cases.json").read_text(encoding="utf-8"))
FLAGGED_FIELD = "customfield_10021"
AS_OF = datetime(2024, 6, 30, 12, tzinfo=UTC)
_OPENED = itertools.count(1)


class FlowWarehouse:
    """Rows in, derived tables out. Issues get the next load_id each time they are put, as the loader gives them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self._load_ids = itertools.count(1)
        self._is_in_transaction = False

    def clear(self) -> None:
        """Empty every table, then store the site's statuses."""
        for schema, table in self.rows(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = current_database() AND NOT temporary"
        ):
            but_for = "WHERE name <> 'flow.schema'" if table == "state" else ""
            self.connection.execute(f'DELETE FROM "{schema}"."{table}" {but_for}')
        for status_id, name, category in EDGE_CASES["statuses"]:
            self.put_status(status_id, name, category)
        self.put_field_role("flagged", FLAGGED_FIELD)

    def close(self) -> None:
        """Close the file; the engine stays."""
        ((name,),) = self.rows("SELECT current_database()")
        self.connection.execute("USE memory")
        self.connection.execute(f"DETACH DATABASE {name}")
        self.connection.close()

    def put_status(self, status_id: str, name: str, category: str | None) -> None:
        self.connection.execute("DELETE FROM statuses WHERE status_id = ?", [status_id])
        self._insert("statuses", {"status_id": status_id, "name": name, "status_category": category, "is_listed": True})

    def put_issue(
        self, issue: Mapping[str, object], changes: Sequence[Sequence[object]] = (), *, history_complete: bool = True
    ) -> None:
        """Store an issue and its whole history, replacing what was stored. Changes are rows of `change_columns`."""
        row = {
            "project_key": "P",
            "project_id": "1",
            "issue_type": "Story",
            "is_subtask": False,
            "hierarchy_level": 0,
            **issue,
        }
        payload = row.pop("payload", None)
        row["load_id"] = next(self._load_ids)
        self.remove_issue(int(str(row["issue_id"])))
        with self.one_transaction():
            self._insert("issues", row)
            raw = {
                key: row.get(key)
                for key in ("issue_id", "issue_key", "project_id", "project_key", "created_at", "updated_at", "load_id")
            }
            self._insert("raw_issues", {**raw, "payload": payload, "history_complete": history_complete})
            for change in changes:
                values = dict(zip(EDGE_CASES["change_columns"], change, strict=True))
                self._insert("issue_changes", {"author_id": "u1", "issue_id": row["issue_id"], **values})

    def remove_issue(self, issue_id: int) -> None:
        for table in ("issues", "raw_issues", "issue_changes"):
            self.connection.execute(f"DELETE FROM {table} WHERE issue_id = ?", [issue_id])

    def put_case(self, case_id: str) -> FlowSettings:
        """Store the issue of an edge case; returns the settings that the case is about."""
        case = next(case for case in EDGE_CASES["cases"] if case["id"] == case_id)
        self.put_issue(case["issue"], case["changes"])
        return FlowSettings(time_zone=case["settings"]["time_zone"], waiting=tuple(case["settings"].get("waiting", ())))

    def derive(self, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        settings = settings or FlowSettings()
        with self.one_transaction():
            derive_status_intervals(self.connection, settings, as_of=as_of)
            derive_cycle_times(self.connection, settings, as_of=as_of)
            derive_cycle_time_metrics(self.connection, settings, as_of=as_of)

    def derive_all(self, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        """Every table, in the order of the catalog, each in a transaction of its own."""
        self.derive_for(*(table.name for table in FLOW_TABLES), settings=settings, as_of=as_of)

    def derive_for(self, *names: str, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        """These tables, after those that the catalog says they are derived from."""
        assert set(names) <= {table.name for table in FLOW_TABLES}
        for _ in derive_tables(self.connection, names, settings or FlowSettings(), as_of=as_of):
            pass

    def put_field_role(self, role: str, field_id: str) -> None:
        self._insert("ops.field_roles", {"role": role, "field_id": field_id, "rank": 1})

    def put_every_edge_case(self) -> None:
        """Store the issues of all edge cases side by side, as issues 1, 2, 3... of one project."""
        with self.one_transaction():
            for number, case in enumerate(EDGE_CASES["cases"], start=1):
                key = {"issue_id": number, "issue_key": f"P-{number}", "project_key": "P"}
                self.put_issue({**case["issue"], **key}, case["changes"])

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(parameters)).fetchall()

    def row(self, sql: str, parameters: Sequence[object] = ()) -> dict[str, Any]:
        """The only row of an answer, by column name."""
        cursor = self.connection.execute(sql, list(parameters))
        names = [column[0] for column in cursor.description or []]
        (values,) = cursor.fetchall()
        return dict(zip(names, values, strict=True))

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """A whole table in one order, to compare with another state of it. Load numbers only count: left out."""
        columns = [row[0] for row in self.rows(f"DESCRIBE {name}") if row[0] != "load_id"]
        return self.rows(f"SELECT {', '.join(columns)} FROM {name} ORDER BY ALL")

    @contextmanager
    def one_transaction(self) -> Iterator[None]:
        """What waits for the disk once; part of a transaction that is under way."""
        if self._is_in_transaction:
            yield
            return
        self._is_in_transaction = True
        try:
            with transaction(self.connection):
                yield
        finally:
            self._is_in_transaction = False

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        names, marks = ", ".join(row), ", ".join("?" for _ in row)
        self.connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


@cache
def _empty_database() -> bytes:
    """A file with all its tables, the site's statuses and no issues, made once because that takes a while."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "work.duckdb"
        connection = duckdb.connect(str(path))
        connection.execute("SET TimeZone = 'UTC'")
        with transaction(connection):
            connection.execute(sql_text("schema"))
            create_flow_tables(connection)
            FlowWarehouse(connection).clear()
        connection.close()
        return path.read_bytes()


def open_flow_warehouse(path: Path) -> FlowWarehouse:
    """A new database file, attached as the pipeline attaches its working file."""
    path.write_bytes(_empty_database())
    connection = _engine().cursor()
    catalog = f"work_{next(_OPENED)}"
    connection.execute(f"ATTACH '{path}' AS {catalog}")
    use_attached(connection, catalog)
    return FlowWarehouse(connection)


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One for all files, because starting it takes longer than most tests. One thread: a second one costs more than it
    does for a few issues."""
    engine = started_engine()
    engine.execute("SET GLOBAL threads = 1")
    return engine


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path / "work.duckdb")
    yield opened
    opened.close()

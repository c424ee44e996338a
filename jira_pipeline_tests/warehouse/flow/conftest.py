"""A real working database with the site's statuses, and a way to put issues and changes there as the loader does."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_OF_ISSUES = ("issues", "raw_issues", "issue_changes")


Row = dict[str, object]


class FlowWarehouse:
    """Rows in, derived tables out. Issues get the next load_id each time they are put, as the loader gives them.

    State guarded: the number of loads, and the rows that nobody has asked for yet. They are stored together, table by
    table, because a statement takes as long for one row as for a hundred.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, loads: int = 0) -> None:
        self._connection = connection
        self._loads = loads
        self._statuses: dict[str, Row] = {}
        self._issues: dict[int, dict[str, list[Row]]] = {}

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection, with all that has been put there stored."""
        statuses, self._statuses = self._statuses, {}
        issues, self._issues = self._issues, {}
        if statuses:
            self._connection.execute("DELETE FROM statuses WHERE status_id IN (SELECT unnest(?))", [list(statuses)])
            self._insert("statuses", statuses.values())
        if issues:
            self._delete(list(issues))
            for table in _OF_ISSUES:
                self._insert(table, (row for rows in issues.values() for row in rows[table]))
        return self._connection

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

    def copied_to(self, path: Path) -> FlowWarehouse:
        """Another warehouse with the same rows."""
        self.connection.execute("CHECKPOINT")
        ((file,),) = self.rows("SELECT path FROM duckdb_databases() WHERE database_name = current_database()")
        path.write_bytes(Path(file).read_bytes())
        return FlowWarehouse(_attached(path), loads=self._loads)

    def put_status(self, status_id: str, name: str, category: str | None, *, is_listed: bool = True) -> None:
        row = {"status_id": status_id, "name": name, "status_category": category, "is_listed": is_listed}
        self._statuses[status_id] = row

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
        self._loads += 1
        row["load_id"] = self._loads
        raw = {
            key: row.get(key)
            for key in ("issue_id", "issue_key", "project_id", "project_key", "created_at", "updated_at", "load_id")
        }
        self._issues[int(str(row["issue_id"]))] = {
            "issues": [row],
            "raw_issues": [{**raw, "payload": payload, "history_complete": history_complete}],
            "issue_changes": [
                {
                    "author_id": "u1",
                    "issue_id": row["issue_id"],
                    "load_id": row["load_id"],
                    **dict(zip(EDGE_CASES["change_columns"], change, strict=True)),
                }
                for change in changes
            ],
        }

    def remove_issue(self, issue_id: int) -> None:
        self._issues.pop(issue_id, None)
        self._delete([issue_id])

    def put_case(self, case_id: str) -> FlowSettings:
        """Store the issue of an edge case; returns the settings that the case is about."""
        case = next(case for case in EDGE_CASES["cases"] if case["id"] == case_id)
        self.put_issue(case["issue"], case["changes"])
        return FlowSettings(time_zone=case["settings"]["time_zone"], waiting=tuple(case["settings"].get("waiting", ())))

    def derive(self, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        settings, connection = settings or FlowSettings(), self.connection
        with transaction(connection):
            derive_status_intervals(connection, settings, as_of=as_of)
            derive_cycle_times(connection, settings, as_of=as_of)
            derive_cycle_time_metrics(connection, settings, as_of=as_of)

    def derive_all(self, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        """Every table, in the order of the catalog, each in a transaction of its own."""
        self.derive_for(*(table.name for table in FLOW_TABLES), settings=settings, as_of=as_of)

    def derive_for(self, *names: str, settings: FlowSettings | None = None, as_of: datetime = AS_OF) -> None:
        """These tables, after those that the catalog says they are derived from."""
        assert set(names) <= {table.name for table in FLOW_TABLES}
        for _ in derive_tables(self.connection, names, settings or FlowSettings(), as_of=as_of):
            pass

    def put_field_role(self, role: str, field_id: str) -> None:
        self._insert("ops.field_roles", [{"role": role, "field_id": field_id, "rank": 1}])

    def put_every_edge_case(self) -> None:
        """Store the issues of all edge cases side by side, as issues 1, 2, 3... of one project."""
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

    def _delete(self, issue_ids: list[int]) -> None:
        for table in _OF_ISSUES:
            self._connection.execute(f"DELETE FROM {table} WHERE issue_id IN (SELECT unnest(?))", [issue_ids])

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        alike: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            alike.setdefault(tuple(row), []).append(row)
        for names, group in alike.items():
            marks = ", ".join(f"({', '.join('?' for _ in names)})" for _ in group)
            values = [value for row in group for value in row.values()]
            self._connection.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES {marks}", values)


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
            empty = FlowWarehouse(connection)
            empty.clear()
            assert empty.rows("SELECT count(*) FROM statuses") == [(len(EDGE_CASES["statuses"]),)]
        connection.close()
        return path.read_bytes()


def open_flow_warehouse(path: Path) -> FlowWarehouse:
    """A new database file, attached as the pipeline attaches its working file."""
    path.write_bytes(_empty_database())
    return FlowWarehouse(_attached(path))


def _attached(path: Path) -> duckdb.DuckDBPyConnection:
    connection = _engine().cursor()
    catalog = f"work_{next(_OPENED)}"
    connection.execute(f"ATTACH '{path}' AS {catalog}")
    use_attached(connection, catalog)
    return connection


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """One for all files, because starting it takes longer than most tests. One thread: a second one costs more than it
    does for a few issues. Nobody opens a file again that has been closed, so it need not be whole then."""
    engine = started_engine()
    engine.execute("SET GLOBAL threads = 1")
    engine.execute("PRAGMA disable_checkpoint_on_shutdown")
    return engine


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path / "work.duckdb")
    yield opened
    opened.close()

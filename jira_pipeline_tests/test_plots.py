"""The pictures in the Dagster UI: small, of the right data, and none where there is nothing to show."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator

import duckdb
import pytest

from jira_pipeline.assets.plots import plot_of
from jira_pipeline.warehouse.statements import sql_text
from jira_pipeline_tests.empty_warehouse import empty_warehouse

PLOTTED = ("cycle_time_metrics", "cycle_times", "cumulative_flow")
LIMIT_BYTES = 100_000

MANY = """
INSERT INTO cycle_time_metrics BY NAME
SELECT '2024-01-01'::DATE + day::INTEGER AS metric_date, 'P' || project AS project_key,
    hash(day, project) % 40 AS created_issues, hash(project, day) % 35 AS resolved_issues
FROM range(1000) AS days(day), range(5) AS projects(project);
INSERT INTO cycle_times BY NAME
SELECT issue AS issue_id, TRUE AS counts_in_flow, 'ok' AS cycle_quality,
    '2026-01-01'::DATE + (issue % 300)::INTEGER AS done_date, done_date - (hash(issue) % 60)::INTEGER AS started_date
FROM range(50000) AS issues(issue);
INSERT INTO cumulative_flow BY NAME
SELECT '2024-01-01'::DATE + day::INTEGER AS metric_date, 'P' || project AS project_key, phase, 10 + day AS issues
FROM range(1000) AS days(day), range(5) AS projects(project), (VALUES ('to_do'), ('in_progress'), ('done')) AS p(phase);
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_warehouse(tmp_path_factory.mktemp("plots")).connection() as connection:
        yield connection


@pytest.fixture
def empty(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    connection.execute("BEGIN")
    yield connection
    connection.execute("ROLLBACK")


@pytest.fixture
def full(empty: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    empty.execute(MANY)
    return empty


def test_a_picture_is_a_png_of_less_than_a_hundred_kilobytes(full: duckdb.DuckDBPyConnection) -> None:
    for table in PLOTTED:
        text = plot_of(full, table)["plot"].value
        assert text
        match = re.fullmatch(r"!\[([\w ,]+)\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", text)
        assert match, text[:80]
        picture = base64.b64decode(match[2])
        assert picture.startswith(b"\x89PNG\r\n")
        width, height = struct.unpack(">II", picture[16:24])
        assert width > height > 100
        assert 3_000 < len(text) < LIMIT_BYTES


@pytest.mark.parametrize("table", [*PLOTTED, "issues"])
def test_an_empty_table_and_one_without_a_picture_have_none(empty: duckdb.DuckDBPyConnection, table: str) -> None:
    assert plot_of(empty, table) == {}


def test_created_and_resolved_are_summed_over_projects_for_the_last_days(full: duckdb.DuckDBPyConnection) -> None:
    rows = full.execute(sql_text("plot_created_resolved"), {"days": 30}).fetchall()
    expected = full.execute(
        "SELECT metric_date, sum(created_issues), sum(resolved_issues) FROM cycle_time_metrics GROUP BY ALL "
        "ORDER BY ALL DESC LIMIT 30"
    ).fetchall()
    assert rows == expected[::-1]


def test_of_many_issues_a_stable_sample_is_drawn_and_the_percentiles_are_of_all(
    full: duckdb.DuckDBPyConnection,
) -> None:
    query, parameters = sql_text("plot_cycle_times"), {"days": 1000, "points": 100}
    rows = full.execute(query, parameters).fetchall()
    assert rows == full.execute(query, parameters).fetchall()
    assert len(rows) == 100
    (expected,) = full.execute(
        "SELECT quantile_disc(started_to_done_days, 0.5), quantile_disc(started_to_done_days, 0.85), "
        "quantile_disc(started_to_done_days, 0.95) FROM cycle_times"
    ).fetchall()
    assert {row[2:] for row in rows} == {expected}


def test_the_bands_of_a_day_are_its_phases(full: duckdb.DuckDBPyConnection) -> None:
    rows = full.execute(sql_text("plot_cumulative_flow"), {"days": 2}).fetchall()
    assert [row[1:] for row in rows] == [(5 * 1008,) * 3, (5 * 1009,) * 3]

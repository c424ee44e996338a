"""Every query that the documentation offers runs on real tables and answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from jira_pipeline_tests.warehouse.flow.conftest import FlowWarehouse, open_flow_warehouse

COOKBOOK = Path(__file__).resolve().parents[3] / "docs" / "cookbook.md"
QUERIES = re.findall(r"^## ([^\n]+)\n.*?```sql\n(.*?)```", COOKBOOK.read_text(encoding="utf-8"), re.S | re.M)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path_factory.mktemp("cookbook") / "work.duckdb")
    opened.put_every_edge_case()
    opened.connection.execute("UPDATE issues SET project_key = 'APP', issue_key = replace(issue_key, 'P-', 'APP-')")
    opened.derive_all()
    yield opened
    opened.close()


@pytest.mark.parametrize(("title", "query"), QUERIES, ids=lambda text: text[:20])
def test_query_of_the_cookbook_runs(filled: FlowWarehouse, title: str, query: str) -> None:
    rows = filled.rows(query)
    needs_other_data = title.startswith(("2.", "8.", "9."))  # recent bugs, closed sprints, work done last month
    assert rows or needs_other_data


def test_the_cookbook_answers_at_least_ten_questions() -> None:
    assert len(QUERIES) >= 10

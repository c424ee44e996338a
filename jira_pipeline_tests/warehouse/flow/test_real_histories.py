"""The invariants hold on histories that people made, with all the gaps and imports of real sites."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.warehouse.flow import FlowSettings
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, FlowWarehouse, open_flow_warehouse

SHARED = Path(os.environ.get("JIRA_PIPELINE_SHARED", Path(__file__).resolve().parents[4] / "shared"))
FILES = ("kaszaq-aww-before", "actionableagile", "seanalytics-apache")

pytestmark = pytest.mark.skipif(
    not (SHARED / "data").is_dir(), reason="the real data sets are not beside this repository"
)


def put(warehouse: FlowWarehouse, record: dict[str, Any]) -> None:
    fields, status = record["fields"], record["fields"]["status"]
    category = (status.get("statusCategory") or {}).get("key")
    warehouse.put_status(status["id"], status["name"], category)
    changes = [
        [int(history["id"]), index, history["created"], item.get("field"), item.get("fieldId"),
         item.get("from"), item.get("fromString"), item.get("to"), item.get("toString")]
        for history in record["changelog"]["histories"]
        for index, item in enumerate(history["items"])
    ]  # fmt: skip
    issue = {
        "issue_id": int(record["id"]), "issue_key": record["key"], "project_key": fields["project"]["key"],
        "project_id": fields["project"]["id"], "issue_type": fields["issuetype"]["name"],
        "is_subtask": fields["issuetype"]["subtask"], "hierarchy_level": -1 if fields["issuetype"]["subtask"] else 0,
        "status_id": status["id"], "status": status["name"], "status_category": category,
        "created_at": fields["created"], "updated_at": fields["updated"], "resolved_at": fields["resolutiondate"],
    }  # fmt: skip
    warehouse.put_issue(issue, changes)


@pytest.fixture(scope="module", params=FILES)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    opened = open_flow_warehouse(tmp_path_factory.mktemp("real") / "work.duckdb")
    with gzip.open(SHARED / "data" / f"{request.param}.ndjson.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            put(opened, json.loads(line))
    opened.derive_all(FlowSettings(time_zone="Europe/Warsaw"))
    yield opened
    opened.close()


def test_time_in_status_sums_to_age(real: FlowWarehouse) -> None:
    wrong = real.rows(
        """
        SELECT i.issue_id FROM issues i LEFT JOIN status_intervals s ON s.issue_id = i.issue_id
        GROUP BY i.issue_id, i.created_at
        HAVING sum(epoch_us(coalesce(s.left_at, greatest($1, s.entered_at))) - epoch_us(s.entered_at))
            IS DISTINCT FROM epoch_us(greatest($1, max(s.entered_at))) - epoch_us(i.created_at)
        """,
        [AS_OF],
    )
    assert wrong == []
    assert real.rows("SELECT count(*) FROM time_in_status WHERE hours > 0")[0][0] > 10


def test_stays_end_in_the_present_status(real: FlowWarehouse) -> None:
    ends = "SELECT s.issue_id FROM status_intervals s JOIN issues i USING (issue_id) WHERE s.left_at IS NULL"
    assert real.rows(f"{ends} AND s.status_id <> i.status_id") == []
    assert len(real.rows(ends)) == real.rows("SELECT count(*) FROM issues")[0][0]


def test_bands_sum_to_created_and_throughput_to_done(real: FlowWarehouse) -> None:
    last_day = "(SELECT max(metric_date) FROM cumulative_flow)"
    bands = real.rows(f"SELECT sum(issues) FROM cumulative_flow WHERE metric_date = {last_day}")
    assert bands == real.rows("SELECT count(*) FROM cycle_times WHERE counts_in_flow")
    done = real.rows("SELECT sum(done_issues) FROM throughput_weekly")
    assert done == real.rows("SELECT count(*) FROM cycle_times WHERE counts_in_flow AND done_at IS NOT NULL")


def test_wip_days_equal_residence_days(real: FlowWarehouse) -> None:
    residence = real.rows(
        """
        SELECT coalesce(sum(coalesce(done_date, DATE '2024-06-30') - started_date), 0) FROM cycle_times
        WHERE started_at IS NOT NULL AND counts_in_flow AND cycle_quality IS DISTINCT FROM 'stop_before_start'
        """
    )
    assert real.rows("SELECT sum(wip_clock) FROM daily_flow") == residence


def test_every_hour_of_started_work_is_in_one_bucket(real: FlowWarehouse) -> None:
    parts = "active_hours + waiting_hours + blocked_hours + backlog_hours + done_gap_hours"
    finished = f"SELECT {parts} - started_to_done_hours FROM cycle_times WHERE started_to_done_hours > 0"
    open_work = f"SELECT {parts} - age_hours FROM aging_wip"
    differences = real.rows(f"{finished} UNION ALL {open_work}")
    assert len(differences) >= 2
    assert max(abs(difference) for (difference,) in differences) < 1e-6

"""What the Dagster UI can do, of a real `dagster dev`: asked for by GraphQL as its pages do, and in a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from jira_pipeline_tests.deployment.processes import Json, eventually

from .conftest import WHY_NO_BROWSER, Deployment, day

if TYPE_CHECKING:
    from playwright.sync_api import Page

needs_browser = pytest.mark.skipif(bool(WHY_NO_BROWSER), reason=WHY_NO_BROWSER)

FIRST, LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
OPS_CANNOT_BE_SEARCHED = {
    "path": "/search/jql",
    "times": None,
    "when": lambda request: b"project = 10001" in request.body,
}


def runs(deployment: Deployment, **tags: str) -> list[Json]:
    """The runs with these tags."""
    data = deployment.server.ask(
        "query ($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {"
        " runId status tags { key value } } } } }",
        filter={"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    )
    return list(data["runsOrError"]["results"])


def materialized_days(deployment: Deployment, asset: str) -> set[str]:
    """The daily partitions of an asset that the UI shows in green."""
    data = deployment.server.ask(
        "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {"
        " assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }",
        key={"path": [asset]},
    )
    ranges = data["assetNodeOrError"]["assetPartitionStatuses"]["ranges"]
    days = {day(n).isoformat() for n in range(10)}
    return {
        key
        for found in ranges
        if found["status"] == "MATERIALIZED"
        for key in days
        if found["startKey"] <= key <= found["endKey"]
    }


def check(deployment: Deployment, asset: str, name: str) -> Json:
    """The latest evaluation of an asset's check."""
    data = deployment.server.ask(
        "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { assetChecksOrError {"
        " ... on AssetChecks { checks { name executionForLatestMaterialization { runId status evaluation {"
        " success metadataEntries { label ... on TextMetadataEntry { text } } } } } } } } } }",
        key={"path": [asset]},
    )
    (found,) = [c for c in data["assetNodeOrError"]["assetChecksOrError"]["checks"] if c["name"] == name]
    return dict(found["executionForLatestMaterialization"])


def test_a_day_is_materialized_and_published(deployment: Deployment) -> None:
    newest = day(0).isoformat()

    run_id = deployment.server.launch("daily_sync", {"dagster/partition": newest})

    assert deployment.server.finished(run_id) == "SUCCESS"
    assert newest in materialized_days(deployment, "raw_issues")
    assert deployment.published("SELECT count(*) FROM issues") == [(len(deployment.sandbox.issues()),)]
    loaded = check(deployment, "raw_issues", "every_project_loaded")
    assert (loaded["runId"], loaded["status"]) == (run_id, "SUCCEEDED")


def test_a_backfill_of_some_days_is_one_run_over_their_range(deployment: Deployment) -> None:
    days = [day(n).isoformat() for n in (7, 6, 5)]
    data = deployment.server.ask(
        "mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) { __typename"
        " ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }",
        params={
            "selector": {
                "partitionSetName": "daily_sync_partition_set",
                "repositorySelector": {
                    "repositoryLocationName": "jira_pipeline",
                    "repositoryName": "__repository__",
                },
            },
            "partitionNames": days,
        },
    )["launchPartitionBackfill"]
    assert data["__typename"] == "LaunchBackfillSuccess", data

    (run,) = eventually(lambda: runs(deployment, **{"dagster/backfill": data["backfillId"]}))

    assert deployment.server.finished(run["runId"]) == "SUCCESS"
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert (tags[FIRST], tags[LAST]) == (days[0], days[-1])
    assert set(days) <= materialized_days(deployment, "issue_changes")


def test_the_launchpad_narrows_a_range_to_projects_and_the_one_that_fails_is_named(deployment: Deployment) -> None:
    days = [day(n).isoformat() for n in (3, 2)]
    rule = deployment.sandbox.faults.add("forbidden", **OPS_CANNOT_BE_SEARCHED)
    try:
        run_id = deployment.server.launch(
            "daily_sync",
            {FIRST: days[0], LAST: days[1]},
            {"ops": {"sync_issues": {"config": {"projects": ["APP", "OPS"], "full_refresh": True}}}},
        )
        assert deployment.server.finished(run_id) == "FAILURE"
    finally:
        deployment.sandbox.faults.remove(rule)

    assert set(days) <= materialized_days(deployment, "raw_issues"), "what could be fetched is stored"
    assert deployment.published(
        f"SELECT project_key, mode, status FROM ops.sync_runs WHERE run_id = '{run_id}' ORDER BY ALL"
    ) == [("APP", "full", "complete"), ("OPS", "full", "error")]
    loaded = check(deployment, "raw_issues", "every_project_loaded")
    assert (loaded["runId"], loaded["evaluation"]["success"]) == (run_id, False)
    said = {entry["label"]: entry.get("text") for entry in loaded["evaluation"]["metadataEntries"]}
    assert "403" in str(said["OPS"])
    assert "APP" not in said


@pytest.mark.parametrize(
    ("before", "offsets"),
    [
        (datetime(2026, 3, 27, 12, tzinfo=ZoneInfo("Europe/Berlin")), [1, 2, 2, 2]),
        (datetime(2026, 10, 23, 12, tzinfo=ZoneInfo("Europe/Berlin")), [2, 1, 1, 1]),
    ],
    ids=["into summer time, which has no 02:30", "out of summer time, which has two"],
)
def test_the_next_ticks_are_one_a_day_when_clocks_change(
    before: datetime, offsets: list[int], deployment: Deployment
) -> None:
    """This deployment syncs at 02:30 in Berlin, an hour that is missing on one Sunday and comes twice on another."""
    data = deployment.server.ask(
        "query ($of: ScheduleSelector!, $from: Float!) { scheduleOrError(scheduleSelector: $of) { ... on Schedule {"
        " executionTimezone futureTicks(cursor: $from, limit: 4) { results { timestamp } } } } }",
        of={
            "scheduleName": "daily_sync_schedule",
            "repositoryLocationName": "jira_pipeline",
            "repositoryName": "__repository__",
        },
        **{"from": before.timestamp()},
    )["scheduleOrError"]
    zone = ZoneInfo(data["executionTimezone"])
    ticks = [datetime.fromtimestamp(tick["timestamp"], zone) for tick in data["futureTicks"]["results"]]

    assert [tick.day for tick in ticks] == [before.day + n for n in (1, 2, 3, 4)]
    assert [tick.utcoffset().total_seconds() / 3600 for tick in ticks] == offsets  # type: ignore[union-attr]
    assert [(tick.hour, tick.minute) for tick in ticks if tick.weekday() != 6] == [(2, 30)] * 3


def test_a_tick_of_the_schedule_asks_for_the_day_before_and_those_that_are_missing(deployment: Deployment) -> None:
    now = datetime.now(ZoneInfo("Europe/Berlin"))
    tick = now.replace(hour=2, minute=30, second=0, microsecond=0)
    tick -= timedelta(days=tick >= now)
    data = deployment.server.ask(
        "mutation ($of: ScheduleSelector!, $at: Float!) { scheduleDryRun(selectorData: $of, timestamp: $at) {"
        " __typename ... on PythonError { message } ... on DryRunInstigationTick { evaluationResult {"
        " error { message } runRequests { tags { key value } } } } } }",
        of={
            "scheduleName": "daily_sync_schedule",
            "repositoryLocationName": "jira_pipeline",
            "repositoryName": "__repository__",
        },
        at=tick.timestamp(),
    )["scheduleDryRun"]
    result: dict[str, Any] = data["evaluationResult"]

    assert result["error"] is None
    (request,) = result["runRequests"]
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    last = tick.astimezone(UTC).date() - timedelta(days=1)
    days = {last, *(day(n) for n in range(10) if day(n) < last)}
    missing = {day.isoformat() for day in days} - materialized_days(deployment, "raw_issues")
    assert (tags[FIRST], tags[LAST]) == (min({*missing, last.isoformat()}), last.isoformat())


@needs_browser
def test_an_asset_is_materialized_by_a_click_and_its_run_turns_green(deployment: Deployment, page: Page) -> None:
    page.goto(f"{deployment.server.url}/assets/projects")
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_text("Launched run").wait_for()
    page.get_by_text("View", exact=True).last.click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Success", exact=True).first.wait_for()

    run_id = page.url.rsplit("/", 1)[-1].partition("?")[0]
    assert deployment.server.finished(run_id) == "SUCCESS"
    data = deployment.server.ask(
        "query ($id: ID!) { runOrError(runId: $id) { ... on Run { assetMaterializations { assetKey { path } } } } }",
        id=run_id,
    )
    assert data["runOrError"]["assetMaterializations"] == [{"assetKey": {"path": ["projects"]}}]


@needs_browser
def test_the_pages_that_the_documentation_shows_are_there(
    deployment: Deployment, page: Page, screenshots: Path, request: pytest.FixtureRequest
) -> None:
    are_kept = request.config.getoption("--save-screenshots", default=False)
    if are_kept:
        days = {"dagster/asset_partition_range_start": f"{day(9)}", "dagster/asset_partition_range_end": f"{day(0)}"}
        assert deployment.server.finished(deployment.server.launch("daily_sync", days)) == "SUCCESS"
    upstream = "view=lineage&lineageScope=upstream&lineageDepth=5"
    shown = {
        "asset_graph.png": (f"assets/cycle_time_metrics?{upstream}", "status_intervals"),
        "asset.png": ("assets/raw_issues", "history_complete"),
    }

    for name, (address, text) in shown.items():
        page.goto(f"{deployment.server.url}/{address}")
        page.get_by_text(text, exact=True).first.wait_for()
        if are_kept:
            page.wait_for_timeout(3000)  # charts and colours come in after the text
        page.screenshot(path=screenshots / name)
        assert (screenshots / name).stat().st_size > 20_000, "an empty page"

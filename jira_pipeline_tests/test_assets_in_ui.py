"""What the Dagster UI tells about every asset before anything has run."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from jira_pipeline.assets import metadata
from jira_pipeline.assets.jira_site import JIRA_SITE
from jira_pipeline.definitions import defs
from jira_pipeline.freshness import daily_freshness
from jira_pipeline.settings import ScheduleSettings

SPECS = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
TABLES = [name for name in SPECS if name != "jira_site"]


def test_every_asset_says_what_it_is_of_which_kind_and_layer_and_where_its_code_is() -> None:
    assert len(TABLES) > 20
    for name in TABLES:
        spec = SPECS[name]
        assert spec.description, name
        assert spec.group_name in {"jira", "people", "flow", "published"}, name
        assert "duckdb" in spec.kinds, name
        assert spec.tags["layer"] in {"raw", "typed", "derived", "published"}, name
        references = spec.metadata["dagster/code_references"]
        assert isinstance(references, dg.CodeReferencesMetadataValue)
        (reference,) = references.code_references
        assert isinstance(reference, dg.LocalFileCodeReference)
        assert "jira_pipeline/assets/" in reference.file_path, name


def test_everything_comes_from_the_jira_site() -> None:
    graph = defs.resolve_asset_graph()
    assert SPECS["jira_site"].kinds == {"jira"}
    assert not graph.get(JIRA_SITE).is_executable
    assert graph.get(JIRA_SITE).parent_keys == set()
    for name in TABLES:
        assert JIRA_SITE in graph.get_ancestor_asset_keys(dg.AssetKey(name)), name
    assert {key.to_user_string() for key in graph.get(JIRA_SITE).child_keys} == {
        "projects",
        "raw_issues",
        "issue_changes",
        "users",
        "issue_census",
    }


def test_tables_with_names_addresses_or_text_of_people_are_marked() -> None:
    marked = {name for name in TABLES if SPECS[name].tags.get("personal_data") == "true"}
    assert marked == {"users", "raw_issues", "issue_changes", "issues", "matched_assignees", "published_database"}
    for name in TABLES:
        schema = SPECS[name].metadata.get("dagster/column_schema")
        columns = {column.name for column in schema.columns} if isinstance(schema, dg.TableSchema) else set()
        if columns & {"display_name", "email_address", "member_name", "summary", "description", "payload"}:
            assert name in marked or columns & {"summary"} == {"summary"}, name


def test_owners_are_those_of_the_settings_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {owner for spec in SPECS.values() for owner in spec.owners} == set()
    monkeypatch.setattr(metadata, "OWNERS", ["team:data", "ana@example.com"])
    assert metadata.table_spec("issues", group="jira", layer="typed").owners == ["team:data", "ana@example.com"]


DAILY = {"raw_issues", "issue_changes", "issues", "cycle_time_metrics", "published_database"}


def test_yesterday_is_expected_by_six() -> None:
    expected = {name for name in TABLES if SPECS[name].freshness_policy is not None}
    assert expected == DAILY
    policy = SPECS["raw_issues"].freshness_policy
    assert policy == dg.FreshnessPolicy.cron("0 6 * * *", timedelta(hours=5), "UTC")


@pytest.mark.parametrize(
    ("cron", "deadline"), [("30 2 * * *", "30 6 * * *"), ("0 22 * * *", "0 2 * * *"), ("0 2 * * 1-5", None)]
)
def test_the_deadline_follows_the_schedule(cron: str, deadline: str | None) -> None:
    policy = daily_freshness(ScheduleSettings(daily_sync=cron, time_zone="Europe/Berlin"))
    expected = dg.FreshnessPolicy.cron(deadline, timedelta(hours=5), "Europe/Berlin") if deadline else None
    assert policy == expected


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2026, 10, 26), date(2027, 3, 28)])
@pytest.mark.parametrize("cron", ["30 1 * * *", "0 2 * * *", "30 2 * * *"])
def test_a_run_on_time_is_fresh_also_when_clocks_change(day: date, cron: str) -> None:
    zone = ZoneInfo("Europe/Berlin")
    policy = daily_freshness(ScheduleSettings(daily_sync=cron, time_zone="Europe/Berlin"))
    assert policy is not None
    midnight = datetime.combine(day, time(), zone).timestamp()
    begun = next(schedule_execution_time_iterator(midnight, cron, "Europe/Berlin")).astimezone(UTC)
    deadline = next(
        schedule_execution_time_iterator(midnight, policy.deadline_cron, "Europe/Berlin")  # type: ignore[attr-defined]
    ).astimezone(UTC)
    lower_bound = deadline - policy.lower_bound_delta  # type: ignore[attr-defined]
    assert lower_bound <= begun < deadline

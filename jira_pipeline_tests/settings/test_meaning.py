"""What jira_pipeline.yaml means."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from jira_pipeline.settings import (
    Calendar,
    CycleTimeClock,
    FlowOptions,
    SyncSettings,
    TeamMember,
    TrackedProject,
    Workflow,
    load_config,
)
from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint


def test_the_smallest_file_gives_the_documented_defaults(write: Write) -> None:
    path = write(SMALLEST)
    config = load_config(path)
    assert config.path == path
    assert config.start_date == date(2026, 11, 1)
    assert config.tracked_projects == ()
    assert config.time_zone == "UTC"
    assert config.team_members == ()
    assert config.cycle_time == CycleTimeClock(start="created", stop="resolved")
    assert config.workflow == Workflow(started=(), done=(), waiting=())
    assert config.flow == FlowOptions()
    assert config.calendar is None
    assert config.sync == SyncSettings(overlap_hours=12, concurrency=8)


def test_the_flow_settings_are_read(write: Write) -> None:
    config = load_config(
        write(
            """\
start_date: 2026-11-01
tracked_projects:
  - key: APP
    workflow: {started: [Development], waiting: [Ready for QA]}
flow:
  excluded_types: [Test Case]
  withdrawn_resolutions: [Rejected]
  bug_types: [Bug, Incident]
  sle: {days: 12, percentile: 90}
  stale_days: 5
calendar:
  time_zone: Europe/Berlin
  week: {mon: ["09:00-12:00", "13:00 - 17:00"], sat: ["22:00-24:00"]}
  days: {2026-12-25: [], "2026-12-27": ["10:00-14:00"]}
"""
        )
    )
    assert config.tracked_projects[0].workflow == Workflow(started=("Development",), waiting=("Ready for QA",))
    assert config.flow == FlowOptions(
        excluded_types=("Test Case",),
        withdrawn_resolutions=("Rejected",),
        bug_types=("Bug", "Incident"),
        sle_days=12,
        sle_percentile=90,
        stale_days=5,
    )
    assert config.calendar == Calendar(
        week={"mon": (("09:00", "12:00"), ("13:00", "17:00")), "sat": (("22:00", "24:00"),)},
        days={date(2026, 12, 25): (), date(2026, 12, 27): (("10:00", "14:00"),)},
        time_zone="Europe/Berlin",
    )


def test_every_setting_is_read(write: Write) -> None:
    config = load_config(
        write(
            """\
start_date: 2026-11-01
time_zone: Europe/Berlin
tracked_projects:
  - key: APP
  - id: "10000"
    active: false
    story_points_field: customfield_10016
  - {key: web, id: 10001}
team_members:
  - {name: Ana Ruiz, email: ana@example.com, team: Payments, jira_account_id: null, aliases: [aruiz@example.com]}
  - name: Bo
cycle_time: {from: started, to: done}
workflow:
  started: [In Progress, 3]
  done: [Released]
  waiting: ["10004", Ready for QA]
sync: {overlap_hours: 0.5, concurrency: 32}
"""
        )
    )
    assert config.time_zone == "Europe/Berlin"
    assert config.tracked_projects == (
        TrackedProject(key="APP", id=None, active=True, story_points_field=None),
        TrackedProject(key=None, id="10000", active=False, story_points_field="customfield_10016"),
        TrackedProject(key="WEB", id="10001"),
    )
    assert config.team_members == (
        TeamMember("Ana Ruiz", "ana@example.com", "Payments", jira_account_id=None, aliases=("aruiz@example.com",)),
        TeamMember("Bo", email=None, team=None, jira_account_id=None, aliases=()),
    )
    assert config.cycle_time == CycleTimeClock(start="started", stop="done")
    assert config.workflow == Workflow(
        started=("In Progress", "3"), done=("Released",), waiting=("10004", "Ready for QA")
    )
    assert config.sync == SyncSettings(overlap_hours=0.5, concurrency=32)


@pytest.mark.parametrize(("overlap_hours", "concurrency"), [(0, 1), (8760, 32)])
def test_the_bounds_of_the_sync_settings_are_allowed(write: Write, overlap_hours: int, concurrency: int) -> None:
    text = f"{SMALLEST}sync: {{overlap_hours: {overlap_hours}, concurrency: {concurrency}}}"
    assert load_config(write(text)).sync == SyncSettings(overlap_hours, concurrency)


@pytest.mark.parametrize("key", ["time_zone", "team_members", "cycle_time", "workflow", "sync"])
def test_an_optional_key_left_empty_keeps_its_default(write: Write, key: str) -> None:
    assert load_config(write(f"{SMALLEST}{key}:\n")) == load_config(write(SMALLEST))


def test_anchors_aliases_and_merges_are_understood(write: Write) -> None:
    config = load_config(
        write(
            """\
start_date: 2026-11-01
tracked_projects:
  - &first {key: APP, active: false, story_points_field: customfield_1}
  - {<<: *first, key: WEB}
workflow: {started: &busy [Doing], waiting: *busy}
"""
        )
    )
    assert config.tracked_projects == (
        TrackedProject("APP", active=False, story_points_field="customfield_1"),
        TrackedProject("WEB", active=False, story_points_field="customfield_1"),
    )
    assert config.workflow == Workflow(started=("Doing",), waiting=("Doing",))


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    path.write_text(SMALLEST, encoding="utf-8-sig")
    assert load_config(path).start_date == date(2026, 11, 1)


def test_a_start_within_the_next_year_is_allowed_and_a_later_one_is_not(write: Write) -> None:
    today = datetime.now(UTC).date()
    near, far = today + timedelta(days=300), today + timedelta(days=400)
    assert load_config(write(f"start_date: {near}\ntracked_projects: []")).start_date == near
    assert f"{far} is out of range" in complaint(write(f"start_date: {far}\ntracked_projects: []"))

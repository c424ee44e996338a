"""Tables that are brought forward by what changed hold what counting everything anew gives, day after day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jira_pipeline.warehouse.flow import FlowSettings, changes, few_on_one_thread, outdated, with_sources
from jira_pipeline.warehouse.flow.outdated import find_outdated_issues
from jira_pipeline.warehouse.session import transaction
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, FlowWarehouse, open_flow_warehouse

BROUGHT_FORWARD = (
    "cycle_time_metrics", "cumulative_flow", "daily_flow", "data_quality", "cycle_time_percentiles", "sprint_issues",
)  # fmt: skip
CHAIN = with_sources(BROUGHT_FORWARD)
SPRINT_FIELD = "customfield_10020"
BEGIN = datetime(2024, 6, 3, 9, tzinfo=UTC)
NAMES = {"2": "To Do", "3": "In Progress", "7": "Done"}


def day(number: float) -> str:
    return (BEGIN + timedelta(days=number)).isoformat()


def put(
    warehouse: FlowWarehouse, issue_id: int, *moves: tuple[float, str], created: float = 0, **columns: object
) -> None:
    """An issue that went to each status at a day after BEGIN; created at the day `created` in To Do."""
    steps = ["2", *(status_id for _, status_id in moves)]
    changes = [
        [number, 0, BEGIN + timedelta(days=day), "status", "status", source, NAMES[source], target, NAMES[target]]
        for number, ((day, _), source, target) in enumerate(zip(moves, steps, steps[1:], strict=False))
    ]
    complete = bool(columns.pop("history_complete", True))
    sprint = {"id": 7, "name": "S", "state": "closed", "startDate": day(2), "completeDate": day(9)}
    sprint |= columns.pop("sprint", {})
    done_at = BEGIN + timedelta(days=moves[-1][0]) if steps[-1] == "7" else None
    issue = {
        "issue_id": issue_id, "issue_key": f"P-{issue_id}", "status_id": steps[-1], "status": NAMES[steps[-1]],
        "created_at": BEGIN + timedelta(days=created), "updated_at": BEGIN + timedelta(days=20), "resolved_at": done_at,
        "status_category": {"2": "new", "3": "indeterminate", "7": "done"}[steps[-1]], "story_points": 2.5,
        "sprint_ids": [7], "payload": json.dumps({"fields": {SPRINT_FIELD: [sprint]}}), **columns,
    }  # fmt: skip
    warehouse.put_issue(issue, changes, history_complete=complete)


def derive(
    warehouse: FlowWarehouse, days: float, settings: FlowSettings | None = None, but_for: Sequence[str] = ()
) -> None:
    connection = warehouse.connection
    with transaction(connection):
        for table in CHAIN:
            if table.name not in but_for:
                table.derive(connection, settings or FlowSettings(), as_of=AS_OF + timedelta(days=days))


def assert_equal_to_a_rebuild(warehouse: FlowWarehouse, days: float, settings: FlowSettings | None = None) -> None:
    forward = {name: warehouse.table(name) for name in BROUGHT_FORWARD}
    assert all(forward.values())
    warehouse.connection.execute(
        "DELETE FROM ops.state WHERE name IN (SELECT 'flow.definition.' || unnest(?)) OR name LIKE 'flow.%.through'",
        [BROUGHT_FORWARD],
    )
    for name in BROUGHT_FORWARD:
        warehouse.connection.execute(f"DELETE FROM {name}")
    derive(warehouse, days, settings, but_for=[table.name for table in CHAIN if table.name not in BROUGHT_FORWARD])
    for name in BROUGHT_FORWARD:
        assert forward[name] == warehouse.table(name), name


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlowWarehouse]:
    """What every test begins with, made once."""
    warehouse = open_flow_warehouse(tmp_path_factory.mktemp("derived") / "work.duckdb")
    warehouse.put_field_role("sprint", SPRINT_FIELD)
    put(warehouse, 1, (1, "3"), (4, "7"))
    put(warehouse, 2, (2, "3"), created=1, assignee_id="u1")
    put(warehouse, 3, (3, "3"), (6, "7"), created=2, project_key="Q", project_id="2")
    put(warehouse, 4, created=3, project_key="Q", project_id="2")
    put(warehouse, 5, (5, "7"), created=3, history_complete=False)
    warehouse.connection.execute("INSERT INTO matched_assignees (user_id, team) VALUES ('u1', 'Blue')")
    derive(warehouse, 0)
    yield warehouse
    warehouse.close()


@pytest.fixture
def site(derived: FlowWarehouse, tmp_path: Path) -> Iterator[FlowWarehouse]:
    copy = derived.copied_to(tmp_path / "work.duckdb")
    yield copy
    copy.close()


def test_days_that_pass_without_a_change_are_added(site: FlowWarehouse) -> None:
    for days in (0.4, 1, 4):
        derive(site, days)
        assert_equal_to_a_rebuild(site, days)


def test_reopened_moved_removed_and_new_issues_change_the_days_they_were_in(site: FlowWarehouse) -> None:
    put(site, 1, (1, "3"), (4, "7"), (27.5, "3"), story_points=7)
    put(site, 2, (2, "3"), (5, "7"), created=1, project_key="Q", project_id="2")
    site.remove_issue(3)
    put(site, 6, (2, "3"), created=-8)
    put(site, 7, (30, "3"), created=29, project_key="R")
    put(site, 5, (5, "7"), created=3, status_category_changed_at=BEGIN, resolved_at=None, history_complete=False)
    derive(site, 1)
    assert_equal_to_a_rebuild(site, 1)
    site.remove_issue(6)
    put(site, 5, (9, "7"), created=3)
    derive(site, 4)
    assert_equal_to_a_rebuild(site, 4)


@pytest.mark.parametrize(
    ("known", "late"),
    [
        pytest.param([], [(8, "3")], id="a start"),
        pytest.param([(8, "3")], [(5, "3")], id="an earlier start"),
        pytest.param([(8, "3")], [(8, "3"), (11, "2")], id="work put back"),
        pytest.param([], [(8, "7")], id="a completion without a start"),
        pytest.param([(8, "7")], [(8, "7"), (9, "3")], id="a reopening"),
        pytest.param(None, [], id="an issue"),
    ],
)
def test_what_becomes_known_late_changes_all_the_quiet_days_since(
    site: FlowWarehouse, known: list[tuple[float, str]] | None, late: list[tuple[float, str]]
) -> None:
    if known is not None:
        put(site, 8, *known, created=3)
        derive(site, 1)
    put(site, 8, *late, created=3)
    derive(site, 2)
    assert_equal_to_a_rebuild(site, 2)


@pytest.mark.parametrize(
    "sprint",
    [
        pytest.param({"startDate": day(5)}, id="begun later"),
        pytest.param({"completeDate": day(5)}, id="closed earlier"),
        pytest.param({"state": "active", "completeDate": None}, id="open"),
        pytest.param({"state": "future", "completeDate": None}, id="not begun"),
    ],
)
def test_a_sprint_of_other_dates_is_measured_anew_with_all_its_issues(
    site: FlowWarehouse, sprint: dict[str, object]
) -> None:
    put(site, 4, created=3, sprint=sprint)
    derive(site, 1)
    forward = site.table("sprint_issues")
    site.connection.execute("DELETE FROM ops.state WHERE name = 'flow.sprint_issues.through'")
    derive(site, 1)
    assert forward == site.table("sprint_issues")
    put(site, 4, created=3)
    derive(site, 2)
    assert_equal_to_a_rebuild(site, 2)


def test_another_roster_changes_what_is_unmatched(site: FlowWarehouse) -> None:
    for user in ("u2", "u1"):
        site.connection.execute("UPDATE matched_assignees SET user_id = ?", [user])
        derive(site, 0)
        unmatched = site.rows("SELECT issue_id FROM data_quality WHERE flag = 'assignee_unmatched'")
        assert unmatched == ([(2,)] if user == "u2" else [])


def test_a_clean_up_is_found_whenever_its_issues_become_known(site: FlowWarehouse) -> None:
    def flagged() -> int:
        return len(site.rows("SELECT issue_id FROM data_quality WHERE flag = 'bulk_closed'"))

    # 9:03 to 9:07, over a boundary between two slots of five minutes.
    for number in range(9):
        put(site, 20 + number, (10 + (3 + number / 2) / 1440, "7"), created=3)
    derive(site, 1)
    assert flagged() == 0
    put(site, 30, (10 + 7.5 / 1440, "7"), created=3)
    derive(site, 2)
    assert flagged() == 10
    assert_equal_to_a_rebuild(site, 2)
    put(site, 1, (1, "3"), (5, "7"))
    derive(site, 3)
    assert flagged() == 10
    site.remove_issue(24)
    derive(site, 4)
    assert flagged() == 0
    assert_equal_to_a_rebuild(site, 4)


def test_points_too_large_for_decimals_in_a_double_are_counted_anew(site: FlowWarehouse) -> None:
    for points in (9e13, 1.0003):
        put(site, 1, (1, "3"), (4, "7"), story_points=points)
        derive(site, 0)
        assert_equal_to_a_rebuild(site, 0)


def test_a_table_that_is_left_out_takes_everything_in_when_its_turn_comes(site: FlowWarehouse) -> None:
    for days, status_id in ((1, "3"), (2, "7"), (3, "2")):
        put(site, 4, (27 + days, status_id), created=3)
        derive(site, days, but_for=BROUGHT_FORWARD[days - 1 :])
        assert site.rows("SELECT count(DISTINCT batch) FROM ops.cycle_time_changes") == [(days,)]
    derive(site, 3)
    assert site.rows("FROM ops.cycle_time_changes") == site.rows("FROM ops.change_readers") == []
    assert_equal_to_a_rebuild(site, 3)


@pytest.mark.parametrize("days", [-2, 1])
def test_an_earlier_instant_and_other_settings_count_anew(site: FlowWarehouse, days: int) -> None:
    settings = FlowSettings(time_zone="Pacific/Auckland", cycle_time_to="done") if days > 0 else FlowSettings()
    put(site, 1, (1, "3"))
    derive(site, days, settings)
    assert_equal_to_a_rebuild(site, days, settings)


def test_issues_with_another_load_than_derived_are_found(site: FlowWarehouse) -> None:
    def found(statement: str) -> list[int]:
        site.connection.execute(f"BEGIN; {statement}")
        number = find_outdated_issues(site.connection, "status_intervals")
        ids = [row[0] for row in site.rows("SELECT DISTINCT issue_id FROM outdated_issues ORDER BY issue_id")]
        site.connection.execute("ROLLBACK")
        assert number >= len(ids)
        return ids

    assert found("SELECT 1") == []
    assert found("UPDATE issues SET load_id = 99 WHERE issue_id = 2") == [2]
    assert found("UPDATE issues SET load_id = 0 WHERE issue_id = 2") == [2]
    assert found("UPDATE issues SET load_id = 3 - load_id WHERE issue_id IN (1, 2)") == [1, 2]
    assert found("DELETE FROM issues WHERE issue_id = 3") == [3]
    assert found("UPDATE issues SET load_id = 99 WHERE issue_id = 2; DELETE FROM issues WHERE issue_id = 3") == [2, 3]
    assert found("UPDATE raw_issues SET history_complete = false WHERE issue_id = 1") == [1]
    assert found("UPDATE raw_issues SET history_complete = true WHERE issue_id = 5") == [5]
    assert found("DELETE FROM status_intervals") == [1, 2, 3, 4]


def test_what_nobody_takes_in_is_not_kept(site: FlowWarehouse) -> None:
    kept = "SELECT count(*) FROM ops.cycle_time_changes UNION ALL SELECT count(*) FROM ops.done_move_changes"
    assert site.rows(kept) == [(0,), (0,)]
    site.connection.execute("DELETE FROM ops.state WHERE name LIKE 'flow.%.through'")
    put(site, 1, (1, "3"))
    derive(site, 0, but_for=BROUGHT_FORWARD)
    assert site.rows(kept) == [(0,), (0,)]
    derive(site, 0)
    assert_equal_to_a_rebuild(site, 0)


def test_differences_that_have_become_too_many_are_given_up_with_all_who_would_read_them(
    site: FlowWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "SELECT count(*) FROM ops.cycle_time_changes UNION ALL SELECT count(*) FROM ops.done_move_changes"
    monkeypatch.setattr(changes, "LONGEST", 1)
    for number, moves in enumerate(([(1, "3")], [(1, "3"), (2, "7")], [(1, "3"), (3, "7")])):
        put(site, 1, *moves)
        put(site, 3, *moves, created=2, project_key="Q", project_id="2")
        derive(site, number, but_for=BROUGHT_FORWARD)
        assert all(rows > 1 for (rows,) in site.rows(kept)) == (number == 0)
    assert site.rows(kept) == [(0,), (0,)]
    derive(site, 3)
    assert_equal_to_a_rebuild(site, 3)


@pytest.mark.parametrize("few", [1, 0])
def test_few_issues_are_derived_on_one_thread(site: FlowWarehouse, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    def threads() -> int:
        return int(site.rows("SELECT current_setting('threads')")[0][0])

    monkeypatch.setattr(outdated, "FEW_ISSUES", few)
    site.connection.execute("RESET threads")
    usual = threads()
    site.connection.execute("SET threads = 3")
    put(site, 1, (1, "3"))
    with few_on_one_thread(site.connection):
        assert threads() == (1 if few else 3)
    assert threads() == (usual if few else 3)

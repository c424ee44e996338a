"""Changes between two syncs arrive, exactly once; partitions may be run again, in any order; missed days heal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from jira_pipeline.jira.errors import CredentialsRejected, ProjectUnavailable
from jira_pipeline.sandbox import Flavour, Sandbox, generate_site
from jira_pipeline_tests.end_to_end.pipeline import TODAY, YESTERDAY, Pipeline, assert_same_tables, at

on_both_flavours = pytest.mark.parametrize("sandbox", ["cloud", "datacenter"], indirect=True)


@contextmanager
def served(flavour: Flavour) -> Iterator[Sandbox]:
    with Sandbox(generate_site(5, issues=30, projects=3, max_histories=45), flavour) as sandbox:
        sandbox.now = TODAY
        yield sandbox


@pytest.fixture
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with served(getattr(request, "param", "cloud")) as sandbox:
        yield sandbox


@pytest.fixture
def pipeline(sandbox: Sandbox, tmp_path: Path) -> Pipeline:
    return Pipeline(sandbox, tmp_path)


@cache
def working_file_after_a_sync(flavour: Flavour) -> bytes:
    """What many tests begin with, made once."""
    with served(flavour) as sandbox, TemporaryDirectory() as directory:
        pipeline = Pipeline(sandbox, Path(directory))
        pipeline.sync()
        pipeline.derive()
        return pipeline.warehouse.working.read_bytes()


def synced_pipeline(sandbox: Sandbox, directory: Path) -> Pipeline:
    """One that has synced the newest partition and derived every table."""
    pipeline = Pipeline(sandbox, directory)
    pipeline.warehouse.working.write_bytes(working_file_after_a_sync(sandbox.flavour))
    return pipeline


@pytest.fixture
def synced(sandbox: Sandbox, tmp_path: Path) -> Pipeline:
    return synced_pipeline(sandbox, tmp_path)


def truth(sandbox: Sandbox) -> list[tuple[int, str, str, int, int]]:
    """Of every issue: id, key, summary, number of histories, number of items."""
    return [
        (
            int(issue["id"]),
            issue["key"],
            issue["fields"]["summary"],
            len(issue["changelog"]["histories"]),
            sum(len(history["items"]) for history in issue["changelog"]["histories"]),
        )
        for issue in sandbox.issues()
    ]


STORED = """
    SELECT issue_id, issue_key, summary, history_count, count(issue_changes.history_id)
    FROM issues JOIN raw_issues USING (issue_id, issue_key) LEFT JOIN issue_changes USING (issue_id)
    WHERE history_complete GROUP BY ALL ORDER BY issue_id
"""


@on_both_flavours
def test_the_first_sync_stores_every_issue_of_the_site_whatever_its_age(sandbox: Sandbox, pipeline: Pipeline) -> None:
    outcomes = pipeline.sync()
    pipeline.derive()

    assert {outcome.mode for outcome in outcomes.values()} == {"full"}
    assert pipeline.rows(STORED) == truth(sandbox)
    assert len(truth(sandbox)) == 30
    assert all(
        pipeline.tables()[table] for table in ("projects", "users", "statuses", "cycle_times", "cycle_time_metrics")
    )


@on_both_flavours
def test_a_second_sync_changes_no_row_of_any_table_that_people_query(sandbox: Sandbox, synced: Pipeline) -> None:
    """Not even the columns that say when and by which run a row was written."""
    before = synced.tables()

    outcomes = synced.sync()
    synced.derive()

    assert {(o.mode, o.issues_created, o.issues_updated) for o in outcomes.values()} == {("incremental", 0, 0)}
    assert_same_tables(synced.tables(), before)
    synced.sync(full=True)
    synced.derive()
    assert_same_tables(synced.tables(), before)


@on_both_flavours
def test_created_updated_and_moved_issues_arrive_exactly_once(sandbox: Sandbox, synced: Pipeline) -> None:
    keys = [issue["key"] for issue in sandbox.issues()]
    other = next(key.partition("-")[0] for key in keys if not key.startswith(keys[0].partition("-")[0]))
    sandbox.now = TODAY + timedelta(days=1)
    updated, moved = keys[1], keys[0]
    created = sandbox.create_issue(other, summary="Brand new")
    sandbox.update_issue(updated, summary="Changed meanwhile", labels=["late"])
    moved_to = sandbox.move_issue(moved, other)

    outcomes = synced.sync(date(2026, 11, 21))
    synced.derive()

    assert sum(outcome.issues_created for outcome in outcomes.values()) == 1
    assert sum(outcome.issues_updated for outcome in outcomes.values()) == 2
    assert synced.rows(STORED) == truth(sandbox)
    found = {key for (key,) in synced.rows("SELECT issue_key FROM issues")}
    assert {created, updated, moved_to} <= found
    assert moved not in found
    before = synced.tables()
    assert {(o.issues_created, o.issues_updated) for o in synced.sync(date(2026, 11, 21)).values()} == {(0, 0)}
    synced.derive()
    assert_same_tables(synced.tables(), before)


def test_a_renamed_project_is_followed_by_its_id(sandbox: Sandbox, synced: Pipeline) -> None:
    """Its issues get new keys without a history and without moving `updated`."""
    stored = synced.value("SELECT count(*) FROM issues WHERE project_key = 'APP'")
    sandbox.rename_project("APP", new_key="MOBILE", new_name="Mobile")
    sandbox.now = TODAY + timedelta(days=1)

    for _ in range(2):
        outcomes = synced.sync(date(2026, 11, 21))
        assert {key: outcome.error for key, outcome in outcomes.items()} == dict.fromkeys(("MOBILE", "OPS", "ORDER"))

    assert synced.rows("SELECT project_key, name FROM projects WHERE project_id = '10000'") == [("MOBILE", "Mobile")]
    assert synced.rows("SELECT count(*), min(project_key) FROM ops.tracked_projects WHERE project_id = '10000'") == [
        (1, "MOBILE")
    ]
    synced.sync(date(2026, 11, 21), full=True)
    assert synced.value("SELECT count(*) FROM issues WHERE project_key = 'MOBILE'") == stored > 0
    assert synced.value("SELECT count(*) FROM issues WHERE project_key = 'APP'") == 0
    assert synced.rows(STORED) == truth(sandbox)


def change_something_each_day(sandbox: Sandbox) -> None:
    keys = [issue["key"] for issue in sandbox.issues()]
    for day in range(17, 21):
        sandbox.update_issue(keys[day - 10], at=at(day), summary=f"Of the {day}th")
        sandbox.update_issue(keys[0], at=at(day, 11), summary=f"Changes daily, the {day}th")


def test_partitions_in_any_order_and_number_end_in_the_same_tables(sandbox: Sandbox, tmp_path: Path) -> None:
    """Compared without partition_date, synced_at and load_id, which say which run wrote a row. One derives after each
    sync, the other everything at once."""
    in_order, shuffled = Pipeline(sandbox, tmp_path / "a"), synced_pipeline(sandbox, tmp_path / "b")
    days = [date(2026, 11, day) for day in range(17, 21)]
    in_order.sync(days[0])
    change_something_each_day(sandbox)

    for day in days:
        in_order.sync(day)
    in_order.derive()
    for first, last in ((days[2], days[2]), (days[3], days[3]), (days[0], days[0]), (days[2], days[2]), days[:2]):
        shuffled.sync(first, last)
        shuffled.derive()

    assert in_order.rows(STORED) == truth(sandbox)
    assert_same_tables(shuffled.contents(), in_order.contents())


def test_days_without_a_run_are_made_up_for_by_the_next_run(sandbox: Sandbox, synced: Pipeline) -> None:
    """The window begins at the watermark, not at the partition."""
    sandbox.now = at(25)
    keys = [issue["key"] for issue in sandbox.issues()]
    for day in (21, 22, 23):
        sandbox.update_issue(keys[day - 20], at=at(day, 13), summary=f"Missed on the {day}")
    sandbox.now = at(30)

    synced.sync(date(2026, 11, 29))

    assert synced.rows(STORED) == truth(sandbox)
    assert synced.value("SELECT count(*) FROM issues WHERE summary LIKE 'Missed on the %'") == 3


def test_an_update_that_the_index_showed_late_is_caught_by_the_overlap(sandbox: Sandbox, synced: Pipeline) -> None:
    keys = [issue["key"] for issue in sandbox.issues()]
    sandbox.index_lag_seconds = 3600
    sandbox.update_issue(keys[0], at=TODAY, summary="Not yet in the index")
    sandbox.now = TODAY + timedelta(minutes=30)
    sandbox.update_issue(keys[1], at=TODAY + timedelta(minutes=20), summary="Nor this one")
    synced.sync()
    assert synced.value("SELECT count(*) FROM issues WHERE summary LIKE 'No%'") == 0

    sandbox.now = TODAY + timedelta(hours=3)
    synced.sync()

    assert synced.rows(STORED) == truth(sandbox)


def test_a_newly_tracked_project_is_synced_in_full_by_whatever_partition_comes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    pipeline = Pipeline(sandbox, tmp_path, keys=["APP"])
    pipeline.sync()
    assert {row[0] for row in pipeline.rows("SELECT DISTINCT project_key FROM issues")} == {"APP"}
    both = Pipeline(sandbox, tmp_path, keys=["APP", "OPS"])

    outcomes = both.sync(date(2026, 11, 3))

    assert {key: outcome.mode for key, outcome in outcomes.items()} == {"APP": "incremental", "OPS": "full"}
    expected = [row for row in truth(sandbox) if row[1].startswith(("APP-", "OPS-"))]
    assert both.rows(STORED) == expected


def test_only_some_projects_can_be_synced(sandbox: Sandbox, pipeline: Pipeline) -> None:
    outcomes = pipeline.sync(only=["ops"])

    assert list(outcomes) == ["OPS"]
    assert {row[0] for row in pipeline.rows("SELECT DISTINCT project_key FROM issues")} == {"OPS"}


@on_both_flavours
def test_a_dead_credential_stops_the_run_and_moves_no_watermark(sandbox: Sandbox, synced: Pipeline) -> None:
    marks, content = (
        dict(synced.rows("SELECT project_id, synced_through FROM ops.tracked_projects")),
        synced.tables(),
    )
    sandbox.update_issue(sandbox.issues()[0]["key"], at=TODAY, summary="Changed")
    sandbox.faults.add("anonymous", path="/search", times=None)

    with pytest.raises(CredentialsRejected):
        synced.sync()

    after = synced.rows("SELECT project_id, synced_through FROM ops.tracked_projects")
    assert dict(after) == marks
    assert all(marks.values())
    assert_same_tables(synced.tables(), content)
    sandbox.faults.clear()
    synced.sync()
    assert synced.rows(STORED) == truth(sandbox)


def test_an_empty_project_gets_no_watermark_from_an_empty_answer(sandbox: Sandbox, tmp_path: Path) -> None:
    for issue in sandbox.issues():
        if issue["key"].startswith("OPS-"):
            sandbox.delete_issue(issue["key"])
    pipeline = Pipeline(sandbox, tmp_path, keys=["APP", "OPS"])

    for _ in range(2):
        outcomes = pipeline.sync()

    assert (outcomes["OPS"].mode, outcomes["OPS"].error) == ("full", None)
    assert pipeline.rows("SELECT project_key, synced_through IS NULL FROM ops.tracked_projects ORDER BY 1") == [
        ("APP", False),
        ("OPS", True),
    ]


def test_of_ten_projects_the_forbidden_one_is_named_and_nine_are_stored(tmp_path: Path) -> None:
    with Sandbox(generate_site(6, issues=40, projects=10, max_histories=5)) as sandbox:
        sandbox.now = TODAY
        pipeline = Pipeline(sandbox, tmp_path)
        sandbox.forbid_project("DATA")

        outcomes = pipeline.sync()

        failed = {key: outcome.error for key, outcome in outcomes.items() if outcome.error is not None}
        assert len(outcomes) == 10
        assert list(failed) == ["DATA"]
        assert isinstance(failed["DATA"], ProjectUnavailable)
        assert pipeline.value("SELECT count(DISTINCT project_key) FROM issues") == 9
        assert pipeline.rows(STORED) == truth(sandbox)
        sandbox.allow_project("DATA")
        assert pipeline.sync()["DATA"].mode == "full"
        assert pipeline.rows(STORED) == truth(sandbox)


def test_a_project_that_fails_leaves_the_others_stored_and_its_watermark_where_it_was(tmp_path: Path) -> None:
    with Sandbox(generate_site(6, issues=40, projects=10, max_histories=5)) as sandbox:
        sandbox.now = TODAY
        pipeline = Pipeline(sandbox, tmp_path)
        pipeline.sync()
        marks = dict(pipeline.rows("SELECT project_key, synced_through FROM ops.tracked_projects"))
        sandbox.now = TODAY + timedelta(days=2)
        for issue in sandbox.issues():
            sandbox.update_issue(issue["key"], at=TODAY + timedelta(days=1), labels=["all-changed"])
        sandbox.faults.add(
            "server_error", path="/search/jql", times=None, when=lambda request: b"project = 10004" in request.body
        )

        outcomes = pipeline.sync(date(2026, 11, 22))

        assert [key for key, outcome in outcomes.items() if outcome.error is not None] == ["DATA"]
        now = dict(pipeline.rows("SELECT project_key, synced_through FROM ops.tracked_projects"))
        assert now.pop("DATA") == marks.pop("DATA")
        assert all(now[key] > marks[key] for key in marks)
        assert pipeline.value("SELECT count(DISTINCT project_key) FROM issues WHERE labels = ['all-changed']") == 9
        status, error = pipeline.rows(
            "SELECT sync_status, last_sync_error FROM ops.tracked_projects WHERE project_key = 'DATA'"
        )[0]
        assert status == "error"
        assert "did not answer" in error
        sandbox.faults.clear()
        pipeline.sync(date(2026, 11, 22))
        assert pipeline.rows(STORED) == truth(sandbox)


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_histories_are_complete_up_to_three_hundred(flavour: Flavour, tmp_path: Path) -> None:
    with Sandbox(generate_site(2, issues=24, projects=2, max_histories=300), flavour) as sandbox:
        sandbox.now = TODAY
        pipeline = Pipeline(sandbox, tmp_path)

        pipeline.sync()

        counts = [row[3] for row in truth(sandbox)]
        assert max(counts) >= 290
        assert any(41 <= count <= 99 for count in counts) or max(counts) > 100
        assert pipeline.rows(STORED) == truth(sandbox)
        assert pipeline.value("SELECT count(*) FROM raw_issues WHERE NOT history_complete") == 0
        assert pipeline.value("SELECT max(partition_date) FROM raw_issues") == YESTERDAY

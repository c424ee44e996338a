"""Deleted, moved, and back again: each told apart, and nothing lost."""

from __future__ import annotations

from datetime import timedelta

from jira_pipeline.sandbox import Fault
from jira_pipeline_tests.warehouse.census.reconciling import NOW, Pipeline


def one_of(pipeline: Pipeline, project: str) -> tuple[int, str]:
    """The id and key of an issue in the middle of a project."""
    shown = sorted(pipeline.shown(project).items())
    return shown[len(shown) // 2]


def test_where_nothing_has_happened_nothing_is_done(pipeline: Pipeline) -> None:
    before = pipeline.rows("SELECT * FROM raw_issues ORDER BY issue_id")
    found = pipeline.census()
    assert {key: (o.status, o.known, o.seen) for key, o in found.items()} == {
        key: ("complete", len(pipeline.shown(key)), len(pipeline.shown(key))) for key in ("APP", "OPS")
    }
    assert {o.requests for o in found.values()} == {1}, "one page of ids a project"
    assert pipeline.requests_to("/issue/bulkfetch") == 0
    assert pipeline.rows("SELECT * FROM raw_issues ORDER BY issue_id") == before


def test_a_deleted_issue_is_marked_and_leaves_the_issues(pipeline: Pipeline) -> None:
    pipeline.derive()
    issue_id, key = one_of(pipeline, "APP")
    pipeline.sandbox.delete_issue(key)
    found = pipeline.census()
    assert (found["APP"].deleted, found["OPS"].deleted) == (1, 0)
    assert pipeline.rows("SELECT removed_at, removal_reason FROM raw_issues WHERE issue_id = ?", issue_id) == [
        (NOW, "deleted")
    ]
    pipeline.derive()
    assert issue_id not in dict(pipeline.rows("SELECT issue_id, issue_key FROM issues"))
    assert pipeline.rows("SELECT count(*) FROM issues") == [(len(pipeline.shown("APP", "OPS")),)]


def test_the_number_of_issues_of_a_project_does_not_count_removed_ones(pipeline: Pipeline) -> None:
    pipeline.sandbox.delete_issue(one_of(pipeline, "APP")[1])
    pipeline.census()
    assert pipeline.rows("SELECT issue_count FROM ops.tracked_projects WHERE project_key = 'APP'") == [
        (len(pipeline.shown("APP")),)
    ]


def test_a_deleted_issue_stays_deleted_since_it_was_found_to_be(pipeline: Pipeline) -> None:
    issue_id, key = one_of(pipeline, "APP")
    pipeline.sandbox.delete_issue(key)
    pipeline.census()
    pipeline.sandbox.advance(timedelta(days=1))
    pipeline.sync(full=True)
    assert pipeline.census()["APP"].deleted == 0
    assert pipeline.rows("SELECT removed_at FROM raw_issues WHERE issue_id = ?", issue_id) == [(NOW,)]


def test_an_issue_moved_to_a_tracked_project_is_stored_there_at_once(pipeline: Pipeline) -> None:
    issue_id, key = one_of(pipeline, "APP")
    changes = pipeline.rows("SELECT count(*) FROM issue_changes WHERE issue_id = ?", issue_id)[0][0]
    new_key = pipeline.sandbox.move_issue(key, "OPS")
    found = pipeline.census()
    assert (found["APP"].deleted, found["APP"].moved_out, found["OPS"].moved_in, found["OPS"].found) == (0, 0, 1, 0)
    assert pipeline.removed() == {}
    assert pipeline.rows(
        "SELECT issue_key, project_key, history_complete FROM raw_issues WHERE issue_id = ?", issue_id
    ) == [(new_key, "OPS", True)]
    assert pipeline.rows("SELECT count(*) FROM issue_changes WHERE issue_id = ?", issue_id)[0][0] > changes
    assert pipeline.stored() == pipeline.shown("APP", "OPS")


def test_an_issue_moved_to_a_tracked_project_whose_index_lags_is_found_there_by_id(pipeline: Pipeline) -> None:
    issue_id, key = one_of(pipeline, "APP")
    new_key = pipeline.sandbox.move_issue(key, "OPS")
    pipeline.sandbox.forget_issue(new_key, seconds=600)
    found = pipeline.census()
    assert (found["OPS"].moved_in, pipeline.removed()) == (1, {})
    assert pipeline.stored()[issue_id] == new_key


def test_an_issue_moved_to_a_project_that_is_not_tracked_has_moved_out(pipeline: Pipeline) -> None:
    issue_id, key = one_of(pipeline, "APP")
    pipeline.sandbox.move_issue(key, "ORDER")
    assert pipeline.census()["APP"].moved_out == 1
    assert pipeline.removed() == {issue_id: "moved_out"}


def test_an_issue_that_comes_back_is_there_again_after_a_census(pipeline: Pipeline) -> None:
    issue_id, key = one_of(pipeline, "APP")
    moved = pipeline.sandbox.move_issue(key, "ORDER")
    pipeline.census()
    pipeline.derive()
    new_key = pipeline.sandbox.move_issue(moved, "APP")
    assert pipeline.census()["APP"].back == 1
    assert pipeline.removed() == {}
    assert pipeline.stored()[issue_id] == new_key
    pipeline.derive()
    assert pipeline.rows("SELECT issue_key FROM issues WHERE issue_id = ?", issue_id) == [(new_key,)]


def test_an_issue_that_comes_back_is_there_again_after_a_sync(pipeline: Pipeline) -> None:
    _, key = one_of(pipeline, "APP")
    moved = pipeline.sandbox.move_issue(key, "ORDER")
    pipeline.census()
    pipeline.sandbox.move_issue(moved, "APP")
    pipeline.sync()
    assert pipeline.removed() == {}
    assert pipeline.stored() == pipeline.shown("APP", "OPS")


def mark(pipeline: Pipeline, issue_id: int) -> None:
    """Mark an issue as removed, though it is there and nothing about it has changed."""
    pipeline.rows(
        "UPDATE raw_issues SET removed_at = now(), removal_reason = 'not_visible' WHERE issue_id = ? RETURNING 1",
        issue_id,
    )
    assert pipeline.removed() == {issue_id: "not_visible"}


def test_a_mark_is_lifted_by_a_census_although_the_issue_is_unchanged(pipeline: Pipeline) -> None:
    mark(pipeline, one_of(pipeline, "APP")[0])
    assert pipeline.census()["APP"].back == 1
    assert pipeline.stored() == pipeline.shown("APP", "OPS")


def test_a_mark_is_lifted_by_a_sync_although_the_issue_is_unchanged(pipeline: Pipeline) -> None:
    mark(pipeline, one_of(pipeline, "APP")[0])
    pipeline.sync(full=True)
    assert pipeline.stored() == pipeline.shown("APP", "OPS")


def test_an_issue_that_no_sync_has_seen_is_fetched_whole(pipeline: Pipeline) -> None:
    key = pipeline.sandbox.create_issue("APP", summary="Missed by the index")
    pipeline.sandbox.update_issue(key, summary="Seen now")
    found = pipeline.census()["APP"]
    assert (found.found, found.moved_in, found.back) == (1, 0, 0)
    assert pipeline.rows(
        "SELECT payload ->> '$.fields.summary', history_complete, history_count FROM raw_issues WHERE issue_key = ?",
        key,
    ) == [("Seen now", True, 1)]


def test_a_project_with_a_new_key_has_lost_nothing(pipeline: Pipeline) -> None:
    pipeline.sandbox.rename_project("APP", new_key="SHOP")
    found = pipeline.census()
    assert (found["SHOP"].status, found["SHOP"].known) == ("complete", len(pipeline.shown("SHOP")))
    assert pipeline.removed() == {}


def test_an_issue_that_cannot_be_read_is_set_aside_and_not_taken_for_gone(pipeline: Pipeline) -> None:
    key = pipeline.sandbox.create_issue("APP", summary="Odd")
    pipeline.sandbox.spoil_issue(key, "absurd_date")
    assert pipeline.census()["APP"].found == 0
    assert pipeline.rows("SELECT issue_key FROM ops.quarantined_issues") == [(key,)]
    pipeline.sandbox.heal_issue(key)
    assert pipeline.census()["APP"].found == 1
    assert pipeline.rows("SELECT count(*) FROM ops.quarantined_issues") == [(0,)]


def test_what_a_census_found_is_kept(pipeline: Pipeline) -> None:
    pipeline.sandbox.delete_issue(one_of(pipeline, "APP")[1])
    pipeline.census()
    kept = pipeline.rows("SELECT project_key, taken_at, status, deleted, error FROM ops.issue_census ORDER BY ALL")
    assert kept == [("APP", NOW, "complete", 1, None), ("OPS", NOW, "complete", 0, None)]


def test_an_issue_that_moves_on_while_it_is_fetched_is_not_stored_under_a_project_that_is_not_tracked(
    pipeline: Pipeline,
) -> None:
    issue_id, key = one_of(pipeline, "APP")
    moved = pipeline.sandbox.move_issue(key, "OPS")
    pipeline.sandbox.faults.add(
        Fault("site_change", action=lambda: pipeline.sandbox.move_issue(moved, "ORDER")),
        when=lambda request: b"issueIdsOrKeys" in request.body or "id in" in str(request.query),
    )
    assert pipeline.census()["OPS"].moved_in == 0
    assert pipeline.rows("SELECT project_key FROM raw_issues WHERE issue_id = ?", issue_id) == [("APP",)]
    assert pipeline.census()["APP"].moved_out == 1
    assert pipeline.removed() == {issue_id: "moved_out"}


def test_the_issues_of_a_project_that_was_deleted_and_made_anew_do_not_stay_beside_the_new_ones(
    pipeline: Pipeline,
) -> None:
    """They have the same keys, and would count beside them in every metric. So many at once have to be confirmed."""
    old, other = pipeline.shown("APP"), pipeline.shown("OPS")
    pipeline.sandbox.trash_project("APP")
    pipeline.sandbox.rename_project("ORDER", new_key="APP")
    new = pipeline.shown("APP")
    assert set(new.values()) & set(old.values())
    pipeline.sync()

    assert pipeline.census()["APP"].held == len(old) > 10
    assert pipeline.census(confirmed=["APP"])["APP"].deleted == len(old)

    assert pipeline.removed() == dict.fromkeys(old, "deleted")
    assert pipeline.stored() == new | other

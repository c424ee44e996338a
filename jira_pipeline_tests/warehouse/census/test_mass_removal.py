"""Many issues gone at once are not believed unless somebody confirms it."""

from __future__ import annotations

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline_tests.warehouse.census.reconciling import Pipeline


def lose(pipeline: Pipeline, project: str, number: int) -> set[int]:
    """Delete so many issues of a project; returns their ids."""
    chosen = sorted(pipeline.shown(project).items())[:number]
    for _, key in chosen:
        pipeline.sandbox.delete_issue(key)
    return {issue_id for issue_id, _ in chosen}


def a_fifth(pipeline: Pipeline) -> int:
    """A fifth of APP, which is more than ten issues."""
    fifth = len(pipeline.shown("APP")) // 5
    assert fifth > 10
    return fifth


def test_a_fifth_of_a_project_is_believed(pipeline: Pipeline) -> None:
    gone = lose(pipeline, "APP", a_fifth(pipeline))
    assert pipeline.census()["APP"].status == "complete"
    assert pipeline.removed().keys() == gone


def test_more_than_a_fifth_is_held_back_and_told_with_the_way_to_confirm_it(pipeline: Pipeline) -> None:
    known = len(pipeline.shown("APP"))
    gone = lose(pipeline, "APP", a_fifth(pipeline) + 1)
    found = pipeline.census()["APP"]
    assert (found.status, found.held, found.deleted) == ("held", len(gone), 0)
    assert f"{len(gone)} of {known} stored issues are gone from APP at once" in str(found.error)
    assert "jira-pipeline reconcile --confirm APP" in str(found.error)
    assert pipeline.removed() == {}


def test_it_is_held_back_again_by_the_next_census(pipeline: Pipeline) -> None:
    lose(pipeline, "APP", a_fifth(pipeline) + 1)
    pipeline.census()
    assert pipeline.census()["APP"].status == "held"
    assert pipeline.removed() == {}


def test_what_is_confirmed_is_marked(pipeline: Pipeline) -> None:
    gone = lose(pipeline, "APP", a_fifth(pipeline) + 1)
    pipeline.census()
    found = pipeline.census(confirmed=["app"])["APP"]
    assert (found.status, found.deleted, found.held) == ("complete", len(gone), 0)
    assert pipeline.removed() == dict.fromkeys(gone, "deleted")


def test_a_project_held_back_holds_up_no_other_and_takes_in_what_is_new(pipeline: Pipeline) -> None:
    lose(pipeline, "APP", a_fifth(pipeline) + 1)
    lost = lose(pipeline, "OPS", 1)
    key = pipeline.sandbox.create_issue("APP", summary="New")
    found = pipeline.census()
    assert (found["APP"].status, found["APP"].found) == ("held", 1)
    assert pipeline.removed().keys() == lost
    assert key in pipeline.stored().values()


def test_a_whole_project_moved_to_a_tracked_one_is_no_removal(pipeline: Pipeline) -> None:
    for key in pipeline.shown("OPS").values():
        pipeline.sandbox.move_issue(key, "APP")
    found = pipeline.census()
    assert {o.status for o in found.values()} == {"complete"}
    assert found["APP"].moved_in == found["OPS"].known
    assert pipeline.stored() == pipeline.shown("APP")


def test_a_small_project_of_which_nothing_is_shown_is_not_visible(unsynced: Pipeline) -> None:
    lose(unsynced, "OPS", len(unsynced.shown("OPS")) - 4)
    unsynced.sync()
    gone = lose(unsynced, "OPS", 4)
    found = unsynced.census()["OPS"]
    assert (found.status, found.not_visible, found.deleted) == ("complete", 4, 0)
    assert unsynced.removed() == dict.fromkeys(gone, "not_visible")


def test_a_key_that_is_not_tracked_cannot_be_confirmed(pipeline: Pipeline) -> None:
    with pytest.raises(SettingsError, match="ORDER cannot be confirmed"):
        pipeline.census(confirmed=["ORDER"])

"""What a census must not take for issues that are gone: lost access, dead credentials, a forgetful index, cut walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.errors import CredentialsRejected, RequestRefused
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Fault, Sandbox
from jira_pipeline_tests.warehouse.census.reconciling import Pipeline


def some_of(pipeline: Pipeline, project: str, number: int) -> list[str]:
    """The keys of the first issues of a project."""
    return [key for _, key in sorted(pipeline.shown(project).items())[:number]]


def by_id_path(sandbox: Sandbox) -> str:
    """Where issues are asked for by id."""
    return "/issue/bulkfetch" if sandbox.flavour == "cloud" else "/issue/"


def search_path(sandbox: Sandbox) -> str:
    """Where ids are walked."""
    return "/search/jql" if sandbox.flavour == "cloud" else "/search"


def test_an_issue_that_the_index_has_forgotten_is_there(pipeline: Pipeline) -> None:
    (key,) = some_of(pipeline, "APP", 1)
    pipeline.sandbox.forget_issue(key, seconds=600)
    found = pipeline.census()["APP"]
    assert (found.hidden, found.seen, found.deleted) == (1, found.known - 1, 0)
    assert pipeline.removed() == {}


def test_a_move_that_the_index_does_not_know_yet_is_found_when_it_does(pipeline: Pipeline) -> None:
    (key,) = some_of(pipeline, "APP", 1)
    pipeline.sandbox.index_lag_seconds = 600
    new_key = pipeline.sandbox.move_issue(key, "OPS")
    assert pipeline.census()["APP"].deleted == 0
    assert pipeline.removed() == {}
    pipeline.sandbox.advance(timedelta(minutes=11))
    pipeline.census()
    assert pipeline.removed() == {}
    assert new_key in pipeline.stored().values()


Access = Callable[[Sandbox, str], None]


@pytest.mark.parametrize("lose", [Sandbox.forbid_project, Sandbox.trash_project], ids=["forbidden", "trashed"])
def test_a_project_that_is_not_shown_keeps_its_issues_until_it_is_back(pipeline: Pipeline, lose: Access) -> None:
    deleted, *_ = some_of(pipeline, "OPS", 1)
    pipeline.sandbox.delete_issue(deleted)
    pipeline.census()
    before, stored = pipeline.removed(), pipeline.stored()

    lose(pipeline.sandbox, "OPS")
    found = pipeline.census()
    assert (found["OPS"].status, found["APP"].status) == ("not_visible", "complete")
    assert "Project OPS is not visible to the account" in str(found["OPS"].error)
    assert (pipeline.removed(), pipeline.stored()) == (before, stored)

    pipeline.sandbox.allow_project("OPS")
    found = pipeline.census()
    assert (found["OPS"].status, found["OPS"].error, found["OPS"].found) == ("complete", None, 0)
    assert (pipeline.removed(), pipeline.stored()) == (before, stored)


def test_an_archived_project_keeps_its_issues(pipeline: Pipeline) -> None:
    stored = pipeline.stored()
    pipeline.sandbox.archive_project("OPS")
    found = pipeline.census()
    assert (found["OPS"].status, found["OPS"].requests) == ("archived", 0)
    assert (pipeline.removed(), pipeline.stored()) == ({}, stored)
    pipeline.sandbox.allow_project("OPS")
    assert pipeline.census()["OPS"].status == "complete"


def test_an_issue_that_was_moved_to_a_tracked_project_that_is_archived_is_stored_there(pipeline: Pipeline) -> None:
    (key,) = some_of(pipeline, "APP", 1)
    new_key = pipeline.sandbox.move_issue(key, "OPS")
    pipeline.sandbox.archive_project("OPS")
    assert pipeline.census()["OPS"].moved_in == 1
    assert pipeline.removed() == {}
    assert new_key in pipeline.stored().values()


def test_access_lost_while_the_census_is_taken_makes_nothing_look_deleted(pipeline: Pipeline) -> None:
    deleted, *_ = some_of(pipeline, "APP", 1)
    pipeline.sandbox.delete_issue(deleted)
    pipeline.sandbox.faults.add(
        Fault("site_change", action=lambda: pipeline.sandbox.forbid_project("APP")), path=by_id_path(pipeline.sandbox)
    )
    found = pipeline.census()
    assert (found["APP"].status, found["APP"].deleted) == ("not_visible", 0)
    assert pipeline.removed() == {}


def test_a_dead_credential_marks_nothing(pipeline: Pipeline) -> None:
    site = pipeline.connect()
    pipeline.sandbox.revoke_credentials()
    with pytest.raises(CredentialsRejected):
        pipeline.census(site=site)
    assert pipeline.removed() == {}


def test_a_credential_that_dies_when_projects_are_walked_marks_nothing(pipeline: Pipeline) -> None:
    pipeline.sandbox.faults.add(
        Fault("site_change", action=pipeline.sandbox.revoke_credentials), path=search_path(pipeline.sandbox)
    )
    with pytest.raises(CredentialsRejected):
        pipeline.census()
    assert pipeline.removed() == {}


def test_a_credential_that_dies_when_issues_are_asked_for_by_id_marks_nothing(pipeline: Pipeline) -> None:
    pipeline.sandbox.delete_issue(some_of(pipeline, "APP", 1)[0])
    pipeline.sandbox.faults.add(
        Fault("site_change", action=pipeline.sandbox.revoke_credentials), path=by_id_path(pipeline.sandbox)
    )
    with pytest.raises(CredentialsRejected):
        pipeline.census()
    assert pipeline.removed() == {}


def test_a_project_whose_walk_fails_marks_nothing_and_holds_up_no_other(pipeline: Pipeline) -> None:
    gone = {key: some_of(pipeline, key, 1)[0] for key in ("APP", "OPS")}
    for key in gone.values():
        pipeline.sandbox.delete_issue(key)
    ids = dict(pipeline.rows("SELECT project_key, project_id FROM ops.tracked_projects"))

    def is_about_app(request: object) -> bool:
        asked = f"{request.query}{request.body!r}"  # type: ignore[attr-defined]
        return f"project = {ids['APP']} " in asked

    pipeline.sandbox.faults.add(
        Fault("server_error"), path=search_path(pipeline.sandbox), when=is_about_app, times=None
    )
    found = pipeline.census()
    assert (found["APP"].status, found["APP"].deleted) == ("error", 0)
    assert "did not answer" in str(found["APP"].error)
    assert (found["OPS"].status, found["OPS"].deleted) == ("complete", 1)

    pipeline.sandbox.faults.clear()
    assert pipeline.census()["APP"].deleted == 1


def test_a_page_without_ids_takes_nothing_for_gone(pipeline: Pipeline) -> None:
    pipeline.sandbox.faults.add(Fault("empty_page"), path=search_path(pipeline.sandbox))
    found = pipeline.census().values()
    assert {o.status for o in found} == {"complete"}
    assert all(o.seen + o.hidden == o.known for o in found)
    assert pipeline.removed() == {}


def refuse_questions_by_id(site: JiraSite, monkeypatch: pytest.MonkeyPatch) -> JiraSite:
    """Let a site refuse to say which issues there are, as one does whose account lacks a scope."""

    def refuse(issue_ids: Sequence[int], *, meter: Meter) -> dict[int, str | None]:
        raise RequestRefused("Jira refused POST issue/bulkfetch with 403: no scope", status=403)

    monkeypatch.setattr(site, "locate_issues", refuse)
    return site


def test_issues_that_cannot_be_asked_for_by_id_are_marked_only_when_missed_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue_id, key = min(pipeline.shown("APP").items())
    pipeline.sandbox.delete_issue(key)
    site = refuse_questions_by_id(pipeline.connect(), monkeypatch)
    first = pipeline.census(site=site)["APP"]
    assert (first.suspected, first.status, pipeline.removed()) == (1, "complete", {})
    pipeline.sandbox.advance(timedelta(minutes=30))
    assert pipeline.census(site=site)["APP"].suspected == 1
    assert pipeline.removed() == {}, "half an hour is too short for an index to recover"
    pipeline.sandbox.advance(timedelta(minutes=30))
    third = pipeline.census(site=site)["APP"]
    assert (third.suspected, third.not_visible, pipeline.removed()) == (0, 1, {issue_id: "not_visible"})


def test_a_suspicion_ends_when_the_issue_is_seen_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    (key,) = some_of(pipeline, "APP", 1)
    site = refuse_questions_by_id(pipeline.connect(), monkeypatch)
    pipeline.sandbox.forget_issue(key, seconds=60)
    assert pipeline.census(site=site)["APP"].suspected == 1
    pipeline.sandbox.advance(timedelta(hours=1))
    assert pipeline.census(site=site)["APP"].suspected == 0
    pipeline.sandbox.advance(timedelta(hours=1))
    pipeline.sandbox.forget_issue(key, seconds=60)
    assert pipeline.census(site=site)["APP"].suspected == 1, "the earlier suspicion does not count any more"
    assert pipeline.removed() == {}


def test_a_project_that_was_never_synced_is_left_to_the_first_sync(pipeline: Pipeline) -> None:
    pipeline.track("APP", "OPS", "ORDER")
    found = pipeline.census()["ORDER"]
    assert (found.status, found.requests, found.found) == ("pending", 0, 0)


def test_a_census_before_the_first_sync_is_refused(unsynced: Pipeline) -> None:
    with pytest.raises(SettingsError, match="Nothing has been synced yet"):
        unsynced.census()

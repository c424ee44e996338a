"""A project may be tracked by its id alone, and then it is nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.site import Project
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline.settings import TrackedProject
from jira_pipeline.sync.selection import tracked_ids
from jira_pipeline_tests.end_to_end.pipeline import Pipeline


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(seed=2, issues=30, projects=2, max_histories=5)) as sandbox:
        yield sandbox


def tracking(sandbox: Sandbox, directory: Path, *projects: TrackedProject) -> Pipeline:
    pipeline = Pipeline(sandbox, directory, keys=[])
    pipeline.config = replace(pipeline.config, tracked_projects=projects)
    return pipeline


def id_of(sandbox: Sandbox, key: str) -> str:
    return next(str(p["id"]) for i in sandbox.issues() if (p := i["fields"]["project"])["key"] == key)


def test_that_it_is_not_visible_any_more_is_told_under_its_key(sandbox: Sandbox, tmp_path: Path) -> None:
    pipeline = tracking(sandbox, tmp_path, TrackedProject(id=id_of(sandbox, "OPS")))
    assert pipeline.sync()["OPS"].error is None
    through = pipeline.value("SELECT synced_through FROM ops.tracked_projects")
    sandbox.forbid_project("OPS")

    outcome = pipeline.sync()

    assert list(outcome) == ["OPS"]
    assert outcome["OPS"].is_permanent
    assert not outcome["OPS"].is_unknown, "it was there: the settings are right"
    ((key, status, error, still_through),) = pipeline.rows(
        "SELECT project_key, sync_status, last_sync_error, synced_through FROM ops.tracked_projects"
    )
    assert (key, status, error, still_through) == ("OPS", "error", str(outcome["OPS"].error), through)
    assert pipeline.rows("SELECT project_key, status FROM ops.sync_runs") == [("OPS", "complete"), ("OPS", "error")]


def test_one_project_named_twice_is_refused_and_nothing_is_fetched(sandbox: Sandbox, tmp_path: Path) -> None:
    """Its two walks wrote the same landing files: nothing was stored, and the watermark moved."""
    pipeline = tracking(sandbox, tmp_path, TrackedProject(key="APP"), TrackedProject(id=id_of(sandbox, "APP")))

    with pytest.raises(SettingsError, match=f"^APP and id {id_of(sandbox, 'APP')} in .* are one project, APP: remove"):
        pipeline.sync()

    assert pipeline.value("SELECT count(*) FROM ops.tracked_projects") == 0


def test_so_are_a_former_key_and_the_present_one(sandbox: Sandbox, tmp_path: Path) -> None:
    pipeline = tracking(sandbox, tmp_path, TrackedProject(key="APP"))
    pipeline.sync()
    sandbox.rename_project("APP", new_key="MOBILE")
    pipeline.config = replace(
        pipeline.config, tracked_projects=(TrackedProject(key="APP", active=False), TrackedProject(key="MOBILE"))
    )

    with pytest.raises(SettingsError, match=r"^APP and MOBILE in .* are one project, MOBILE: remove"):
        pipeline.sync()


def test_an_archived_project_is_tracked_and_one_that_is_switched_off_is_not() -> None:
    listed = [Project("1", "APP"), Project("2", "OPS", archived=True), Project("3", "WEB"), Project("4", "NEW")]
    entries = (
        TrackedProject(key="APP"), TrackedProject(id="2"), TrackedProject(key="WEB", active=False),
        TrackedProject(key="GONE"), TrackedProject(key="NEVER"),
    )  # fmt: skip

    assert tracked_ids(entries, listed, {"GONE": "9"}) == {"1", "2", "9"}

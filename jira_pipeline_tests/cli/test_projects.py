"""`projects` from the outside: the list, and editing jira_pipeline.yaml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jira_pipeline.sandbox import Sandbox

from .conftest import CONFIG, Run


def listed(run: Run, *arguments: str, **changed: str | None) -> dict[str, dict[str, Any]]:
    outcome = run("projects", *arguments, **changed)
    assert outcome.exit_code == 0, outcome.stderr
    return {row["project_key"]: row for row in json.loads(outcome.stdout)["projects"]}


def test_projects_are_tracked_and_untracked(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    written = "# ours\nstart_date: 2026-11-01\ntracked_projects: []   # none yet\n\n# how to count\ntime_zone: UTC\n"
    path.write_text(written, encoding="utf-8")

    nothing = run("projects")
    assert nothing.exit_code == 0, nothing.stderr
    assert "2 projects, 0 tracked" in nothing.stdout
    assert "No project is tracked: `jira-pipeline projects track KEY` adds one." in nothing.stdout

    tracked = run("projects", "track", "app", "OPS")
    assert tracked.exit_code == 0, tracked.stderr
    assert tracked.stdout.splitlines() == [
        "APP is tracked from now on; the next sync reads all its issues.",
        "OPS is tracked from now on; the next sync reads all its issues.",
        "Next: jira-pipeline sync",
    ]
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ours\nstart_date: 2026-11-01\ntracked_projects:   # none yet\n  - key: APP\n    id: ")
    assert text.endswith("\n\n# how to count\ntime_zone: UTC\n")

    again = run("projects", "track", "APP")
    assert (again.exit_code, again.stdout) == (0, "APP is tracked already.\n")
    assert path.read_text(encoding="utf-8") == text

    assert run("projects", "untrack", "APP").stdout == "APP is not synced any more; what is stored stays.\n"
    assert "    active: false\n  - key: OPS\n" in path.read_text(encoding="utf-8")
    assert run("projects", "untrack", "APP").stdout == "APP is not tracked anyway.\n"
    rows = listed(run, "list", "--json")
    assert {key: row["is_tracked"] for key, row in rows.items()} == {"APP": False, "OPS": True}


def test_a_project_that_is_not_there_is_not_tracked(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    path.write_text("start_date: 2026-11-01\ntracked_projects:\n  - key: APP\n", encoding="utf-8")
    before = path.read_bytes()
    unknown = run("projects", "track", "OPS", "NOPE")
    assert unknown.exit_code == 2
    assert unknown.sentences == [
        f"jira-pipeline: There is no project NOPE at {sandbox.url}: "
        "`jira-pipeline projects` lists those there are. Nothing was written."
    ]
    sandbox.forbid_project("OPS")
    try:
        forbidden = run("projects", "track", "OPS")
    finally:
        sandbox.allow_project("OPS")
    assert forbidden.exit_code == 2
    assert "The account may not browse project OPS" in forbidden.sentences[0]
    assert path.read_bytes() == before


def test_a_project_with_a_new_key_is_recognised_and_reported(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    assert run("sync", "--json").exit_code == 0
    before = listed(run, "--json")
    assert before["APP"]["sync_status"] == "complete"
    assert before["APP"]["issue_count"] == sum(issue["key"].startswith("APP-") for issue in sandbox.issues())
    sandbox.rename_project("APP", new_key="APPS", new_name="Applications")
    try:
        (renamed,) = [row for key, row in listed(run, "--json").items() if key == "APPS"]
        assert renamed["is_tracked"]
        assert renamed["former_key"] == "APP"
        assert renamed["issue_count"] == before["APP"]["issue_count"]
        assert renamed["notes"][0] == "was APP, as jira_pipeline.yaml still has it"
        assert renamed["notes"][1].startswith("was called ")
        told = json.loads(run("status", "--json").stdout)["projects"][0]
        assert (told["project_key"], told["sync_status"]) == ("APPS", "complete")
        assert told["notes"] == renamed["notes"]

        assert run("projects", "track", "APPS").stdout == "APPS is tracked already.\n"
        run("projects", "untrack", "APP")
        assert (tmp_path / "jira_pipeline.yaml").read_text(encoding="utf-8") == CONFIG.replace(
            "- key: APP\n", "- key: APP\n    active: false\n"
        )
    finally:
        sandbox.rename_project("APPS", new_key="APP")

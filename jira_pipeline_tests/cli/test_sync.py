"""`sync` and `status` from the outside: exit codes, tables, JSON, and what is left in the database."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from jira_pipeline.sandbox import Fault, Sandbox

from .conftest import CONFIG, Run


def test_a_sync_fills_the_tables_and_status_says_so(run: Run, sandbox: Sandbox, tmp_path: Path) -> None:
    before = run("status", "--json")
    assert before.exit_code == 1
    assert [p["sync_status"] for p in json.loads(before.stdout)["projects"]] == ["pending", "pending"]

    synced = run("sync")
    assert synced.exit_code == 0, synced.stderr
    assert "stored" in synced.stdout
    assert "cycle_times" in synced.stdout
    assert "APP: full sync started" in synced.stderr

    with duckdb.connect(str(tmp_path / "data" / "jira.duckdb"), read_only=True) as connection:
        stored = connection.execute("SELECT issue_id, issue_key FROM issues ORDER BY issue_id").fetchall()
    assert stored == sorted((int(issue["id"]), issue["key"]) for issue in sandbox.issues())

    after = run("status", "--json")
    assert after.exit_code == 0, after.stderr
    told = json.loads(after.stdout)
    assert told["connection"]["kind"] == "cloud"
    assert told["connection"]["time_zone"] == "UTC"
    assert {p["project_key"]: p["issue_count"] for p in told["projects"]} == {
        key: sum(issue["key"].startswith(f"{key}-") for issue in sandbox.issues()) for key in ("APP", "OPS")
    }

    dead = run("status", "--json", JIRA_API_TOKEN="old")
    assert dead.exit_code == 2
    assert "did not accept" in json.loads(dead.stdout)["connection"]["error"]
    assert [p["sync_status"] for p in json.loads(dead.stdout)["projects"]] == ["complete", "complete"]


def test_an_unknown_project_is_named_and_the_others_are_stored(run: Run, tmp_path: Path) -> None:
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG.replace("OPS", "NOPE"), encoding="utf-8")
    outcome = run("sync", "--json")
    assert outcome.exit_code == 2, outcome.stderr
    assert len(outcome.sentences) == 1
    assert "There is no project NOPE" in outcome.sentences[0]
    projects = {p["project_key"]: p for p in json.loads(outcome.stdout)["projects"]}
    assert projects["APP"]["issues_created"] > 0
    assert "NOPE" in projects["NOPE"]["error"]


def test_a_forbidden_project_is_told_and_the_others_are_stored(run: Run, sandbox: Sandbox) -> None:
    sandbox.forbid_project("OPS")
    try:
        outcome = run("sync")
        assert outcome.exit_code == 1, outcome.stderr
        assert any(s.startswith("jira-pipeline: OPS: Project OPS is not visible") for s in outcome.sentences)
        assert json.loads(run("status", "--json").stdout)["projects"][0]["sync_status"] == "complete"
    finally:
        sandbox.allow_project("OPS")
    assert run("sync").exit_code == 0, "tomorrow's run needs no manual step"


def test_credentials_that_die_during_the_first_sync_are_what_is_told(run: Run, sandbox: Sandbox) -> None:
    """Once for all projects, and not that nothing has been published yet."""
    sandbox.faults.add(Fault("site_change", action=sandbox.revoke_credentials), path="/search/jql")
    try:
        outcome = run("sync")
    finally:
        sandbox.faults.clear()
        sandbox.restore_credentials()

    assert outcome.exit_code == 2, outcome.stderr
    (sentence,) = outcome.sentences
    assert sentence.startswith("jira-pipeline: APP, OPS: Jira at")
    assert "did not accept the credentials in JIRA_EMAIL and JIRA_API_TOKEN" in sentence
    assert run("sync").exit_code == 0, "the next run goes on"

"""Every wrong setting ends with exit code 2 and one sentence that names it, before anything is read or written."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox

from .conftest import CONFIG, Run


def assert_one_sentence(run: Run, *arguments: str, naming: str, **changed: str | None) -> None:
    outcome = run("sync", *arguments, **changed)
    assert outcome.exit_code == 2, outcome.stderr
    assert len(outcome.sentences) == 1, outcome.stderr
    assert naming in outcome.sentences[0]
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("variable", ["JIRA_SERVER", "JIRA_EMAIL", "JIRA_API_TOKEN"])
def test_a_missing_variable(run: Run, variable: str) -> None:
    assert_one_sentence(run, naming=variable, **{variable: None})


def test_a_rejected_credential(run: Run) -> None:
    assert_one_sentence(
        run, naming="did not accept the credentials in JIRA_EMAIL and JIRA_API_TOKEN", JIRA_API_TOKEN="old"
    )


def test_an_address_that_is_no_jira(run: Run, sandbox: Sandbox) -> None:
    assert_one_sentence(run, naming="/elsewhere has no Jira REST API", JIRA_SERVER=f"{sandbox.url}/elsewhere")


def test_an_unknown_key_in_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG + "trackd: []\n", encoding="utf-8")
    assert_one_sentence(run, naming="jira_pipeline.yaml, line 5, trackd")


def test_a_configuration_that_is_not_there(run: Run, tmp_path: Path) -> None:
    assert_one_sentence(run, naming="nowhere.yaml", JIRA_PIPELINE_CONFIG=str(tmp_path / "nowhere.yaml"))


def test_an_unreadable_roster(run: Run, tmp_path: Path) -> None:
    (tmp_path / "jira_pipeline.yaml").write_text(CONFIG + "team_members: team.csv\n", encoding="utf-8")
    assert_one_sentence(run, naming="team.csv")


def test_a_database_path_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert_one_sentence(
        run, naming="JIRA_PIPELINE_DATABASE", JIRA_PIPELINE_DATABASE=str(tmp_path / "file" / "jira.duckdb")
    )


def test_a_project_that_is_not_tracked(run: Run) -> None:
    assert_one_sentence(run, "--project", "ZZZ", naming="ZZZ is not among the active tracked projects")


def test_a_day_that_is_no_partition(run: Run) -> None:
    assert_one_sentence(run, "--date", "2026-10-31", naming="2026-10-31")


def test_a_day_that_is_no_day(run: Run) -> None:
    outcome = run("sync", "--date", "31.10.2026")
    assert outcome.exit_code == 2
    assert "31.10.2026" in outcome.stderr


@pytest.mark.parametrize("options", [("--date", "2026-11-02", "--from", "2026-11-01"), ("--to", "2026-11-02")])
def test_options_that_do_not_go_together(run: Run, options: tuple[str, ...]) -> None:
    assert run("sync", *options).exit_code == 2


def test_a_sandbox_file_that_is_not_there(run: Run) -> None:
    outcome = run("sandbox", "--data", "nowhere.ndjson")
    assert outcome.exit_code == 2
    assert "nowhere.ndjson" in outcome.sentences[0]

"""`status` beyond the projects: until when the sign-in is good, and what runs next."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jira_pipeline.sandbox import Sandbox, generate_site

from .conftest import Run


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A site that is signed in to with OAuth."""
    site = generate_site(seed=3, issues=2, projects=1, max_histories=2)
    with Sandbox(site, flavour="cloud", authentication="oauth") as running:
        yield running


def test_status_says_until_when_the_access_token_is_good_and_when_the_next_run_is(
    run: Run, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "jira_pipeline.yaml").write_text("start_date: 2026-11-01\ntracked_projects: []\n", encoding="utf-8")
    home = {"DAGSTER_HOME": str(tmp_path / "home")}
    outcome = run("status", "--json", **home)
    assert outcome.exit_code == 0, outcome.stderr
    told = json.loads(outcome.stdout)
    expires_at = datetime.fromisoformat(told["connection"]["credential_expires_at"])
    assert timedelta(minutes=30) < expires_at - datetime.now(UTC) <= timedelta(hours=1)
    assert told["connection"]["is_renewed"] is True
    assert told["schedule"] == {"is_on": False, "daemon_is_running": False, "next_run_at": None, "error": None}
    assert told["quarantined"] == 0

    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    switch_on = ["schedule", "start", "daily_sync_schedule", "-m", "jira_pipeline.definitions"]
    subprocess.run(
        [sys.executable, "-m", "dagster", *switch_on], env={**environment, **home}, check=True, capture_output=True
    )
    scheduled = json.loads(run("status", "--json", **home).stdout)["schedule"]
    next_run_at = datetime.fromisoformat(scheduled.pop("next_run_at"))
    assert scheduled == {"is_on": True, "daemon_is_running": False, "error": None}
    assert timedelta(0) < next_run_at - datetime.now(UTC) <= timedelta(days=1)
    assert (next_run_at.hour, next_run_at.minute) == (2, 0)

    shown = run("status", **home)
    assert shown.exit_code == 0, shown.stderr
    assert "and is renewed by itself." in shown.stdout
    assert f"due at {next_run_at:%Y-%m-%d} 02:00 UTC, but the Dagster daemon is not running" in shown.stdout

"""The command as it is installed, and what it says about itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from .conftest import Run


def test_the_installed_command_lists_its_commands(environment: dict[str, str], tmp_path: Path) -> None:
    """In a Python of its own, which the other tests of commands do without: it takes longer than what they do."""
    command = Path(sys.executable).with_name("jira-pipeline")
    shown = subprocess.run([command, "--help"], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.findall(r"^  (\w+) {2,}\w", shown.stdout.partition("Commands:")[2], re.MULTILINE) == [
        "demo", "init", "projects", "reconcile", "sandbox", "status", "sync", "users",
    ]  # fmt: skip


def test_a_command_that_is_not_there_is_a_usage_error(run: Run) -> None:
    outcome = run("syn")
    assert outcome.exit_code == 2
    assert "No such command 'syn'" in outcome.stderr

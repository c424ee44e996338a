"""`init` in a pseudo-terminal: questions, answers, and the two files that it leaves."""

from __future__ import annotations

import os
import pty
import select
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from jira_pipeline.cli.env_file import load_env_file, store_credentials
from jira_pipeline.errors import SettingsError
from jira_pipeline.sandbox import Sandbox
from jira_pipeline.settings import load_config

from .conftest import CONFIG, Run

COMMAND = [sys.executable, "-c", "from jira_pipeline.cli import main; main()", "init"]
PATIENCE = 60.0  # seconds for the next question


def converse(environment: dict[str, str], directory: Path, dialogue: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """Run `init` on a terminal of its own: wait for each question, type its answer. Returns exit code and screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(directory)
        os.execve(COMMAND[0], COMMAND, environment)
    screen = ""
    try:
        for question, answer in dialogue:
            seen = len(screen)
            while question not in screen[seen:]:
                screen += _more(terminal, f"waiting for {question!r} after:\n{screen}")
            os.write(terminal, f"{answer}\n".encode())
        while chunk := _more(terminal, f"waiting for the end after:\n{screen}"):
            screen += chunk
    finally:
        os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), screen.replace("\r\n", "\n")


def _more(terminal: int, doing: str) -> str:
    readable, _, _ = select.select([terminal], [], [], PATIENCE)
    assert readable, doing
    try:
        return os.read(terminal, 4096).decode(errors="replace")
    except OSError:  # Linux's way to say that the other end is closed
        return ""


def without_credentials(environment: dict[str, str]) -> dict[str, str]:
    secret = ("JIRA_SERVER", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PIPELINE_CONFIG")
    return {name: value for name, value in environment.items() if name not in secret}


def test_questions_and_answers_end_in_a_configuration_that_works(
    environment: dict[str, str], sandbox: Sandbox, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "jira_pipeline.yaml").unlink()
    (tmp_path / ".env").write_text("# ours\nDAGSTER_HOME=home\n", encoding="utf-8")
    token = sandbox.credentials["JIRA_API_TOKEN"]
    exit_code, screen = converse(
        without_credentials(environment),
        tmp_path,
        [
            ("Address of your Jira", sandbox.url + "/"),
            ("Which kind of Jira", "cloud"),
            ("E-mail address", sandbox.credentials["JIRA_EMAIL"]),
            ("API token", "mistyped"),
            ("E-mail address", sandbox.credentials["JIRA_EMAIL"]),
            ("API token", token),
            ("Projects to track", "ops nope"),
            ("Projects to track", "ops"),
        ],
    )
    assert exit_code == 0, screen
    assert token not in screen
    assert "mistyped" not in screen
    assert "did not accept the credentials" in screen
    assert "Connected to " in screen
    assert "There is no project NOPE in the list above." in screen
    assert screen.endswith("Next: jira-pipeline sync\n")

    (tracked,) = load_config(tmp_path / "jira_pipeline.yaml").tracked_projects
    assert tracked.key == "OPS"
    assert tracked.id
    stored = tmp_path / ".env"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert stored.read_text(encoding="utf-8").startswith("# ours\nDAGSTER_HOME=home\nJIRA_SERVER=")

    unset = dict.fromkeys(("JIRA_SERVER", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PIPELINE_CONFIG"))
    listed = run("projects", **unset)
    assert listed.exit_code == 0, listed.stderr
    assert "2 projects, 1 tracked" in listed.stdout
    assert run("projects", **{**unset, "JIRA_API_TOKEN": "from the shell"}).exit_code == 2, "the shell wins over .env"


@pytest.mark.parametrize("question", ["jira_pipeline.yaml is there already", ".env has credentials"])
def test_nothing_is_overwritten_without_asking(environment: dict[str, str], tmp_path: Path, question: str) -> None:
    files = {"jira_pipeline.yaml": CONFIG, ".env": "JIRA_API_TOKEN=old\n"}
    if question.startswith(".env"):
        (tmp_path / "jira_pipeline.yaml").unlink()
        del files["jira_pipeline.yaml"]
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    exit_code, screen = converse(without_credentials(environment), tmp_path, [(question, "n")])
    assert exit_code == 1
    assert screen.endswith("Nothing was changed.\n")
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in files} == files


def test_without_a_terminal_it_says_what_to_do_instead(run: Run) -> None:
    outcome = run("init")
    assert outcome.exit_code == 2
    assert len(outcome.sentences) == 1
    assert "its input is no terminal" in outcome.sentences[0]


def test_a_variable_that_is_set_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store_credentials({"JIRA_SERVER": "https://acme.atlassian.net", "JIRA_API_TOKEN": 'it\'s #1 \\ "x" '})
    environ = {"JIRA_SERVER": "https://other.example"}
    load_env_file(environ)
    assert environ == {"JIRA_SERVER": "https://other.example", "JIRA_API_TOKEN": 'it\'s #1 \\ "x" '}


def test_an_earlier_sign_in_is_replaced_and_other_lines_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env_file = tmp_path / ".env"
    env_file.write_text("A=1\nexport JIRA_EMAIL = x@y\n#JIRA_SERVER=z\nJIRA_API_TOKEN='old'\nB=2", encoding="utf-8")
    env_file.chmod(0o644)
    store_credentials({"JIRA_PERSONAL_ACCESS_TOKEN": "new"})
    text = env_file.read_text(encoding="utf-8")
    assert text == "A=1\n#JIRA_SERVER=z\nB=2\nJIRA_PERSONAL_ACCESS_TOKEN='new'\n"
    assert env_file.stat().st_mode & 0o777 == 0o600


def test_an_unreadable_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"JIRA_EMAIL=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env cannot be read \(it is not UTF-8\)"):
        load_env_file({})

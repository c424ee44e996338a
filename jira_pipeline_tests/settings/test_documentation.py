"""docs/configuration.md says what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jira_pipeline.settings import load_config
from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def examples(language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```$", DOCS, flags=re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.mark.parametrize("example", examples("yaml"))
def test_every_example_of_a_settings_file_is_valid(write: Write, tmp_path: Path, example: str) -> None:
    (tmp_path / "team.csv").write_text(examples("csv")[0], encoding="utf-8")
    config = load_config(write(example if "start_date" in example else f"{SMALLEST}{example}"))
    assert config.tracked_projects or config.team_members


def test_the_example_with_every_setting_has_every_key_of_the_tables() -> None:
    file_tables = DOCS.split("## `jira_pipeline.yaml`")[1].split("## The team roster")[0]
    keys = re.findall(r"^\| `(?:\w+\.)?(\w+)` \|", file_tables, flags=re.MULTILINE)
    everything = examples("yaml")[1]
    assert len(keys) >= 14
    assert [key for key in keys if not re.search(rf"\b{key}:", everything)] == []


def test_the_example_of_an_error_is_what_is_told(write: Write) -> None:
    (told,) = examples("text")
    path = write("start_date: 2026-11-01\ntime_zome: UTC\ntracked_projects:\n  - key: NO\n")
    assert complaint(path).replace(str(path), "jira_pipeline.yaml") == told.rstrip("\n")

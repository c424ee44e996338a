"""Files that cannot be read as settings at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint


def test_a_missing_file_is_told_with_the_variable_that_names_it(tmp_path: Path) -> None:
    message = complaint(tmp_path / "absent.yaml")
    assert message.startswith(f"{tmp_path / 'absent.yaml'} does not exist: ")
    assert "JIRA_PIPELINE_CONFIG" in message


def test_a_directory_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert complaint(tmp_path) == f"{tmp_path} cannot be read (Is a directory): give a readable file."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_told(write: Write) -> None:
    path = write(SMALLEST)
    path.chmod(0)
    assert "cannot be read (Permission denied)" in complaint(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty: write at least start_date: and tracked_projects:."),
        ("# nothing but a comment\n", "is empty: "),
        ("APP\n", "holds 'APP', not a mapping: "),
        ("- APP\n", "holds a list, not a mapping: "),
        (f"{SMALLEST}sync: {{\n", ", line 4: is not YAML ("),
        (f"{SMALLEST}\tsync: 1\n", ", line 3: is not YAML ("),
        (f"{SMALLEST}workflow: *nowhere\n", ", line 3: is not YAML ("),
        (f"{SMALLEST}---\n{SMALLEST}", ", line 3: is not YAML ("),
        (f"{SMALLEST}\x00", ", line 3: has a character that YAML forbids"),
        (f"{SMALLEST}workflow: {'[' * 5000}", "nests too deeply or contains itself"),
        (f"{SMALLEST}sync: &self {{<<: *self}}\n", "nests too deeply or contains itself"),
        (f"{SMALLEST}sync: {{<<: [3]}}\n", ", line 3, sync: must be a mapping"),
        (f"{SMALLEST}sync: !!python/object/apply:os.abort []\n", ", line 3, sync: must be a mapping"),
    ],
)
def test_a_file_that_is_no_mapping_of_settings_is_told(write: Write, text: str, told: str) -> None:
    path = write(text)
    message = complaint(path)
    assert message.startswith(f"{path}{told}" if told.startswith(",") else f"{path} {told}")
    assert "\n" not in message


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    path.write_bytes(f"{SMALLEST}# caf\xe9\n".encode("latin-1"))
    assert complaint(path) == f"{path}, line 3: the text is not UTF-8; save the file as UTF-8."

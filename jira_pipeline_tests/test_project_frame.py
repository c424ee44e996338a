"""The names and versions that several files of the frame repeat are the same in all of them."""

from __future__ import annotations

import configparser
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LOCATION = "jira_pipeline"
MODULE = "jira_pipeline.definitions"


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read_string((ROOT / "setup.cfg").read_text(encoding="utf-8"))
    return parser


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_code_location_has_one_name_whoever_loads_it() -> None:
    tool = pyproject()["tool"]
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    named_by = {
        "setup.cfg": setup_cfg()["metadata"]["name"],
        "[tool.dagster]": tool["dagster"]["code_location_name"],
        "[tool.dg.project]": tool["dg"]["project"]["code_location_name"],
        "workspace.yaml": entry["python_module"]["location_name"],
    }
    assert named_by == dict.fromkeys(named_by, LOCATION)


def test_the_code_location_is_one_module_whoever_loads_it() -> None:
    tool = pyproject()["tool"]
    (entry,) = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"]
    loaded_from = {
        "[tool.dagster]": tool["dagster"]["module_name"],
        "[tool.dg.project]": tool["dg"]["project"]["code_location_target_module"],
        "workspace.yaml": entry["python_module"]["module_name"],
    }
    assert loaded_from == dict.fromkeys(loaded_from, MODULE)


def test_name_and_dependencies_stand_in_setup_cfg_only() -> None:
    assert "project" not in pyproject()


def test_the_command_is_jira_pipeline() -> None:
    scripts = setup_cfg()["options.entry_points"]["console_scripts"].split("\n")
    assert "jira-pipeline = jira_pipeline.cli:main" in scripts


def test_make_tries_exactly_the_pythons_that_setup_cfg_allows() -> None:
    lowest, beyond = re.findall(r"3\.(\d+)", setup_cfg()["options"]["python_requires"])
    allowed = {f"python3.{minor}" for minor in range(int(lowest), int(beyond))}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (tried,) = re.findall(r"^PYTHONS := (.*)$", makefile, flags=re.MULTILINE)
    assert set(tried.split()) == allowed | {"python3"}
    assert f"(3, {lowest}) <= sys.version_info[:2] < (3, {beyond})" in makefile


def test_every_sql_file_of_the_package_is_packaged() -> None:
    patterns = setup_cfg()["options.package_data"]["jira_pipeline"].split()
    package = ROOT / "jira_pipeline"
    packaged = {path for pattern in patterns for path in package.glob(pattern)}
    written = set(package.rglob("*.sql"))
    assert written
    assert written <= packaged


def test_the_changelog_tells_of_the_version() -> None:
    version = setup_cfg()["metadata"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("target", ["demo", "test", "test-duckdb-1.5", "lint", "clean"])
def test_make_alone_lists_the_targets(target: str) -> None:
    shown = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^make {re.escape(target)} ", shown, flags=re.MULTILINE)


def set_up_with(pythons: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    command = ["make", "-C", str(ROOT), "test", f"PYTHONS={pythons}", f"VENV={tmp_path / 'venv'}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_make_says_that_no_python_is_new_enough(tmp_path: Path) -> None:
    made = set_up_with("no-such-python", tmp_path)
    assert made.returncode != 0
    assert "No Python from 3.11 to 3.14 found" in made.stderr


def test_make_says_that_the_python_found_cannot_make_virtual_environments(tmp_path: Path) -> None:
    without_venv = tmp_path / "python-as-debian-ships-it"
    without_venv.write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n', encoding="utf-8")
    without_venv.chmod(0o755)
    made = set_up_with(str(without_venv), tmp_path)
    assert made.returncode != 0
    assert "apt-get install python3-venv" in made.stderr

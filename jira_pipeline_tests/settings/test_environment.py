"""The files that environment variables name."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import config_path_from, database_path_from


@pytest.mark.parametrize("environ", [{}, {"JIRA_PIPELINE_CONFIG": ""}, {"JIRA_PIPELINE_CONFIG": "  "}])
def test_the_settings_file_is_jira_pipeline_yaml_in_the_working_directory(environ: dict[str, str]) -> None:
    assert config_path_from(environ) == Path("jira_pipeline.yaml")


def test_the_variable_names_another_settings_file() -> None:
    assert config_path_from({"JIRA_PIPELINE_CONFIG": "~/team.yaml"}) == Path.home() / "team.yaml"


def test_the_database_is_data_jira_duckdb_unless_the_variable_names_another() -> None:
    assert database_path_from({}) == Path("data/jira.duckdb")
    assert database_path_from({"JIRA_PIPELINE_DATABASE": "~/flow.duckdb"}) == Path.home() / "flow.duckdb"


@pytest.mark.parametrize(
    "name", ["ops.duckdb", ".ops.duckdb", "OPS.db", "main", "temp.duckdb", "system.duckdb", "ops.v2.duckdb"]
)
def test_a_database_that_duckdb_would_take_for_a_schema_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"^JIRA_PIPELINE_DATABASE is data/.*: DuckDB would confuse"):
        database_path_from({"JIRA_PIPELINE_DATABASE": f"data/{name}"})


@pytest.mark.parametrize("name", ["operations.duckdb", "jira.ops.duckdb", "maintenance"])
def test_a_database_whose_name_only_contains_such_a_word_is_accepted(name: str) -> None:
    assert database_path_from({"JIRA_PIPELINE_DATABASE": name}) == Path(name)


@pytest.mark.parametrize("name", [":memory:", "md:flow", "s3://bucket/jira.duckdb"])
def test_a_database_that_is_no_local_file_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="share a file, give its path"):
        database_path_from({"JIRA_PIPELINE_DATABASE": name})


def test_a_directory_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="a directory: give the path of a file in it"):
        database_path_from({"JIRA_PIPELINE_DATABASE": str(tmp_path)})

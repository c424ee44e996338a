"""The files that environment variables name; the values come in a mapping, so that a Dagster resource can give them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jira_pipeline.errors import SettingsError

CONFIG_VARIABLE = "JIRA_PIPELINE_CONFIG"
DATABASE_VARIABLE = "JIRA_PIPELINE_DATABASE"
DEFAULT_CONFIG_PATH = "jira_pipeline.yaml"
DEFAULT_DATABASE_PATH = "data/jira.duckdb"

# DuckDB names the catalog after the file, up to the first dot. A catalog called like a schema makes `ops.sync_runs`
# ambiguous; `temp` and `system` are DuckDB's own.
RESERVED_CATALOGS = frozenset({"main", "ops", "temp", "system"})


def config_path_from(environ: Mapping[str, str]) -> Path:
    """Where the settings file is: JIRA_PIPELINE_CONFIG, else `jira_pipeline.yaml` in the working directory."""
    return Path(environ.get(CONFIG_VARIABLE, "").strip() or DEFAULT_CONFIG_PATH).expanduser()


def database_path_from(environ: Mapping[str, str]) -> Path:
    """Where the DuckDB file is that people query: JIRA_PIPELINE_DATABASE, else `data/jira.duckdb`.

    Raises SettingsError for a name that DuckDB would confuse with one of its schemas, for a directory, and for
    anything but a local file.
    """
    written = environ.get(DATABASE_VARIABLE, "").strip() or DEFAULT_DATABASE_PATH
    if written.startswith((":memory:", "md:", "ducklake:")) or "://" in written:
        raise SettingsError(
            f"{DATABASE_VARIABLE} is {written}: the pipeline and its readers share a file, give its path."
        )
    path = Path(written).expanduser()
    catalog = path.name.lstrip(".").split(".")[0]
    if catalog.casefold() in RESERVED_CATALOGS:
        raise SettingsError(
            f"{DATABASE_VARIABLE} is {written}: DuckDB would confuse the name '{catalog}' with a schema, "
            "give the file another name, such as jira.duckdb."
        )
    if path.is_dir():
        raise SettingsError(f"{DATABASE_VARIABLE} is {written}, a directory: give the path of a file in it.")
    return path

"""Where Dagster keeps its runs when nobody has said where."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path

from jira_pipeline.settings import database_path_from


def dagster_home() -> Path:
    """DAGSTER_HOME, or a directory beside the database when it is not set; it need not exist yet."""
    configured = os.environ.get("DAGSTER_HOME")
    return Path(configured) if configured else database_path_from(os.environ).resolve().parent / "dagster_home"


def ensure_dagster_home() -> Path:
    """The home, made if it is not there, and DAGSTER_HOME set to it: the runs of the command line are then in the UI of
    `dagster dev` as well, as long as that is started with the same DAGSTER_HOME."""
    home = dagster_home()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text((files("jira_pipeline.cli") / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home.resolve())
    return home

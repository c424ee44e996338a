"""The settings as they were when Dagster loaded the code: what definitions are made of. Runs read the file anew."""

from __future__ import annotations

import os
from datetime import date
from functools import cache

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import Alerts, PipelineConfig, config_path_from, load_alerts, load_config

_WITHOUT_CONFIGURATION = date(2026, 1, 1)


@cache
def settings_at_load() -> PipelineConfig:
    """The settings file, or the defaults where it is missing or wrong: the code location has to load all the same, so
    that the UI can show what is wrong. Every run reads the file again and says so."""
    path = config_path_from(os.environ)
    try:
        return load_config(path)
    except SettingsError:
        return PipelineConfig(path, start_date=_WITHOUT_CONFIGURATION, tracked_projects=())


@cache
def alerts_at_load() -> Alerts:
    """Who is to be told of failed runs, as `load_alerts` reads it; nobody where that is not readable."""
    try:
        return load_alerts(config_path_from(os.environ))
    except SettingsError:
        return Alerts()

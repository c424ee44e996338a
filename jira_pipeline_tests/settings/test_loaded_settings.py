"""What the code location is made of where the settings are missing or wrong: it loads all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from jira_pipeline import loaded_settings
from jira_pipeline.settings import Alerts, ScheduleSettings
from jira_pipeline_tests.settings.reading import SMALLEST


@pytest.fixture(autouse=True)
def _loaded_anew() -> Iterator[None]:
    def forget() -> None:
        loaded_settings.settings_at_load.cache_clear()
        loaded_settings.alerts_at_load.cache_clear()

    forget()
    yield
    forget()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "jira_pipeline.yaml"
    monkeypatch.setenv("JIRA_PIPELINE_CONFIG", str(path))
    return path


def test_readable_settings_are_those_of_the_definitions(path: Path) -> None:
    path.write_text(f"{SMALLEST}schedule: {{daily_sync: 0 7 * * *}}\nalerts: {{command: [tell]}}\n", encoding="utf-8")
    assert loaded_settings.settings_at_load().schedule == ScheduleSettings(daily_sync="0 7 * * *")
    assert loaded_settings.settings_at_load().start_date == date(2026, 11, 1)
    assert loaded_settings.alerts_at_load() == Alerts(command=("tell",))


def test_without_a_file_there_are_the_defaults(path: Path) -> None:
    assert loaded_settings.settings_at_load().schedule == ScheduleSettings()
    assert loaded_settings.alerts_at_load() == Alerts()


def test_a_wrong_schedule_leaves_the_default_and_the_alerts(path: Path) -> None:
    path.write_text(f"{SMALLEST}schedule: {{daily_sync: daily}}\nalerts: {{command: [tell]}}\n", encoding="utf-8")
    assert loaded_settings.settings_at_load().schedule == ScheduleSettings()
    assert loaded_settings.alerts_at_load() == Alerts(command=("tell",))


def test_a_file_that_is_no_yaml_leaves_the_defaults(path: Path) -> None:
    path.write_text("schedule: [", encoding="utf-8")
    assert loaded_settings.settings_at_load().schedule == ScheduleSettings()
    assert loaded_settings.alerts_at_load() == Alerts()

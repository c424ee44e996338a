"""Local days."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.tables import require_zone


def last_complete_day(settings: FlowSettings, as_of: datetime) -> date:
    """The last day of the reporting time zone that was over at `as_of`: the newest one that daily figures cover."""
    return require_zone(as_of).astimezone(ZoneInfo(settings.time_zone)).date() - timedelta(days=1)

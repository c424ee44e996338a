"""Settings: `jira_pipeline.yaml` and environment variables, read into validated, frozen values."""

from jira_pipeline.settings.config import load_alerts, load_config
from jira_pipeline.settings.environment import config_path_from, database_path_from
from jira_pipeline.settings.model import (
    Alerts,
    Calendar,
    CycleTimeClock,
    EmailAlerts,
    FlowOptions,
    PipelineConfig,
    ScheduleSettings,
    SyncSettings,
    TeamMember,
    TrackedProject,
    Workflow,
)

__all__ = [
    "Alerts",
    "Calendar",
    "CycleTimeClock",
    "EmailAlerts",
    "FlowOptions",
    "PipelineConfig",
    "ScheduleSettings",
    "SyncSettings",
    "TeamMember",
    "TrackedProject",
    "Workflow",
    "config_path_from",
    "database_path_from",
    "load_alerts",
    "load_config",
]

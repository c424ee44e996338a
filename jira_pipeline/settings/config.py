"""`jira_pipeline.yaml` -> PipelineConfig, with every problem told by file, line and key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import yaml

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings.alerts import alerts
from jira_pipeline.settings.calendar import calendar
from jira_pipeline.settings.cron import cron
from jira_pipeline.settings.model import (
    Alerts,
    CycleTimeClock,
    FlowOptions,
    PipelineConfig,
    ScheduleSettings,
    SyncSettings,
    TrackedProject,
    Workflow,
)
from jira_pipeline.settings.nodes import (
    Entry,
    day,
    described,
    flag,
    is_null,
    items,
    mapping,
    matching,
    number,
    one_of,
    quote_it,
    require,
    take,
    texts,
    time_zone,
    whole_number,
)
from jira_pipeline.settings.problems import Problems, read_text
from jira_pipeline.settings.roster import team_members

KEYS = (
    "start_date",
    "time_zone",
    "tracked_projects",
    "team_members",
    "cycle_time",
    "workflow",
    "flow",
    "calendar",
    "sync",
    "schedule",
    "alerts",
    "matching_coverage",
    "owners",
)

T = TypeVar("T")

# The first partition takes everything older, so a start before Jira itself (2002) only makes partitions nobody needs;
# one that is more than a year ahead is a slip of the pen.
EARLIEST_START = date(2000, 1, 1)
START_AHEAD_AT_MOST = timedelta(days=366)

HOURS_OF_A_YEAR = 8760


def load_config(path: Path) -> PipelineConfig:
    """Read and check the settings file and the roster it names.

    Raises SettingsError that tells all problems at once, each with file, line, key and what to do.
    """
    problems = Problems(path)
    config = _read(path, problems, _config)
    problems.raise_any()
    return config


def load_alerts(path: Path) -> Alerts:
    """The alerts of the settings file alone, also where something else in it is wrong: that makes runs fail, and
    somebody has to be told.

    Raises SettingsError when the file is no YAML, or its alerts are wrong.
    """
    problems = Problems(path)
    found = _read(path, problems, lambda entry: take(mapping(entry, KEYS) or {}, "alerts", alerts, Alerts()))
    Problems(path, {problem for problem in problems.found if re.match(r"alerts\b", problem.key)}).raise_any()
    return found


def _read(path: Path, problems: Problems, read: Callable[[Entry], T]) -> T:
    content = read_text(path, remedy="write it (docs/configuration.md), or set JIRA_PIPELINE_CONFIG to its path")
    try:
        node = yaml.compose(content, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            found = "is empty" if node is None else f"holds {described(node)}, not a mapping"
            raise SettingsError(f"{path} {found}: write at least start_date: and tracked_projects:.")
        return read(Entry(problems, path, "", node))
    except yaml.YAMLError as error:
        raise SettingsError(_not_yaml(path, content, error)) from None
    except RecursionError:
        raise SettingsError(f"{path} nests too deeply or contains itself: correct its indents and aliases.") from None


def _not_yaml(path: Path, content: str, error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{path}, line {error.problem_mark.line + 1}: is not YAML ({error.problem}); correct the line."
    position = getattr(error, "position", 0)
    line = content.count("\n", 0, position) + 1
    return f"{path}, line {line}: has a character that YAML forbids; remove it."


def _config(entry: Entry) -> PipelineConfig:
    keys = mapping(entry, KEYS) or {}
    latest_start = datetime.now(UTC).date() + START_AHEAD_AT_MOST
    start_date = require(entry, keys, "start_date", day(EARLIEST_START, latest_start), "start_date: YYYY-MM-DD")
    projects = require(entry, keys, "tracked_projects", _tracked_projects, "tracked_projects: []")
    return PipelineConfig(
        path=entry.file,
        start_date=start_date or EARLIEST_START,
        tracked_projects=projects or (),
        time_zone=take(keys, "time_zone", time_zone, PipelineConfig.time_zone),
        team_members=take(keys, "team_members", team_members, ()),
        cycle_time=take(keys, "cycle_time", _cycle_time, CycleTimeClock()),
        workflow=take(keys, "workflow", _workflow, Workflow()),
        flow=take(keys, "flow", _flow, FlowOptions()),
        calendar=take(keys, "calendar", calendar, None),
        sync=take(keys, "sync", _sync, SyncSettings()),
        schedule=take(keys, "schedule", _schedule, ScheduleSettings()),
        alerts=take(keys, "alerts", alerts, Alerts()),
        matching_coverage=take(
            keys, "matching_coverage", whole_number(0, 100, "per cent"), PipelineConfig.matching_coverage
        ),
        owners=take(keys, "owners", _owners, ()),
    )


def _tracked_projects(entry: Entry) -> tuple[TrackedProject, ...]:
    read = [(item, project) for item in items(entry) if (project := _tracked_project(item)) is not None]
    _report_repeated("key", ((item, project.key) for item, project in read))
    _report_repeated("id", ((item, project.id) for item, project in read))
    return tuple(project for _, project in read)


def _report_repeated(key: str, values: Iterable[tuple[Entry, str | None]]) -> None:
    first: dict[str, Entry] = {}
    for item, value in values:
        if value is not None and first.setdefault(value, item) is not item:
            other = first[value]
            item.at(f"{item.key}.{key}", item.node).report(
                f"project {value} is already tracked on line {other.line} ({other.key}); remove one of the two"
            )


def _tracked_project(entry: Entry) -> TrackedProject | None:
    if isinstance(entry.node, yaml.ScalarNode):
        entry.report(f"must be a mapping; write - key: {entry.node.value}")
        return None
    keys = mapping(entry, ("key", "id", "active", "story_points_field", "workflow"))
    if keys is None:
        return None
    named = [keys[name] for name in ("key", "id") if name in keys]
    if all(is_null(name.node) for name in named):
        unquoted = [complaint for name in named if (complaint := quote_it(name.node))]
        entry.report(unquoted[0] if unquoted else "names no project; add key: or id:")
    return TrackedProject(
        key=take(keys, "key", _project_key, None),
        id=take(keys, "id", _project_id, None),
        active=take(keys, "active", flag, TrackedProject.active),
        story_points_field=take(keys, "story_points_field", _field_id, None),
        workflow=take(keys, "workflow", _workflow, None),
    )


def _project_key(entry: Entry) -> str | None:
    key = _any_project_key(entry)
    return key and key.upper()


_any_project_key = matching(
    "[A-Za-z][A-Za-z0-9_]*",
    "'{}' is not a project key; write a letter followed by letters, digits or underscores, such as APP",
)
_project_id = matching("[0-9]+", "'{}' is not a project id, which has digits only; write key: for a project key")
_field_id = matching(
    "customfield_[0-9]+",
    "'{}' is not the id of a custom field; write it like customfield_10016, or leave it out",
)


def _cycle_time(entry: Entry) -> CycleTimeClock | None:
    keys = mapping(entry, ("from", "to"))
    if keys is None:
        return None
    return CycleTimeClock(
        start=take(keys, "from", one_of("created", "started"), CycleTimeClock.start),
        stop=take(keys, "to", one_of("resolved", "done"), CycleTimeClock.stop),
    )


def _workflow(entry: Entry) -> Workflow | None:
    keys = mapping(entry, ("started", "done", "waiting"))
    if keys is None:
        return None
    return Workflow(
        started=take(keys, "started", texts, ()),
        done=take(keys, "done", texts, ()),
        waiting=take(keys, "waiting", texts, ()),
    )


def _flow(entry: Entry) -> FlowOptions | None:
    keys = mapping(entry, ("excluded_types", "withdrawn_resolutions", "bug_types", "sle", "stale_days"))
    if keys is None:
        return None
    nothing: dict[str, Entry] = {}
    sle = take(keys, "sle", _sle, nothing)
    return FlowOptions(
        excluded_types=take(keys, "excluded_types", texts, ()),
        withdrawn_resolutions=take(keys, "withdrawn_resolutions", texts, None),
        bug_types=take(keys, "bug_types", texts, FlowOptions.bug_types),
        sle_days=take(sle, "days", whole_number(1, 3650, "days"), None),
        sle_percentile=take(sle, "percentile", whole_number(1, 99, "percent"), FlowOptions.sle_percentile),
        stale_days=take(keys, "stale_days", whole_number(1, 3650, "days"), FlowOptions.stale_days),
    )


def _sle(entry: Entry) -> dict[str, Entry] | None:
    return mapping(entry, ("days", "percentile"))


def _sync(entry: Entry) -> SyncSettings | None:
    keys = mapping(entry, ("overlap_hours", "concurrency"))
    if keys is None:
        return None
    return SyncSettings(
        overlap_hours=take(keys, "overlap_hours", number(0, HOURS_OF_A_YEAR, "hours"), SyncSettings.overlap_hours),
        concurrency=take(keys, "concurrency", whole_number(1, 32, "requests"), SyncSettings.concurrency),
    )


def _schedule(entry: Entry) -> ScheduleSettings | None:
    keys = mapping(entry, ("daily_sync", "reconcile", "time_zone"))
    if keys is None:
        return None
    return ScheduleSettings(
        daily_sync=take(keys, "daily_sync", cron, ScheduleSettings.daily_sync),
        reconcile=take(keys, "reconcile", cron, ScheduleSettings.reconcile),
        time_zone=take(keys, "time_zone", time_zone, ScheduleSettings.time_zone),
    )


def _owners(entry: Entry) -> tuple[str, ...]:
    return tuple(owner for item in items(entry) if (owner := _owner(item)) is not None)


# The two forms that Dagster takes.
_owner = matching(
    r"team:\S+|[^@\s]+@[^@\s]+\.[^@\s]+",
    "'{}' is no owner; write team: and a name, such as team:data, or an e-mail address",
)

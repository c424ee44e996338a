"""One sync of the tracked projects: fetch with threads, and store meanwhile what has landed."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.errors import ProjectUnavailable, RunFatal
from jira_pipeline.jira.fields import Field, FieldRole, configured_story_points, discover_roles, story_points_roles
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.settings import PipelineConfig, TrackedProject
from jira_pipeline.sync.fetch import Landed, ProjectFetch, fetch_projects
from jira_pipeline.sync.plan import PartitionWindow, ProjectPlan, plan_project
from jira_pipeline.sync.progress import Progress
from jira_pipeline.sync.selection import with_projects
from jira_pipeline.warehouse.database import Warehouse, loading
from jira_pipeline.warehouse.operations import (
    TrackedState,
    advance_as_of,
    known_project_ids,
    mark_syncing,
    record_unavailable,
    set_aside,
    store_field_roles,
    store_tracked_projects,
    watermarks,
)
from jira_pipeline.warehouse.reference import store_statuses
from jira_pipeline.warehouse.run_store import ProjectOutcome, RunStore


@dataclass(frozen=True)
class Selection:
    """Tracked projects and what Jira shows of them: those to be synced, and those it does not show, each with the
    reason."""

    active: tuple[tuple[TrackedProject, Project], ...]
    missing: tuple[tuple[TrackedProject, PipelineError], ...]


def select_projects(
    site: JiraSite,
    projects: Sequence[Project],
    config: PipelineConfig,
    *,
    known_ids: dict[str, str],
    only: Sequence[str] = (),
) -> Selection:
    """Find the active tracked projects among those that the account can browse, by id where one is known.

    `only` narrows the run to these keys; a key that is not tracked is a `SettingsError`, and so is a project that two
    entries mean.
    """
    check_each_once(projects, config, known_ids)
    tracked = [t for t in config.tracked_projects if t.active]
    wanted = {key.upper() for key in only}
    active: list[tuple[TrackedProject, Project]] = []
    missing: list[tuple[TrackedProject, PipelineError]] = []
    names: set[str] = set()
    for entry, project_id, project in with_projects(tracked, projects, known_ids):
        names |= {name for name in (entry.key, project.key if project else None) if name}
        if wanted and not wanted & {entry.key, project.key if project else None}:
            continue
        if project is not None and project.archived:
            missing.append(
                (
                    entry,
                    ProjectUnavailable(
                        f"Project {project.key} is archived at {site.identity.server}, and searches leave such "
                        f"projects out. What is stored stays; set active: false for it in {config.path}, or restore "
                        f"it in Jira."
                    ),
                )
            )
        elif project is not None:
            active.append((entry, project))
        else:
            was_seen = project_id in known_ids.values()
            missing.append((entry, _why_missing(site, entry, config.path, was_seen=was_seen)))
    unknown = sorted(wanted - names)
    if unknown:
        raise SettingsError(
            f"{', '.join(unknown)} is not among the active tracked projects of {config.path}: "
            f"choose from {', '.join(sorted(names)) or 'none'}, or add it there."
        )
    return Selection(tuple(active), tuple(missing))


def check_each_once(projects: Sequence[Project], config: PipelineConfig, known_ids: dict[str, str]) -> None:
    """Raises `SettingsError` when two entries mean one project, whose two walks would write the same landing files.
    Only the site knows that a key and an id, or a key and a former one, are the same."""
    entries: dict[str, TrackedProject] = {}
    for entry, _, project in with_projects(config.tracked_projects, projects, known_ids):
        if project is None:
            continue
        first = entries.setdefault(project.id, entry)
        if first is not entry:
            names = [entry.key or f"id {entry.id}" for entry in (first, entry)]
            raise SettingsError(
                f"{' and '.join(names)} in tracked_projects of {config.path} are one project, {project.key}: "
                "remove one of the two, or add the id of the project that is meant."
            )


def ingest(
    site: JiraSite,
    warehouse: Warehouse,
    config: PipelineConfig,
    *,
    partitions: PartitionWindow,
    run_id: str,
    progress: Progress,
    full: bool = False,
    only: Sequence[str] = (),
) -> tuple[ProjectOutcome, ...]:
    """Fetch and store every change of the tracked projects that the partitions ask for.

    One project's failure leaves the others stored and is part of the result. Raises `RunFatal` after what had been
    fetched is stored, `SettingsError` before anything is fetched.
    """
    with warehouse.syncing() as landing:
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(site.projects), pool.submit(site.fields), pool.submit(site.statuses)
            now = site.server_time()
            projects, fields, statuses = (asked[0].result(), asked[1].result(), asked[2].result())
        with warehouse.transaction() as connection:
            known_ids = known_project_ids(connection)
        selection = select_projects(site, projects, config, known_ids=known_ids, only=only)
        roles = _field_roles(site, fields, config, selection)
        with warehouse.transaction() as connection:
            store_field_roles(connection, roles)
            store_statuses(connection, statuses, synced_at=now)
            store_tracked_projects(connection, _tracked_states(config, projects, known_ids))
            marks = watermarks(connection)
            aside = {project.id: set_aside(connection, project.key) for _, project in selection.active}
            mark_syncing(connection, [project.id for _, project in selection.active])
            outcomes = [
                _unavailable(connection, entry, error, known_ids, run_id=run_id, partitions=partitions, at=now)
                for entry, error in selection.missing
            ]
        plans = [
            plan_project(
                project,
                watermark=marks.get(project.id),
                partitions=partitions,
                overlap=timedelta(hours=config.sync.overlap_hours),
                full=full,
                set_aside=aside[project.id],
            )
            for _, project in selection.active
        ]
        incremental = [plan for plan in plans if plan.mode == "incremental"]
        if incremental:
            site.verify_bounds(incremental[0].project.id)
        stored, fatal = _fetch_and_store(site, warehouse, config, plans, landing, run_id, partitions, now, progress)
        outcomes += stored
        if fatal is not None:
            raise fatal
        if any(outcome.error is None for outcome in outcomes):
            with warehouse.transaction() as connection:
                advance_as_of(connection, min(now, partitions.ends_at or now))
    return tuple(outcomes)


def _fetch_and_store(
    site: JiraSite,
    warehouse: Warehouse,
    config: PipelineConfig,
    plans: Sequence[ProjectPlan],
    landing: Path,
    run_id: str,
    partitions: PartitionWindow,
    started_at: datetime,
    progress: Progress,
) -> tuple[list[ProjectOutcome], BaseException | None]:
    """How every project ended, and the error that stopped them all, if there was one."""
    outcomes: list[ProjectOutcome] = []
    fatal: BaseException | None = None
    store = RunStore(landing, run_id=run_id, partition_date=partitions.last)
    # Closed at once when storing fails, because its threads would go on, and wait for room for ever.
    fetching = fetch_projects(
        site, plans, landing, at_once=config.sync.concurrency, started_at=started_at, progress=progress
    )
    with closing(fetching):
        for events in fetching:
            for event in events:
                if isinstance(event, Landed):
                    store.add(event)
            ended = [event for event in events if isinstance(event, ProjectFetch)]
            if not ended and not store.has_enough:
                continue
            is_fetching = len(outcomes) + len(ended) < len(plans)
            with (
                warehouse.connection(whole_issues=True) as connection,
                loading(connection, while_fetching=is_fetching),
            ):
                outcomes += store.store(connection, ended)
            fatal = next((fetch.error for fetch in ended if isinstance(fetch.error, RunFatal)), fatal)
    return outcomes, fatal


def _unavailable(
    connection: duckdb.DuckDBPyConnection,
    entry: TrackedProject,
    error: PipelineError,
    known_ids: dict[str, str],
    *,
    run_id: str,
    partitions: PartitionWindow,
    at: datetime,
) -> ProjectOutcome:
    key = record_unavailable(
        connection,
        entry.id or known_ids.get(entry.key or ""),
        entry.key or f"id {entry.id}",
        str(error),
        run_id=run_id,
        partition_date=partitions.last,
        at=at,
    )
    return ProjectOutcome(project_key=key, mode=None, error=error)


def _why_missing(site: JiraSite, entry: TrackedProject, path: Path, *, was_seen: bool) -> PipelineError:
    name = entry.key or f"id {entry.id}"
    if was_seen or (entry.key is not None and site.project_key_in_use(entry.key)):
        return ProjectUnavailable(
            f"Project {name} is not visible to the account at {site.identity.server}: it has been deleted, "
            "or the account lacks the permission to browse it. "
            "What is stored stays, and it is synced again once it is back."
        )
    return SettingsError(f"There is no project {name} at {site.identity.server}: correct tracked_projects in {path}.")


def _field_roles(
    site: JiraSite, fields: Sequence[Field], config: PipelineConfig, selection: Selection
) -> list[FieldRole]:
    roles = list(discover_roles(fields))
    for entry, project in selection.active:
        if entry.story_points_field:
            role = configured_story_points(project.id, entry.story_points_field, fields)
            if role is None:
                raise SettingsError(
                    f"story_points_field of project {project.key} is {entry.story_points_field}, a field that "
                    f"{site.identity.server} does not show: correct it in {config.path}, or leave it out."
                )
            roles.append(role)
        elif project.style == "classic":
            own = story_points_roles(fields, team_managed_first=False)
            if len(own) > 1:
                roles += [FieldRole(**(vars(role) | {"project_id": project.id})) for role in own]
    return roles


def _tracked_states(
    config: PipelineConfig, projects: Sequence[Project], known_ids: dict[str, str]
) -> list[TrackedState]:
    states = []
    for entry, project_id, project in with_projects(config.tracked_projects, projects, known_ids):
        states.append(
            TrackedState(
                project_id=project.id if project else project_id,
                project_key=project.key if project else entry.key or f"id {entry.id}",
                configured_key=entry.key,
                name=project.name if project else None,
                is_active=entry.active,
            )
        )
    return states

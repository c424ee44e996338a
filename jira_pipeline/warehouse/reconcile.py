"""One census of the tracked projects, and what it changes in the warehouse: all in one transaction, or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.pages import each_once
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.settings import PipelineConfig
from jira_pipeline.sync.census import StoredIssues
from jira_pipeline.sync.project_census import ProjectCensus, observe
from jira_pipeline.warehouse.census import CensusOutcome, missed_since, store_census, stored_issues
from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.ingest import Selection, select_projects
from jira_pipeline.warehouse.load import load_issues, set_issues_aside
from jira_pipeline.warehouse.operations import known_project_ids, watermarks


def take_census(
    site: JiraSite,
    warehouse: Warehouse,
    config: PipelineConfig,
    *,
    run_id: str,
    partition_date: date,
    confirmed: Sequence[str] = (),
) -> tuple[CensusOutcome, ...]:
    """Compare every tracked project's stored issues with those the site shows, and act on the differences.

    `confirmed` are keys of projects of which many issues are known to be gone at once. One project's failure leaves the
    others done and is part of the result. Raises `RunFatal` with nothing marked, `SettingsError` before anything is
    asked for when a confirmed project is not tracked or nothing has been synced yet.
    """
    with warehouse.syncing() as landing:
        listed, now = site.projects(), site.server_time()
        with warehouse.transaction() as connection:
            known_ids = known_project_ids(connection)
            selection = select_projects(site, listed, config, known_ids=known_ids)
            synced = watermarks(connection)
            stored = stored_issues(connection, [project.id for project in listed])
            missed = missed_since(connection)
        if not synced:
            raise SettingsError("Nothing has been synced yet: run `jira-pipeline sync` first.")
        confirmed_ids = _confirmed_ids(selection, confirmed, config.path)
        shown, hidden = _begin(selection, listed, known_ids, synced)
        observe(
            site,
            shown,
            stored,
            landing,
            confirmed_ids=confirmed_ids,
            missed_since=missed,
            now=now,
            threads=config.sync.concurrency,
        )
        return _store(
            warehouse, [*shown, *hidden], stored, missed, run_id=run_id, partition_date=partition_date, started_at=now
        )


def _begin(
    selection: Selection, listed: Sequence[Project], known_ids: Mapping[str, str], synced: Container[str]
) -> tuple[list[ProjectCensus], list[ProjectCensus]]:
    """The tracked projects that the site shows, and those it does not. An archived one is shown: searches leave its
    issues out, but they are there, and others may be moved into it."""
    archived = {name: project for project in listed if project.archived for name in (project.id, project.key)}
    shown = [
        ProjectCensus(project.key, project, "complete" if project.id in synced else "pending")
        for _, project in selection.active
    ]
    hidden = []
    for entry, error in selection.missing:
        key = entry.key or ""
        project = archived.get(entry.id or known_ids.get(key, key)) or archived.get(key)
        if project is not None:
            shown.append(ProjectCensus(project.key, project, "archived"))
        else:
            hidden.append(ProjectCensus(key or f"id {entry.id}", None))
            hidden[-1].fail(error)
    return shown, hidden


def _confirmed_ids(selection: Selection, confirmed: Sequence[str], path: Path) -> set[str]:
    names = {name: project.id for entry, project in selection.active for name in (entry.key, project.key) if name}
    unknown = sorted({key.upper() for key in confirmed} - names.keys())
    if unknown:
        raise SettingsError(
            f"{', '.join(unknown)} cannot be confirmed: it is not among the active tracked projects of {path} "
            f"that Jira shows; choose from {', '.join(sorted(names)) or 'none'}."
        )
    return {names[key.upper()] for key in confirmed}


def _store(
    warehouse: Warehouse,
    censuses: Sequence[ProjectCensus],
    stored: StoredIssues,
    missed: Mapping[int, datetime],
    *,
    run_id: str,
    partition_date: date,
    started_at: datetime,
) -> tuple[CensusOutcome, ...]:
    outcomes = [_outcome(census, stored) for census in censuses]
    with warehouse.transaction() as connection:
        for census, outcome in zip(censuses, outcomes, strict=True):
            if census.project is not None and census.files:
                load_issues(connection, census.files, partition_date=partition_date, synced_at=started_at)
            set_issues_aside(connection, each_once(census.unreadable), census.key, started_at)
            store_census(
                connection,
                outcome,
                run_id=run_id,
                taken_at=started_at,
                removals=census.removals,
                suspects={issue_id: missed.get(issue_id, started_at) for issue_id in census.suspects},
                was_examined=census.was_examined,
            )
    for census in censuses:
        for file in census.files:
            file.unlink()
    return tuple(sorted(outcomes, key=lambda outcome: outcome.project_key))


def _outcome(census: ProjectCensus, stored: StoredIssues) -> CensusOutcome:
    reasons = Counter(census.removals.values())
    back = census.fetched & stored.removed
    moved_in = census.fetched & stored.project_of.keys() - census.comparison.known
    return CensusOutcome(
        project_id=census.project.id if census.project else None,
        project_key=census.key,
        status=census.status,
        known=len(census.comparison.known),
        seen=len(census.seen or ()),
        deleted=reasons["deleted"],
        moved_out=reasons["moved_out"],
        not_visible=reasons["not_visible"],
        moved_in=len(moved_in),
        back=len(back),
        found=len(census.fetched - back - moved_in - census.comparison.known),
        hidden=len(census.verdict.hidden),
        suspected=len(census.verdict.suspected),
        held=census.held,
        requests=census.meter.requests,
        error=census.note if census.error is None else str(census.error),
    )

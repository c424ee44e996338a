"""Taking the census of several projects at once: walk their ids, ask for missing issues by id, fetch what belongs here.

Nothing is to be removed in a project that could not be walked to its end, or that is not shown to the account any more
when the census ends. An error that concerns the whole run is raised, and then nothing is concluded at all.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.errors import ProjectUnavailable, RequestRefused, RunFatal
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.limiter import Cancelled
from jira_pipeline.jira.pages import UnreadableIssue
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sync.census import (
    Comparison,
    RemovalReason,
    StoredIssues,
    Verdict,
    compare,
    is_mass_removal,
    judge,
)
from jira_pipeline.sync.landing import LandingFile, LandingWriter

log = logging.getLogger(__name__)

_UNCOUNTED = Comparison(frozenset(), frozenset(), frozenset(), frozenset())
_UNJUDGED = Verdict({}, {}, frozenset(), frozenset())


@dataclass
class ProjectCensus:
    """A tracked project while its census is being taken.

    `status` means what `ops.issue_census` says of it. `seen` is None until the ids have been walked to their end;
    `removals` is what is to be marked in the end, `held` how many issues are not, being too many at once.
    """

    key: str
    project: Project | None
    status: str = "complete"
    error: PipelineError | None = None
    note: str | None = None
    meter: Meter = field(default_factory=Meter)
    seen: set[int] | None = None
    comparison: Comparison = _UNCOUNTED
    verdict: Verdict = _UNJUDGED
    removals: Mapping[int, RemovalReason] = field(default_factory=dict)
    held: int = 0
    to_fetch: set[int] = field(default_factory=set)
    files: tuple[LandingFile, ...] = ()
    unreadable: list[UnreadableIssue] = field(default_factory=list)
    fetched: set[int] = field(default_factory=set)

    @property
    def shown(self) -> Project:
        """The project, of one that the site shows."""
        assert self.project is not None
        return self.project

    @property
    def project_id(self) -> str:
        """The project's id, of a project that the site shows."""
        return self.shown.id

    @property
    def was_examined(self) -> bool:
        """Whether all of it went well, so that nothing more is to be found out about what is missing."""
        return self.seen is not None and self.error is None

    @property
    def suspects(self) -> frozenset[int]:
        """Missing issues that are not marked, to be remembered until the next census."""
        held = frozenset(self.verdict.removals) if self.held else frozenset()
        return self.verdict.suspected | held if self.was_examined else frozenset()

    def fail(self, error: PipelineError) -> None:
        """Note what went wrong; nothing of this project is marked then."""
        self.error = error
        self.status = "not_visible" if isinstance(error, (ProjectUnavailable, SettingsError)) else "error"
        self.removals = {}


def observe(
    site: JiraSite,
    censuses: Sequence[ProjectCensus],
    stored: StoredIssues,
    landing: Path,
    *,
    confirmed_ids: Collection[str],
    missed_since: Mapping[int, datetime],
    now: datetime,
    threads: int,
) -> None:
    """Fill in the censuses: what each project shows, what has gone from it, and, in landing files, the issues that it
    shows and that are not stored as being there. Raises `RunFatal`."""
    by_id = {census.project_id: census for census in censuses}
    _walk(site, [census for census in censuses if census.status == "complete"], threads)
    walked = [census for census in censuses if census.seen is not None]
    for project_id, comparison in compare(stored, {c.project_id: c.seen or set() for c in walked}).items():
        by_id[project_id].comparison = comparison
        by_id[project_id].to_fetch |= comparison.to_fetch
    _look_up(site, walked, threads, tracked_ids=by_id.keys(), missed=missed_since, now=now)
    for census in walked:
        for issue_id, project_id in census.verdict.rehomed.items():
            by_id[project_id].to_fetch.add(issue_id)
        _decide(census, is_confirmed=census.project_id in confirmed_ids)
    _fetch(site, [census for census in censuses if census.to_fetch], threads, landing)
    _check_visibility(site, walked)


def _walk(site: JiraSite, censuses: Sequence[ProjectCensus], threads: int) -> None:
    def walk(census: ProjectCensus) -> None:
        census.seen = site.issue_ids(IssueWindow(census.project_id), meter=census.meter)

    _in_threads(site, walk, censuses, threads)


def _look_up(
    site: JiraSite,
    censuses: Sequence[ProjectCensus],
    threads: int,
    *,
    tracked_ids: Iterable[str],
    missed: Mapping[int, datetime],
    now: datetime,
) -> None:
    tracked = frozenset(tracked_ids)

    def look_up(census: ProjectCensus) -> None:
        locations: Mapping[int, str | None] | None
        try:
            locations = site.locate_issues(sorted(census.comparison.missing), meter=census.meter)
        except RequestRefused as refused:
            log.warning("%s: missing issues cannot be asked for by id: %s", census.key, refused)
            locations = None
        census.verdict = judge(
            census.project_id, census.comparison, locations, tracked_ids=tracked, missed_since=missed, now=now
        )

    _in_threads(site, look_up, [census for census in censuses if census.comparison.missing], threads)


def _decide(census: ProjectCensus, *, is_confirmed: bool) -> None:
    removals, known = census.verdict.removals, len(census.comparison.known)
    if is_mass_removal(known=known, removals=len(removals)) and not is_confirmed:
        census.status, census.held = "held", len(removals)
        census.note = (
            f"{len(removals)} of {known} stored issues are gone from {census.key} at once, so none was marked as "
            f"removed: if that is right, run `jira-pipeline reconcile --confirm {census.key}`; "
            "if not, check what the account may see there."
        )
    else:
        census.removals = removals


def _fetch(site: JiraSite, censuses: Sequence[ProjectCensus], threads: int, landing: Path) -> None:
    def fetch(census: ProjectCensus) -> None:
        writer = LandingWriter(landing, census.shown)
        try:
            with writer:
                for page in site.fetch_issues(sorted(census.to_fetch), meter=census.meter):
                    # One that has moved on meanwhile is another project's, at the next census.
                    here = [i for i in page.issues if i.project_id in (None, census.project_id)]
                    mine = site.complete(here, meter=census.meter)
                    writer.write(mine)
                    census.fetched.update(issue.issue_id for issue in mine)
                    census.unreadable += page.unreadable
        finally:
            census.files = writer.take_files()

    _in_threads(site, fetch, censuses, threads)


def _check_visibility(site: JiraSite, censuses: Sequence[ProjectCensus]) -> None:
    """Access that was lost while the census was taken made issues look deleted."""
    if not any(census.removals for census in censuses):
        return
    visible = {project.id for project in site.projects() if not project.archived}
    for census in censuses:
        if census.project_id not in visible:
            census.fail(
                ProjectUnavailable(
                    f"Project {census.key} went out of the account's sight while its issues were counted: nothing "
                    "of it was marked, and the next census looks again."
                )
            )


def _in_threads(
    site: JiraSite, task: Callable[[ProjectCensus], None], censuses: Sequence[ProjectCensus], threads: int
) -> None:
    """Do the same for every project, several at a time. An error is noted in its project; one that concerns the whole
    run is raised, and ends the others' requests."""

    def attempt(census: ProjectCensus) -> None:
        try:
            task(census)
        except RunFatal:
            site.transport.limiter.stop()
            raise
        except PipelineError as error:
            log.error("%s: the census failed: %s", census.key, error)
            census.fail(error)

    with ThreadPoolExecutor(threads, thread_name_prefix="jira-census") as pool:
        running = [pool.submit(attempt, census) for census in censuses]
        try:
            ended = [future.exception() for future in running]
        except BaseException:
            site.transport.limiter.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    # Those that were cut off by a fatal error only say that they were cancelled.
    for error in sorted((error for error in ended if error is not None), key=lambda e: isinstance(e, Cancelled)):
        raise error

"""Fetching many projects with a few threads: from planned windows to landing files.

One token walk is bound by the site's latency, so speed is the number of independent walks. Threads finish the projects
one after the other as far as they can, and hand out landing files as they are full, so that what has come is stored
while the rest is still being fetched.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.errors import RunFatal
from jira_pipeline.jira.limiter import Cancelled
from jira_pipeline.jira.pages import IssueRecord, UnreadableIssue, each_once
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.sync.landing import LandingFile, LandingWriter
from jira_pipeline.sync.plan import ProjectPlan, next_watermark
from jira_pipeline.sync.progress import Progress
from jira_pipeline.sync.walk_scheduler import ProjectWork, Walk, WalkScheduler

# What may wait to be stored, some 200 MB: whoever fetches faster than that is stored waits, and does not fill the disk.
_FILES_AHEAD = 48
_COMPLETED_TOGETHER = 50  # issues: some megabytes of histories in one answer


@dataclass(frozen=True)
class Landed:
    """A finished landing file of a project, of which more may be on its way."""

    plan: ProjectPlan
    file: LandingFile


@dataclass(frozen=True)
class ProjectFetch:
    """How the fetch of one project ended. With an `error` what came before it has landed, and the watermark stays.

    `gone` are ids that were set aside and are not in the project any more: deleted, moved, or not shown.
    """

    plan: ProjectPlan
    unreadable: tuple[UnreadableIssue, ...]
    issues_fetched: int
    watermark: datetime | None
    started_at: datetime
    requests: int
    retries: int
    bytes_received: int
    error: BaseException | None
    gone: frozenset[int] = frozenset()


def fetch_projects(
    site: JiraSite,
    plans: Sequence[ProjectPlan],
    directory: Path,
    *,
    at_once: int,
    started_at: datetime,
    progress: Progress,
) -> Generator[tuple[Landed | ProjectFetch, ...]]:
    """Fetch every planned project into landing files below `directory`, with `at_once` requests at a time; yields the
    files that have been finished and the projects that have ended since the last time, as soon as there is one. A
    project ends after its last file.

    A project that fails does not stop the others. An error that concerns the whole run (`RunFatal`) stops all: the
    projects not yet fetched are yielded with that error. Closing the generator stops the threads. `started_at` is the
    site's clock, not later than the first request; no watermark passes it.
    """
    if not plans:
        return
    projects = [ProjectWork(plan, order) for order, plan in enumerate(plans)]
    scheduler = WalkScheduler(projects)
    done: queue.Queue[Landed | ProjectWork] = queue.Queue(_FILES_AHEAD)
    writing = threading.Lock()
    workers = [
        threading.Thread(
            target=_work,
            args=(site, scheduler, directory, writing, done, progress),
            name=f"jira-fetch-{n}",
            daemon=True,
        )
        # More than requests may be under way, because a thread that decodes or writes a page makes none meanwhile.
        for n in range(at_once + at_once // 4)
    ]
    left = len(projects)
    try:
        with site.transport.limiter.at_most(at_once):
            for worker in workers:
                worker.start()
            while left:
                finished = [done.get()]
                while not done.empty():
                    finished.append(done.get())
                left -= sum(isinstance(each, ProjectWork) for each in finished)
                yield tuple(
                    _outcome(each, started_at, progress) if isinstance(each, ProjectWork) else each for each in finished
                )
    finally:
        if left:
            scheduler.stop()
            site.transport.limiter.stop()
        # A thread may be reading an answer; being a daemon, it holds nobody up for long.
        deadline = time.monotonic() + 10
        while any(worker.is_alive() for worker in workers) and time.monotonic() < deadline:
            with suppress(queue.Empty):  # or be waiting for room
                done.get(timeout=0.05)


def _work(
    site: JiraSite,
    scheduler: WalkScheduler,
    directory: Path,
    writing: threading.Lock,
    done: queue.Queue[Landed | ProjectWork],
    progress: Progress,
) -> None:
    while True:
        work = scheduler.take()
        if work is None:
            return
        if isinstance(work, ProjectWork):
            _look_up(site, scheduler, work, progress)
            continue
        error: BaseException | None = None
        writer = LandingWriter(directory, work.project.plan.project, work.number, order=work.project.order)
        try:
            with writer:
                for _ in _walk(site, scheduler, work, writer, writing, progress):
                    _hand_out(writer, work, done)
        except Exception as caught:
            error = caught
        _hand_out(writer, work, done)
        if isinstance(error, RunFatal):
            for project in scheduler.stop(error):
                done.put(project)
            site.transport.limiter.stop()
        if scheduler.walk_ended(work, error):
            done.put(work.project)


def _hand_out(writer: LandingWriter, walk: Walk, done: queue.Queue[Landed | ProjectWork]) -> None:
    for file in writer.take_files():
        done.put(Landed(walk.project.plan, file))


def _walk(
    site: JiraSite,
    scheduler: WalkScheduler,
    walk: Walk,
    writer: LandingWriter,
    writing: threading.Lock,
    progress: Progress,
) -> Iterator[None]:
    """Write the pages of a walk, one thread at a time, for the reason for which `Transport` decodes so; yields after
    each. Issues whose histories were cut wait for others, because completing many costs one request, like one."""
    project = walk.project
    key = project.plan.project.key
    if walk.number == 1:
        progress.started(key, project.plan.mode)
    meter = project.meter

    def write(issues: Sequence[IssueRecord]) -> None:
        with writing:
            writer.write(issues)
        progress.landed(key, len(issues))

    pages = site.fetch_issues(walk.issue_ids, meter=meter) if walk.issue_ids else site.walk(walk.window, meter=meter)
    cut: list[IssueRecord] = []
    for page in pages:
        mine = scheduler.page_landed(walk, page)
        if mine is not None:
            cut += [issue for issue in mine.issues if not issue.history_complete]
            write([issue for issue in mine.issues if issue.history_complete])
            if len(cut) >= _COMPLETED_TOGETHER:
                write(site.complete(cut, meter=meter))
                cut = []
            yield
        if scheduler.is_over(walk):
            break
    write(site.complete(cut, meter=meter))


def _look_up(site: JiraSite, scheduler: WalkScheduler, project: ProjectWork, progress: Progress) -> None:
    """Find out what splitting needs to know. A failure here costs speed, nothing else: the walk itself reports it."""
    newest: datetime | None = None
    try:
        newest = site.newest_creation(project.plan.window, meter=project.meter)
        if progress.shows_totals:
            progress.expects(project.plan.project.key, site.count(project.plan.window, meter=project.meter))
    except (PipelineError, Cancelled):
        pass
    scheduler.looked_up(project, newest)


def _outcome(work: ProjectWork, started_at: datetime, progress: Progress) -> ProjectFetch:
    progress.finished(work.plan.project.key, work.issues, None if work.error is None else str(work.error))
    return ProjectFetch(
        plan=work.plan,
        unreadable=each_once(work.unreadable),
        issues_fetched=work.issues,
        watermark=work.plan.watermark
        if work.error is not None
        else next_watermark(work.plan, newest_update=work.newest_update, started_at=started_at),
        started_at=started_at,
        requests=work.meter.requests,
        retries=work.meter.retries,
        bytes_received=work.meter.bytes_received,
        error=work.error,
        gone=frozenset() if work.error is not None else frozenset(work.gone),
    )

"""Rules of the pipeline, each broken in the way other pipelines have it: patches of what the rule is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jira_pipeline.jira.cloud import CloudSite
from jira_pipeline.sync import fetch
from jira_pipeline.sync.fetch import ProjectFetch
from jira_pipeline.warehouse import ingest, run_store
from jira_pipeline.warehouse.run_store import ProjectOutcome, RunStore

Break = Callable[[pytest.MonkeyPatch], None]


def delete_by_partition(patch: pytest.MonkeyPatch) -> None:
    """A partition is a slice of the table: what its last run wrote goes before this one's rows come."""
    load = run_store.load_issues

    def load_slice(connection: Any, files: Any, *, partition_date: Any, **more: Any) -> Any:
        where = "WHERE project_id = ? AND partition_date = ?"
        for project_id in {file.heads.name.partition("-")[0] for file in files}:
            connection.execute(
                f"DELETE FROM issue_changes WHERE issue_id IN (SELECT issue_id FROM raw_issues {where})",
                [project_id, partition_date],
            )
            connection.execute(f"DELETE FROM raw_issues {where}", [project_id, partition_date])
        return load(connection, files, partition_date=partition_date, **more)

    patch.setattr(run_store, "load_issues", load_slice)


def no_overlap(patch: pytest.MonkeyPatch) -> None:
    """A window begins where the last one ended, as if the index were never behind."""
    plan = ingest.plan_project

    def plan_project(*arguments: Any, watermark: Any, **more: Any) -> Any:
        planned = plan(*arguments, watermark=watermark, **more)
        return (
            planned if watermark is None else replace(planned, window=replace(planned.window, updated_from=watermark))
        )

    patch.setattr(ingest, "plan_project", plan_project)


def upper_bound_at_the_live_edge(patch: pytest.MonkeyPatch) -> None:
    """Every partition ends at midnight, also the newest."""
    plan = ingest.plan_project

    def plan_project(*arguments: Any, partitions: Any, **more: Any) -> Any:
        return plan(*arguments, partitions=replace(partitions, is_newest=False), **more)

    patch.setattr(ingest, "plan_project", plan_project)


def forty_histories(patch: pytest.MonkeyPatch) -> None:
    """What a search answer on Cloud carries passes for the whole history."""

    def complete(site: CloudSite, issues: Any, *, meter: Any) -> Any:
        return tuple(replace(issue, history_total=len(issue.history_ids)) for issue in issues)

    patch.setattr(CloudSite, "complete", complete)


def watermark_from_the_local_clock(patch: pytest.MonkeyPatch) -> None:
    """The watermark is what this machine takes the time to be: a day ahead of the site, here."""

    def next_watermark(plan: Any, *, newest_update: Any, started_at: datetime) -> datetime:
        return started_at + timedelta(days=1)

    patch.setattr(fetch, "next_watermark", next_watermark)


def watermark_moves_on_error(patch: pytest.MonkeyPatch) -> None:
    """A window counts as done when it has been tried."""
    fetch_projects = ingest.fetch_projects

    def fetching(*arguments: Any, **more: Any) -> Any:
        for ended in fetch_projects(*arguments, **more):
            yield tuple(
                replace(one, watermark=one.started_at) if isinstance(one, ProjectFetch) and one.error else one
                for one in ended
            )

    patch.setattr(ingest, "fetch_projects", fetching)


def absence_is_deletion(patch: pytest.MonkeyPatch) -> None:
    """What was updated in the window and does not come with it is taken to be deleted."""
    store_all = RunStore.store

    def store_and_mark(store: RunStore, connection: Any, ended: Sequence[ProjectFetch]) -> list[ProjectOutcome]:
        return [outcome for fetched in ended for outcome in store_one(store, connection, fetched)]

    def store_one(store: RunStore, connection: Any, fetched: ProjectFetch) -> list[ProjectOutcome]:
        has_landed = bool(store._waiting[fetched.plan.project.id])
        outcomes = store_all(store, connection, [fetched])
        if has_landed:
            connection.execute(
                "UPDATE raw_issues SET removed_at = now(), removal_reason = 'deleted' WHERE removed_at IS NULL "
                "AND project_id = ? AND updated_at >= ? AND updated_at < ? "
                "AND issue_id NOT IN (SELECT issue_id FROM staged)",
                [
                    fetched.plan.project.id,
                    fetched.plan.window.updated_from or datetime(1970, 1, 1, tzinfo=UTC),
                    fetched.plan.window.updated_before or datetime(9999, 1, 1, tzinfo=UTC),
                ],
            )
        return outcomes

    patch.setattr(RunStore, "store", store_and_mark)


BROKEN_RULES: tuple[Break, ...] = (
    delete_by_partition,
    no_overlap,
    upper_bound_at_the_live_edge,
    forty_histories,
    watermark_from_the_local_clock,
    watermark_moves_on_error,
    absence_is_deletion,
)

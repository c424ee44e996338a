"""How the last runs went for each tracked project, for those who only look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jira_pipeline.warehouse.database import Warehouse
from jira_pipeline.warehouse.statements import sql_text


@dataclass(frozen=True)
class ProjectState:
    """A project that is or was tracked: a row of ops.tracked_projects, and how many of its issues are set aside."""

    project_id: str | None
    project_key: str
    configured_key: str | None
    name: str | None
    is_active: bool
    sync_status: str
    last_sync_at: datetime | None
    last_sync_error: str | None
    synced_through: datetime | None
    issue_count: int
    quarantined: int


def project_states(warehouse: Warehouse) -> tuple[ProjectState, ...]:
    """The state of every project that is or was tracked; nothing before the first sync."""
    with warehouse.latest() as connection:
        if connection is None:
            return ()
        return tuple(ProjectState(*row) for row in connection.execute(sql_text("project_states")).fetchall())


def state_of(
    states: Sequence[ProjectState], *, project_id: str | None, configured_key: str | None
) -> ProjectState | None:
    """The state of a project, found by its id, or by the key in the configuration where Jira has not shown the id."""
    for state in states:
        if project_id is not None and state.project_id == project_id:
            return state
    for state in states:
        if configured_key is not None and state.configured_key == configured_key:
            return state if project_id is None or state.project_id is None else None
    return None


def known_ids(states: Sequence[ProjectState]) -> dict[str, str]:
    """By the key in the configuration: the id of every project that has been seen, by which it is found under another
    key."""
    return {s.configured_key: s.project_id for s in states if s.configured_key and s.project_id}

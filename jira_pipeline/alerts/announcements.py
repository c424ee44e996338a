"""Who still has to hear what: each receiver hears once that a job is in trouble, and once that it is well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jira_pipeline.alerts.delivery import NotDelivered, Receiver
from jira_pipeline.alerts.messages import Outcome, recovery, trouble

# By job: the receivers who know that it is in trouble.
Told = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Announcement:
    """What came of it: who knows now of which job's trouble, what was said to whom, and what did not get through."""

    told: Told
    said: tuple[str, ...]
    undelivered: tuple[str, ...]


def announce(outcomes: Sequence[Outcome], told: Told, to: Mapping[str, Receiver]) -> Announcement:
    """Tell each receiver what it does not know yet. Whoever cannot be reached is told the next time, and holds up
    nobody else. A job without an outcome stays as it is."""
    now = {job: list(names) for job, names in told.items()}
    said: list[str] = []
    undelivered: list[str] = []
    for outcome in outcomes:
        knowing = now.setdefault(outcome.job, [])
        for name, deliver in to.items():
            if bool(outcome.troubles) == (name in knowing):
                continue
            message = trouble(outcome) if outcome.troubles else recovery(outcome)
            try:
                deliver(message)
            except NotDelivered as error:
                undelivered.append(str(error))
                continue
            (knowing.append if outcome.troubles else knowing.remove)(name)
            said.append(f"{message.subject} ({name})")
    return Announcement(now, tuple(said), tuple(undelivered))

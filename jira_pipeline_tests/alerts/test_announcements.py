"""Who hears what, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from jira_pipeline.alerts import NotDelivered, Outcome, Receiver, Told, announce
from jira_pipeline.alerts.messages import Message, recovery, trouble

WELL = Outcome("daily_sync", "run-2", datetime(2026, 11, 21, 2, 5, tzinfo=UTC), site="acme.example")
ILL = replace(WELL, run_id="run-1", has_failed=True, troubles=("The API token was rejected: make a new one.",))


class Ears:
    """A receiver that keeps what it hears, unless it is deaf."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_deaf = False

    def __call__(self, message: Message) -> None:
        if self.is_deaf:
            raise NotDelivered("It is deaf: speak up.")
        self.heard.append(message.subject)


FAILED, RECOVERED = "jira_pipeline: daily_sync failed", "jira_pipeline: daily_sync has recovered"


def hear(*outcomes: Outcome, to: dict[str, Receiver], told: Told | None = None) -> Told:
    """One look after the other; what is known in the end."""
    known = told or {}
    for outcome in outcomes:
        known = announce([outcome], known, to).told
    return known


def test_a_failure_is_told_once_until_it_recovers_and_then_again() -> None:
    ears = Ears()
    hear(WELL, ILL, ILL, replace(ILL, run_id="run-3", troubles=("Another one.",)), WELL, WELL, ILL, to={"x": ears})
    assert ears.heard == [FAILED, RECOVERED, FAILED]


def test_what_goes_well_from_the_beginning_is_not_worth_a_word() -> None:
    ears = Ears()
    hear(WELL, to={"x": ears})
    assert ears.heard == []


def test_whoever_cannot_be_reached_is_told_the_next_time_and_holds_up_nobody() -> None:
    deaf, ears = Ears(), Ears()
    deaf.is_deaf = True
    first = announce([ILL], {}, {"deaf": deaf, "other": ears})
    assert first.undelivered == ("It is deaf: speak up.",)
    assert ears.heard == [FAILED]
    deaf.is_deaf = False
    second = announce([ILL], first.told, {"deaf": deaf, "other": ears})
    assert (deaf.heard, ears.heard) == ([FAILED], [FAILED])
    assert second.said == (f"{FAILED} (deaf)",)


def test_a_recovery_that_does_not_get_through_is_told_the_next_time() -> None:
    ears = Ears()
    known = hear(ILL, to={"x": ears})
    ears.is_deaf = True
    known = hear(WELL, to={"x": ears}, told=known)
    ears.is_deaf = False
    hear(WELL, to={"x": ears}, told=known)
    assert ears.heard == [FAILED, RECOVERED]


def test_whoever_never_heard_of_the_trouble_does_not_hear_of_its_end() -> None:
    ears = Ears()
    hear(WELL, to={"new": ears}, told={"daily_sync": ["old"]})
    assert ears.heard == []


def test_each_job_is_told_of_for_itself() -> None:
    ears = Ears()
    hear(ILL, replace(ILL, job="reconcile"), to={"x": ears})
    assert ears.heard == [FAILED, "jira_pipeline: reconcile failed"]


def test_a_message_says_what_failed_and_what_to_do() -> None:
    assert trouble(ILL).text == (
        "jira_pipeline: daily_sync failed (acme.example).\n"
        "The API token was rejected: make a new one.\n"
        "Run run-1 ended at 2026-11-21 02:05 UTC.\n"
        "Nothing more is said until it has recovered."
    )
    assert recovery(WELL).text == (
        "jira_pipeline: daily_sync has recovered (acme.example).\nRun run-2 ended at 2026-11-21 02:05 UTC."
    )
    assert trouble(replace(ILL, has_failed=False)).subject == "jira_pipeline: daily_sync left something out"


def test_a_message_is_no_longer_than_a_person_reads() -> None:
    text = trouble(replace(ILL, troubles=("word " * 1000, *(f"P{n}: x." for n in range(500))))).text
    assert len(text) < 2000
    assert "... and 481 more." in text

"""The words of an alert."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_LISTED_AT_MOST = 20
_LONGEST_SENTENCE = 600


@dataclass(frozen=True)
class Outcome:
    """How the last run of a job ended. `troubles` are sentences of what failed and what to do; none: all is well.
    `has_failed` is False where the run succeeded and still left something out. `site` is the Jira site, if known."""

    job: str
    run_id: str
    ended_at: datetime
    has_failed: bool = False
    troubles: tuple[str, ...] = ()
    site: str = ""


@dataclass(frozen=True)
class Message:
    """What a receiver gets: a line, and everything."""

    subject: str
    text: str


def trouble(outcome: Outcome) -> Message:
    """The message that a job has got into trouble."""
    what = "failed" if outcome.has_failed else "left something out"
    listed = [_cut(sentence) for sentence in outcome.troubles[:_LISTED_AT_MOST]]
    if len(outcome.troubles) > _LISTED_AT_MOST:
        listed.append(f"... and {len(outcome.troubles) - _LISTED_AT_MOST} more.")
    return _message(outcome, what, [*listed, _run(outcome), "Nothing more is said until it has recovered."])


def recovery(outcome: Outcome) -> Message:
    """The message that a job is all right again."""
    return _message(outcome, "has recovered", [_run(outcome)])


def _message(outcome: Outcome, what: str, lines: list[str]) -> Message:
    subject = f"jira_pipeline: {outcome.job} {what}"
    site = f" ({outcome.site})" if outcome.site else ""
    return Message(subject, "\n".join([f"{subject}{site}.", *lines]))


def _run(outcome: Outcome) -> str:
    return f"Run {outcome.run_id} ended at {outcome.ended_at:%Y-%m-%d %H:%M} UTC."


def _cut(sentence: str) -> str:
    one_line = " ".join(sentence.split())
    return one_line if len(one_line) <= _LONGEST_SENTENCE else f"{one_line[: _LONGEST_SENTENCE - 1]}…"

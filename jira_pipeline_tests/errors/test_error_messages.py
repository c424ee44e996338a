"""Every sentence that an error may say to a person: what happened, to what, and what to do."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def script() -> ModuleType:
    """docs/render_errors.py, which reads the messages from the source."""
    spec = importlib.util.spec_from_file_location("render_errors", REPOSITORY / "docs" / "render_errors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


RENDERER = script()
MESSAGES = RENDERER.messages()

# What a reader is told to do, or that there is nothing to do because the pipeline does it itself.
VERBS = (
    "add|ask|authorise|check|choose|close|correct|delete|edit|give|go on|leave|let|make|materialise|mend|name|pass|put|"
    "remove|report|restore|run|save|see|set|sign in|stop|unset|update|use|wait|write"
)
TO_DO = re.compile(
    rf"(?:[:;,.)]|\b(?:and|or|then)) (?:{VERBS})\b|\bmust\b|lists those there are"
    r"|[Tt]he next (?:run|census|look)\b|is (?:synced|tried) again\b|: <remedy>"
)
# A placeholder, a variable or an option, or a capitalised word that does not begin the sentence.
A_THING = re.compile(r"<\w+>|\b[A-Z]+_[A-Z_]+\b|--\w+|`.+`|(?<=\w )[A-Z]\w+")

# Sentences that end with what somebody else has said, which brings its own full stop or none.
QUOTING = ("It said: <said>", "It said: <warnings>", "the network. <unavailable>")
# Why a message need not say what to do.
NOTHING_TO_DO = {
    "Jira at <server> refused <method> <path> with <status>: <said>": "what to do depends on what Jira said",
    "Jira at <server> did not accept a page token any more: <said>": "the walk catches it and resumes; nobody reads it",
    "<name> and what belongs to it are not as they were written": "what is said of the project wraps it in a sentence",
    "<stored> of <accepted> payloads could be read again from <parent>": "the same",
}
# Why a message may name nothing.
NAMES_NOTHING = {
    "Nothing has been synced yet: materialise raw_issues first.": "there is nothing yet that could be named",
}
# Messages that are put together elsewhere: those about the settings file, which docs/configuration.md lists, and which
# have tests of their own.
PUT_TOGETHER = {"settings/problems"}


def test_the_list_of_errors_is_that_of_the_source() -> None:
    assert (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8") == RENDERER.render(), (
        "run: python docs/render_errors.py > docs/errors.md"
    )
    assert len(MESSAGES) > 80
    assert {message.module for message in MESSAGES if not message.text} <= PUT_TOGETHER


@pytest.mark.parametrize(
    "message", [m for m in MESSAGES if m.text], ids=lambda m: f"{m.module}: {m.text[:60]}".replace("/", ".")
)
def test_an_error_says_what_happened_to_what_and_what_to_do(message: object) -> None:
    text = str(message.text)  # type: ignore[attr-defined]
    wrapped = text in NOTHING_TO_DO and not text.endswith(".")

    assert re.match(r"[A-Z<`]|[a-z]+_\w+ ", text), "it begins like a sentence, or with the name of a setting"
    assert text.endswith((".", *QUOTING)) or wrapped, "it ends like one"
    assert A_THING.search(text) or text in NAMES_NOTHING, "it names the thing"
    assert TO_DO.search(text) or text in NOTHING_TO_DO, "it says what to do"


def test_every_exception_is_still_needed() -> None:
    texts = {message.text for message in MESSAGES}

    assert set(NOTHING_TO_DO) | set(NAMES_NOTHING) <= texts
    assert [text for text in NOTHING_TO_DO if TO_DO.search(text)] == []
    assert [text for text in NAMES_NOTHING if A_THING.search(text)] == []

"""docs/faults.md says what the program does: each row of its table of answers is brought about here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.cloud import CloudSite
from jira_pipeline.jira.errors import ProjectUnavailable, RequestRefused, RunFatal, SiteUnavailable
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.oauth import OAuthTokens
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite, SiteIdentity
from jira_pipeline.jira.token_endpoint import TOKEN_POLICY
from jira_pipeline.jira.transport import Meter, Transport
from jira_pipeline.sandbox import Fault, FaultKind, Sandbox, generate_site
from jira_pipeline_tests.jira.connecting import FAST, Reply, answering, bearer, issues_of, sign_in, walked

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
ISSUES = 230  # three pages
SITE = generate_site(11, issues=ISSUES, projects=1, max_histories=3)
PATIENT = replace(FAST, read_timeout=0.4, attempts=3)


def documented() -> dict[str, tuple[str, str]]:
    section = DOCS.split("## Answers of Jira")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (\w+) \| (\w+) \|$", section, flags=re.MULTILINE)
    return {answer: (kind, requests) for answer, kind, requests in rows if answer != "answer"}


@dataclass
class Outcome:
    """What came of a request or a walk under a fault: its class, and how many requests were made."""

    kind: str
    requests: int


def class_of(error: PipelineError) -> str:
    kinds = {SiteUnavailable: "retry", ProjectUnavailable: "project", RequestRefused: "request"}
    return "run" if isinstance(error, RunFatal) else kinds[type(error)]


Play = Callable[[Path], Outcome]


@contextmanager
def cloud(**options: Any) -> Iterator[Sandbox]:
    with Sandbox(SITE, "cloud", **options) as sandbox:
        yield sandbox


def asking(ask: Callable[[], object], count: Callable[[], int], recovers: Callable[[], object]) -> Outcome:
    """The class of what a request ends with. A fault of the class retry must be got over once it has passed."""
    before = count()
    try:
        ask()
    except PipelineError as error:
        outcome = Outcome(class_of(error), count() - before)
        if outcome.kind == "retry":
            recovers()
            assert ask()
        return outcome
    return Outcome("fine", count() - before)


def fault(kind: Fault | FaultKind, path: str = "/field") -> Play:
    """A fault of the sandbox that does not pass, once signed in."""

    def play(_: Path) -> Outcome:
        with cloud() as sandbox:
            site = sign_in(sandbox, PATIENT)
            rule = sandbox.faults.add(kind, path=path, times=None)
            return asking(site.fields, lambda: rule.fired, sandbox.faults.clear)

    return play


def reply(status: int, body: bytes = b"{}", headers: dict[str, str] | None = None) -> Play:
    """An answer that does not change, and that the sandbox does not give."""

    def play(_: Path) -> Outcome:
        answers = [Reply(status, body, headers or {})]
        with answering(lambda *_: answers[0]) as (url, asked):
            transport = Transport(bearer(url), policy=PATIENT)

            def recovers() -> None:
                answers[0] = Reply(200, b'{"x": 1}')

            return asking(lambda: transport.get("field", decode=json.loads), lambda: len(asked), recovers)

    return play


def no_connection(_: Path) -> Outcome:
    with answering(lambda *_: Reply()) as (url, asked):
        pass
    transport = Transport(bearer(url), policy=PATIENT)
    tries: list[int] = []
    send = transport._send
    transport._send = lambda *given: (tries.append(1), send(*given))[1]  # type: ignore[method-assign]
    with pytest.raises(SiteUnavailable):
        transport.get("field", decode=json.loads)
    assert asked == []
    return Outcome("retry", len(tries))


def bad_certificate(_: Path) -> Outcome:
    with answering(lambda *_: Reply()) as (url, _):
        transport = Transport(bearer(url.replace("http:", "https:")), policy=PATIENT)
        tries: list[int] = []
        send = transport._send
        transport._send = lambda *given: (tries.append(1), send(*given))[1]  # type: ignore[method-assign]
        with pytest.raises(RunFatal, match="certificate"):
            transport.get("field", decode=json.loads)
        return Outcome("run", len(tries))


def page_when_signing_in(_: Path) -> Outcome:
    with cloud() as sandbox:
        rule = sandbox.faults.add("html_page", path="/myself", times=None)
        credentials = credentials_from(sandbox.credentials)
        return asking(lambda: connect(credentials, policy=PATIENT), lambda: rule.fired, sandbox.faults.clear)


def refused_oauth(folder: Path) -> Outcome:
    with cloud(authentication="oauth") as sandbox:
        environ = sandbox.credentials | {"JIRA_OAUTH_TOKEN_FILE": str(folder / "tokens.json")}
        site = connect(credentials_from(environ), policy=PATIENT)
        assert isinstance(site.transport._oauth, OAuthTokens)
        rule = sandbox.faults.add("unauthorized", path="/field", times=None)
        return asking(site.fields, lambda: rule.fired, sandbox.faults.clear)


def anonymous_search(_: Path) -> Outcome:
    with cloud() as sandbox:
        site, project = signed_in_with_project(sandbox)
        sandbox.revoke_credentials()
        walk = IssueWindow(project)
        return asking(lambda: walked(site, walk), lambda: len(sandbox.requests), sandbox.restore_credentials)


def anonymous_data_center(_: Path) -> Outcome:
    with Sandbox(SITE, "datacenter") as sandbox:
        site = sign_in(sandbox, PATIENT)
        sandbox.revoke_credentials()
        return asking(site.fields, lambda: len(sandbox.requests), sandbox.restore_credentials)


def forbidden_project(_: Path) -> Outcome:
    with cloud() as sandbox:
        site, project = signed_in_with_project(sandbox)
        sandbox.forbid_project(sandbox.issues()[0]["fields"]["project"]["key"])
        walk = IssueWindow(project)
        return asking(lambda: walked(site, walk), lambda: len(sandbox.requests), lambda: None)


def forbidden_directory(_: Path) -> Outcome:
    with cloud() as sandbox:
        site = sign_in(sandbox, PATIENT)
        sandbox.forbid_user_directory()
        return asking(lambda: list(site.directory()), lambda: len(sandbox.requests), lambda: None)


def missing_token(_: Path) -> Outcome:
    def issue(number: int) -> dict[str, Any]:
        times = dict.fromkeys(("created", "updated"), "2026-11-01T09:00:00.000+0000")
        return {"id": str(number), "key": f"APP-{number}", "fields": times}

    pages = [{"issues": [issue(1)], "isLast": False}, {"issues": [issue(1), issue(2)], "isLast": True}]
    with answering(lambda _, number: Reply(200, json.dumps(pages[number]).encode())) as (url, asked):
        identity = SiteIdentity(url, "cloud", "Jira", "1001", "an-account", "Somebody", "UTC")
        found = issues_of(walked(CloudSite(Transport(bearer(url), policy=PATIENT), identity), IssueWindow("1")))
        assert {record.issue_id for record in found} == {1, 2}
        return Outcome("resume", len(asked))


def walking(kind: Fault | FaultKind, usual_kind: str) -> Play:
    """A fault that meets the first search of a walk: no issue may be missing or set aside."""

    def play(_: Path) -> Outcome:
        with cloud() as sandbox:
            site, project = signed_in_with_project(sandbox)
            nth = 2 if kind == "expired_token" else 1
            rule = sandbox.faults.add(kind, path="/search/jql", nth=nth)
            pages = walked(site, IssueWindow(project))
            assert rule.fired == 1
            assert {issue.issue_id for issue in issues_of(pages)} == {int(i["id"]) for i in sandbox.issues()}
            assert not [issue for page in pages for issue in page.unreadable]
            return Outcome(usual_kind, sum(1 for r in sandbox.requests if r.path.endswith("/search/jql")))

    return play


def blemish(name: Any) -> Play:
    """One unreadable issue of the first page: all others are read, and it is known which one it was."""

    def play(_: Path) -> Outcome:
        with cloud() as sandbox:
            site, project = signed_in_with_project(sandbox)
            bad = sandbox.issues()[0]
            sandbox.spoil_issue(bad["key"], name)
            page = next(site.walk(IssueWindow(project), meter=Meter()))
            (unreadable,) = page.unreadable
            assert unreadable.issue_id in (int(bad["id"]), None)
            assert len(page.issues) == 99
            return Outcome("quarantine", len(sandbox.requests))

    return play


def signed_in_with_project(sandbox: Sandbox) -> tuple[JiraSite, str]:
    site = sign_in(sandbox, PATIENT)
    project = site.projects()[0].id
    sandbox.clear_requests()
    return site, project


PLAYS: dict[str, list[Play]] = {
    "429 with Retry-After": [fault(Fault("too_many_requests", retry_after=0))],
    "429 without Retry-After": [fault("too_many_requests")],
    "408 or 425": [reply(408), reply(425)],
    "500, 502, 503 or 504": [fault(Fault("server_error", status=status)) for status in (500, 502, 503, 504)],
    "no connection": [no_connection],
    "connection reset before the headers": [fault("reset_before_headers")],
    "connection reset after the headers": [fault("reset_after_headers")],
    "body cut off": [fault("cut_body")],
    "silence until the time-out": [fault(Fault("hang", seconds=2))],
    "empty body": [fault("empty_body")],
    "JSON that ends in the middle": [fault("malformed_json")],
    "web page with 200, once signed in": [fault("html_page")],
    "X-RateLimit-NearLimit": [fault("near_limit")],
    "web page with 200, when signing in": [page_when_signing_in],
    "certificate that cannot be verified": [bad_certificate],
    "redirect": [fault(Fault("redirect", location="https://elsewhere.example.com/login")), reply(308)],
    "401 to an API token or personal access token": [fault("unauthorized"), reply(401)],
    "401 to OAuth, again after the access token was renewed": [refused_oauth],
    "200 and no issues, as to somebody anonymous": [anonymous_search],
    "401 as to somebody anonymous, once signed in (Data Center)": [anonymous_data_center],
    "403 with a CAPTCHA": [fault("captcha")],
    "410": [reply(410, b'{"errorMessages": ["The requested API has been removed."]}')],
    "400, unknown or forbidden project": [forbidden_project],
    "403": [forbidden_directory],
    "404": [reply(404)],
    "409": [reply(409)],
    "400, anything else": [reply(400)],
    "page token refused": [walking("expired_token", "resume")],
    "page token repeated": [walking("repeated_token", "resume")],
    "page token missing on a page that is not the last": [missing_token],
    "page without issues but with a token": [walking("empty_page", "fine")],
    "page shorter than asked for": [walking("short_page", "fine")],
    "issue that is null": [blemish("null")],
    "issue without fields": [blemish("no_fields")],
    "issue with fields null": [blemish("null_fields")],
    "issue with a date that is none": [blemish("absurd_date")],
}


def test_every_row_of_the_table_is_tried_and_every_trial_is_a_row() -> None:
    assert len(documented()) > 30
    assert documented().keys() == PLAYS.keys()


def test_every_class_of_the_table_is_explained() -> None:
    explained = set(re.findall(r"^\| (\w+) \|", DOCS.split("## Answers of Jira")[0], flags=re.MULTILINE)) - {"class"}
    assert explained == {kind for kind, _ in documented().values()}


@pytest.mark.parametrize("answer", PLAYS)
def test_the_row_says_what_happens(answer: str, tmp_path: Path) -> None:
    kind, requests = documented()[answer]
    expected = Outcome(kind, PATIENT.attempts if requests == "all" else int(requests))

    assert [play(tmp_path) for play in PLAYS[answer]] == [expected] * len(PLAYS[answer])


def test_the_numbers_of_attempts_and_waits_are_the_programs() -> None:
    policy = RetryPolicy()

    assert (
        f"up to {policy.attempts} attempts in all, within two hours, {policy.first_wait:.0f} to "
        f"{policy.longest_wait:.0f} s apart"
    ) in DOCS
    assert policy.total_seconds == 2 * 3600
    assert f"retry, {TOKEN_POLICY.attempts} attempts within two minutes" in DOCS
    assert TOKEN_POLICY.total_seconds == 2 * 60

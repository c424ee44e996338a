"""Every answer and every silence of a site, and what it means for the request, the project and the run."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, get_args

import msgspec
import pytest

from jira_pipeline.jira.errors import (
    CredentialsRejected,
    JiraError,
    NotJira,
    PageTokenRejected,
    ProjectUnavailable,
    RequestRefused,
    RunFatal,
    SiteUnavailable,
)
from jira_pipeline.jira.limiter import Cancelled
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.jira.transport import Meter, Transport
from jira_pipeline.sandbox import Fault, FaultKind, Flavour, Sandbox, generate_site
from jira_pipeline_tests.jira.connecting import FAST, IMPATIENT, TOKEN, Reply, answering, bearer, sign_in

decode = msgspec.json.decode


@pytest.fixture(scope="module", params=["cloud", "datacenter"])
def shared_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(generate_site(3, issues=6, projects=2, max_histories=5), request.param) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    yield shared_sandbox
    shared_sandbox.faults.clear()
    shared_sandbox.restore_credentials()


@pytest.fixture
def site(sandbox: Sandbox) -> JiraSite:
    return sign_in(sandbox)


PASSING: tuple[Fault | FaultKind, ...] = (
    Fault("too_many_requests", retry_after=0),
    Fault("too_many_requests"),
    Fault("server_error", status=500),
    Fault("server_error", status=502),
    Fault("server_error", status=503),
    Fault("server_error", status=504),
    "reset_before_headers",
    "reset_after_headers",
    "cut_body",
    "malformed_json",
    "empty_body",
    "html_page",
)


def name_of(fault: Fault | FaultKind) -> str:
    return fault if isinstance(fault, str) else f"{fault.kind}-{fault.status}-{fault.retry_after}"


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_a_passing_fault_is_got_over_by_asking_again(
    sandbox: Sandbox, site: JiraSite, fault: Fault | FaultKind
) -> None:
    expected = site.fields()
    rule = sandbox.faults.add(fault, path="/field", times=2)
    meter = Meter()

    body, _ = site.transport.exchange("GET", "field", decode=decode, meter=meter)

    assert len(body) == len(expected) > 10
    assert rule.fired == 2
    assert (meter.requests, meter.retries) == (3, 2)
    assert meter.bytes_received > 0


@pytest.mark.parametrize("fault", PASSING, ids=name_of)
def test_a_fault_that_stays_is_one_sentence_about_the_site(
    sandbox: Sandbox, site: JiraSite, fault: Fault | FaultKind
) -> None:
    rule = sandbox.faults.add(fault, path="/field", times=None)

    with pytest.raises(
        SiteUnavailable, match=r"did not answer GET field in 4 attempts: .*\. Nothing is lost"
    ) as caught:
        site.fields()

    assert rule.fired == FAST.attempts
    assert not isinstance(caught.value, RunFatal)
    assert "<" not in str(caught.value)


def test_a_silent_site_is_given_up_after_the_time_out(sandbox: Sandbox) -> None:
    site = sign_in(sandbox, IMPATIENT)
    sandbox.faults.add(Fault("hang", seconds=3), path="/field", times=None)
    started = time.monotonic()

    with pytest.raises(SiteUnavailable, match="the answer did not come in time"):
        site.fields()

    assert 0.6 <= time.monotonic() - started < 2.5


@pytest.fixture(scope="module")
def waits() -> Iterator[dict[tuple[str, object], Future[float]]]:
    """By flavour and Retry-After: how many seconds a request took that was told to wait once. All wait side by side,
    each at a site of its own."""

    def wait(flavour: Flavour, retry_after: int | Literal["date"]) -> float:
        with Sandbox(generate_site(3, issues=6, projects=2, max_histories=5), flavour) as sandbox:
            site = sign_in(sandbox)
            sandbox.faults.add(Fault("too_many_requests", retry_after=retry_after), path="/field")
            started = time.monotonic()
            assert site.fields()
            return time.monotonic() - started

    with ThreadPoolExecutor() as threads:
        yield {
            (flavour, retry_after): threads.submit(wait, flavour, retry_after)
            for flavour in get_args(Flavour)
            for retry_after in (1, "date")
        }


def test_a_retry_after_in_seconds_is_waited(sandbox: Sandbox, waits: dict[tuple[str, object], Future[float]]) -> None:
    assert waits[sandbox.flavour, 1].result() >= 1.0


def test_a_retry_after_as_a_date_is_waited(sandbox: Sandbox, waits: dict[tuple[str, object], Future[float]]) -> None:
    """The sandbox names a date two seconds ahead of its clock."""
    assert waits[sandbox.flavour, "date"].result() >= 0.9


def test_a_retry_after_of_one_thread_holds_the_others(sandbox: Sandbox, site: JiraSite) -> None:
    """Jira limits the account, so whoever goes on asking makes it worse for all."""
    rule = sandbox.faults.add(Fault("too_many_requests", retry_after=1), path="/field")
    first = threading.Thread(target=site.fields)
    first.start()
    while not rule.fired:
        time.sleep(0.005)
    time.sleep(0.1)
    started = time.monotonic()

    assert site.statuses()

    assert time.monotonic() - started >= 0.5
    first.join(10)


def test_a_wait_that_is_too_long_ends_the_request_and_holds_nobody(sandbox: Sandbox, site: JiraSite) -> None:
    sandbox.faults.add(Fault("too_many_requests", retry_after=100_000), path="/field", times=None)
    started = time.monotonic()

    with pytest.raises(SiteUnavailable, match="it answered 429"):
        site.fields()
    assert site.statuses()

    assert time.monotonic() - started < 5


def test_waiting_ends_when_the_run_is_stopped(sandbox: Sandbox, site: JiraSite) -> None:
    sandbox.faults.add(Fault("too_many_requests", retry_after=15), path="/field", times=None)
    threading.Timer(0.2, site.transport.limiter.stop).start()
    started = time.monotonic()

    with pytest.raises(Cancelled):
        site.fields()

    assert time.monotonic() - started < 5


# --- what no retry can cure ------------------------------------------------------------------------------------------


def test_rejected_credentials_stop_the_run(sandbox: Sandbox, site: JiraSite) -> None:
    sandbox.revoke_credentials()
    meter = Meter()

    with pytest.raises(CredentialsRejected, match=r"did not accept the credentials in JIRA_.*expired") as caught:
        site.transport.get("project", decode=decode, meter=meter)

    assert isinstance(caught.value, RunFatal)
    # A cluster's node may have forgotten us for a moment, which on Data Center looks the same.
    assert meter.requests == (1 if sandbox.flavour == "cloud" else FAST.attempts)


def test_a_captcha_is_not_asked_again(sandbox: Sandbox, site: JiraSite) -> None:
    """Each attempt would prolong the lock-out."""
    rule = sandbox.faults.add("captcha", path="/field", times=None)

    with pytest.raises(CredentialsRejected, match="CAPTCHA"):
        site.fields()

    assert rule.fired == 1


def test_a_refusal_has_jiras_own_words_and_concerns_the_request_only(sandbox: Sandbox, site: JiraSite) -> None:
    sandbox.forbid_user_directory()
    try:
        with pytest.raises(RequestRefused, match="403: You are not authorized to perform this action") as caught:
            list(site.directory())
    finally:
        sandbox.forbid_user_directory(False)

    assert caught.value.status == 403
    assert not isinstance(caught.value, RunFatal)
    assert len(sandbox.requests) == 1


def replies(reply: Reply) -> Callable[[str, int], Reply]:
    return lambda path, number: reply


@pytest.mark.parametrize(
    ("reply", "error", "message"),
    [
        (Reply(401, b"<html>x</html>", {"Content-Type": "text/html"}), CredentialsRejected, "did not accept"),
        (Reply(302, b"", {"Location": "https://login.example.com/sso?x=1"}), NotJira,
         r"redirects to https://login\.example\.com: set JIRA_SERVER"),
        (Reply(301, b"", {"Location": "/elsewhere"}), NotJira, "redirects to http://127"),
        (Reply(200, b"<!DOCTYPE html><html>", {"Content-Type": "text/html"}), NotJira, "web page .*check JIRA_SERVER"),
        (Reply(200, b"  <html>login", {}), NotJira, "web page"),
        (Reply(404, b"<html>nothing</html>", {"Content-Type": "text/html"}), NotJira, r"web page \(404\)"),
        (Reply(410, b'{"errorMessages":["The requested API has been removed."]}'), NotJira, "update jira_pipeline"),
        (Reply(400, b'{"errorMessages":["The provided next page token is invalid or expired."]}'), PageTokenRejected,
         "page token"),
        (Reply(400, b'{"errorMessages":["The value \'X\' does not exist for the field \'project\'."]}'),
         ProjectUnavailable, "does not show this project"),
        (Reply(400, b'{"errorMessages":["Bad query"],"errors":{"jql":"is odd"}}'), RequestRefused,
         "400: Bad query jql: is odd"),
        (Reply(404, b'{"message":"null for uri"}'), RequestRefused, "404: null for uri"),
        (Reply(418, b"[]"), RequestRefused, r"418: \(no readable message\)"),
        (Reply(418, b"not json"), RequestRefused, r"\(no readable message\)"),
        (Reply(418, b'{"errorMessages":[],"errors":[]}'), RequestRefused, r"\(no message\)"),
    ],
)  # fmt: skip
def test_an_answer_that_no_retry_cures_is_classified(reply: Reply, error: type[JiraError], message: str) -> None:
    with answering(replies(reply)) as (url, asked):
        with pytest.raises(error, match=message):
            Transport(bearer(url), policy=FAST).get("field", decode=decode)

        assert len(asked) == 1


def test_the_body_of_a_strange_answer_is_not_repeated_to_the_user() -> None:
    body = b'{"errorMessages":["' + b"x" * 100_000 + b'"]}'
    with answering(replies(Reply(400, body))) as (url, _), pytest.raises(RequestRefused) as caught:
        Transport(bearer(url), policy=FAST).get("field", decode=decode)

    assert len(str(caught.value)) < 1000


def test_an_address_where_nobody_listens_is_unreachable() -> None:
    with answering(replies(Reply())) as (url, _):
        pass

    with pytest.raises(SiteUnavailable, match="the connection failed"):
        Transport(bearer(url), policy=IMPATIENT).get("field", decode=decode)


def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda path, before: Reply(body=b"[]")) as (proxy, asked):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", "elsewhere.example.com")
        Transport(bearer("http://jira.example.com"), policy=FAST).get("field", decode=decode)

    assert asked == ["http://jira.example.com/rest/api/2/field"]


def test_an_answer_to_somebody_anonymous_is_never_taken_for_an_empty_site() -> None:
    """A dead credential can look like 200 and no issues."""
    with answering(replies(Reply(200, b'{"issues":[]}', {"X-AUSERNAME": "anonymous"}))) as (url, asked):
        transport = Transport(bearer(url), policy=FAST)
        transport.identity_header = "X-AUSERNAME"

        with pytest.raises(CredentialsRejected):
            transport.get("search", decode=decode)

        assert len(asked) == FAST.attempts


def test_a_site_that_never_says_who_we_are_is_believed() -> None:
    with answering(replies(Reply(200, b'{"issues":[]}'))) as (url, _):
        assert Transport(bearer(url), policy=FAST).get("search", decode=decode) == {"issues": []}


def test_a_node_that_forgot_us_for_a_moment_is_asked_again() -> None:
    def answer(path: str, number: int) -> Reply:
        if number == 0:
            return Reply(401, b"{}", {"X-AUSERNAME": "anonymous"})
        return Reply(200, b"[]", {"X-AUSERNAME": "ana"})

    with answering(answer) as (url, asked):
        transport = Transport(bearer(url), policy=FAST)
        transport.identity_header = "X-AUSERNAME"

        assert transport.get("field", decode=decode) == []
        assert len(asked) == 2


def test_all_attempts_together_have_a_deadline() -> None:
    policy = replace(FAST, attempts=1000, first_wait=0.1, longest_wait=0.1, total_seconds=0.5)
    started = time.monotonic()

    with answering(replies(Reply(503))) as (url, asked), pytest.raises(SiteUnavailable):
        Transport(bearer(url), policy=policy).get("field", decode=decode)

    assert time.monotonic() - started < 2
    assert 2 < len(asked) < 10


@pytest.mark.parametrize(
    "reply",
    [
        Reply(401),
        Reply(403, b'{"errorMessages":["no"]}'),
        Reply(503),
        Reply(200, b"{"),
        Reply(302),
        Reply(200, b"<html>"),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body[:6]!r}",
)
def test_no_secret_appears_in_messages_tracebacks_reprs_or_logs(reply: Reply, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(replies(reply)) as (url, asked):
        transport = Transport(bearer(url), policy=IMPATIENT)
        with pytest.raises(JiraError) as caught:
            transport.get("field", decode=decode)
    assert asked

    shown = (
        "".join(traceback.format_exception(caught.value)) + caplog.text + repr(transport.credentials) + repr(transport)
    )

    assert url in shown
    assert TOKEN not in shown

"""OAuth 2.0 (3LO) against the sandbox: tokens are renewed in time, by one at a time, and stored before use."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.errors import AccessTokenUnavailable, CredentialsRejected
from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.jira.oauth import OAuthTokens
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.jira.site import JiraSite
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Fault, Sandbox, generate_site

FAST = RetryPolicy(attempts=3, first_wait=0.01, longest_wait=0.02, connect_timeout=5.0, read_timeout=5.0)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generate_site(5, issues=4, projects=1, max_histories=2), "cloud", authentication="oauth") as sandbox:
        yield sandbox


@pytest.fixture
def environ(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """What a user has set: the refresh token of the day on which the app was authorised."""
    return sandbox.credentials | {"JIRA_PIPELINE_DATABASE": str(tmp_path / "data" / "jira.duckdb")}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "jira_oauth.json"


def sign_in(environ: dict[str, str]) -> JiraSite:
    return connect(credentials_from(environ), policy=FAST)


def tokens(environ: dict[str, str]) -> OAuthTokens:
    settings = credentials_from(environ).oauth
    assert settings is not None
    return OAuthTokens(settings, policy=FAST)


def held(token_file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(token_file.read_bytes())
    return content


def change(token_file: Path, **values: Any) -> None:
    token_file.write_text(json.dumps(held(token_file) | values), encoding="utf-8")


def renewals(sandbox: Sandbox) -> list[str]:
    """The refresh tokens that were sent, in order."""
    return [request.body["refresh_token"] for request in sandbox.requests if request.path == "/oauth/token"]


def test_signing_in_stores_a_private_pair_beside_the_database(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path
) -> None:
    site = sign_in(environ)

    assert site.identity.kind == "cloud"
    assert site.projects()
    assert renewals(sandbox) == [environ["JIRA_OAUTH_REFRESH_TOKEN"]]
    assert held(token_file)["refresh_token"] == sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"]
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(token_file.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in token_file.parent.iterdir()) == ["jira_oauth.json", "jira_oauth.json.lock"]
    assert stat.S_IMODE(token_file.with_name("jira_oauth.json.lock").stat().st_mode) == 0o600


def test_a_leftover_that_others_can_read_does_not_become_the_token_file(
    environ: dict[str, str], token_file: Path
) -> None:
    token_file.parent.mkdir()
    leftover = token_file.with_name(".jira_oauth.json.part")
    leftover.touch()
    leftover.chmod(0o644)

    tokens(environ).current()

    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    assert not leftover.exists()


def test_the_file_never_holds_the_token_that_the_variable_holds_in_the_clear(
    environ: dict[str, str], token_file: Path
) -> None:
    sign_in(environ)

    assert environ["JIRA_OAUTH_REFRESH_TOKEN"] not in token_file.read_text(encoding="utf-8")


def test_a_pair_that_is_still_good_is_used_without_asking_for_another(
    sandbox: Sandbox, environ: dict[str, str]
) -> None:
    sign_in(environ)
    sandbox.clear_requests()

    assert sign_in(environ).projects()

    assert renewals(sandbox) == []


def test_the_file_wins_over_the_variable_it_began_with(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path
) -> None:
    sign_in(environ)
    second = held(token_file)["refresh_token"]
    change(token_file, renew_at=0)

    sign_in(environ)

    assert renewals(sandbox) == [environ["JIRA_OAUTH_REFRESH_TOKEN"], second]


def test_the_variable_may_be_unset_once_the_file_is_there(sandbox: Sandbox, environ: dict[str, str]) -> None:
    sign_in(environ)
    del environ["JIRA_OAUTH_REFRESH_TOKEN"]

    assert sign_in(environ).projects()

    assert len(renewals(sandbox)) == 1


def test_a_newer_variable_wins_over_the_file(sandbox: Sandbox, environ: dict[str, str], token_file: Path) -> None:
    """The user has authorised the app anew, most likely because the old tokens had died."""
    sign_in(environ)
    first = environ["JIRA_OAUTH_REFRESH_TOKEN"]
    newer = environ | {"JIRA_OAUTH_REFRESH_TOKEN": sandbox.credentials["JIRA_OAUTH_REFRESH_TOKEN"]}
    change(token_file, access_token="dead", refresh_token="dead")

    assert sign_in(newer).projects()

    assert renewals(sandbox) == [first, newer["JIRA_OAUTH_REFRESH_TOKEN"]]
    # A process that was started before that still has the old variable, and does not go back to it.
    change(token_file, renew_at=0)
    assert sign_in(environ).projects()
    assert renewals(sandbox)[2] not in (first, newer["JIRA_OAUTH_REFRESH_TOKEN"], "dead")


def test_an_access_token_is_renewed_minutes_ahead_of_its_expiry(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path
) -> None:
    sign_in(environ)
    pair = held(token_file)

    assert pair["expires_at"] == pytest.approx(time.time() + 3600, abs=60)
    assert pair["expires_at"] - pair["renew_at"] == 300
    change(token_file, renew_at=time.time() - 1)
    sign_in(environ)

    assert len(renewals(sandbox)) == 2
    assert held(token_file)["access_token"] != pair["access_token"]


def test_a_running_process_renews_when_the_time_has_come(
    sandbox: Sandbox, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = sign_in(environ)
    later = time.time() + 3400
    monkeypatch.setattr("jira_pipeline.jira.oauth.time.time", lambda: later)
    sandbox.clear_requests()

    assert site.projects()

    assert [request.path.rpartition("/")[2] for request in sandbox.requests][:2] == ["token", "search"]
    assert {request.status for request in sandbox.requests} == {200}


def test_an_access_token_that_ends_early_is_renewed_once_and_the_request_repeated(
    sandbox: Sandbox, environ: dict[str, str]
) -> None:
    site = sign_in(environ)
    sandbox.expire_access_tokens()
    sandbox.clear_requests()
    meter = Meter()

    assert site.transport.get("field", decode=json.loads, meter=meter)

    assert [request.status for request in sandbox.requests] == [401, 200, 200]
    assert (meter.requests, meter.retries) == (2, 1)


def test_a_search_answered_as_to_somebody_anonymous_is_repeated_with_a_new_token(
    sandbox: Sandbox, environ: dict[str, str]
) -> None:
    """Cloud's search answers 200 and no issues to an access token that has ended."""
    site = sign_in(environ)
    project = site.projects()[0].id
    sandbox.expire_access_tokens()

    found = site.transport.post(
        "search/jql", {"jql": f"project = {project}", "fields": ["id"]}, decode=json.loads, meter=Meter()
    )

    assert len(found["issues"]) == 4
    assert len(renewals(sandbox)) == 2


def test_a_token_refused_twice_ends_the_run(sandbox: Sandbox, environ: dict[str, str]) -> None:
    site = sign_in(environ)
    sandbox.clear_requests()
    rule = sandbox.faults.add("unauthorized", path="/field", times=None)

    with pytest.raises(CredentialsRejected, match=r"fresh OAuth access token: .*read:jira-work"):
        site.fields()

    assert rule.fired == 2
    assert len(renewals(sandbox)) == 1


def test_all_threads_renew_together_once(sandbox: Sandbox, environ: dict[str, str]) -> None:
    site = sign_in(environ)
    sandbox.expire_access_tokens()
    sandbox.clear_requests()
    together = threading.Barrier(8)

    def ask(_: int) -> int:
        together.wait(10)
        return len(site.fields())

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(ask, range(8)))

    assert min(counts) > 10
    assert len(renewals(sandbox)) == 1


def test_all_processes_renew_together_once(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path, tmp_path: Path
) -> None:
    sign_in(environ)
    change(token_file, renew_at=0)
    sandbox.clear_requests()
    program = (
        "import os, sys, time\n"
        "from jira_pipeline.jira.auth import credentials_from\n"
        "from jira_pipeline.jira.client import connect\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "print(len(connect(credentials_from(os.environ)).fields()))\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **environ},
        )
        for _ in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert [int(output) > 10 for output in outputs] == [True] * 3
    assert len(renewals(sandbox)) == 1


def test_the_new_pair_is_stored_before_it_is_used(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = sign_in(environ)
    sandbox.expire_access_tokens()
    sandbox.clear_requests()

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jira_pipeline.jira.token_file.os.replace", full_disk)
    with pytest.raises(SettingsError, match=r"cannot be written \(No space left on device\)"):
        site.fields()

    assert [request.path.rpartition("/")[2] for request in sandbox.requests] == ["field", "token"]


def test_a_pair_that_could_not_be_stored_is_asked_for_again_within_the_leeway(
    sandbox: Sandbox, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the answer and the file, the next run sends the same refresh token, which is allowed for ten
    minutes."""
    sandbox.now = sandbox.now
    with monkeypatch.context() as patched:
        patched.setattr("jira_pipeline.jira.token_file.os.replace", kill)
        with pytest.raises(SystemExit):
            sign_in(environ)
    sandbox.advance(timedelta(minutes=9))

    assert sign_in(environ).projects()
    assert renewals(sandbox) == [environ["JIRA_OAUTH_REFRESH_TOKEN"]] * 2


def kill(*_: object) -> None:
    raise SystemExit


@pytest.mark.parametrize(
    "fault",
    [
        Fault("server_error", status=503),
        Fault("too_many_requests", retry_after=0),
        Fault("reset_before_headers"),
        Fault("reset_after_headers"),
        Fault("cut_body"),
        Fault("malformed_json"),
        Fault("empty_body"),
        Fault("html_page"),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_passing_fault_of_the_token_endpoint_is_got_over(
    sandbox: Sandbox, environ: dict[str, str], fault: Fault
) -> None:
    rule = sandbox.faults.add(fault, path="/oauth/token", times=2)

    assert tokens(environ).current()

    assert rule.fired == 2
    assert len(sandbox.faults.incidents) == 2


def test_a_token_endpoint_that_stays_down_is_no_obstacle_while_the_old_token_is_good(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = tokens(environ).current()
    change(token_file, renew_at=0)
    rule = sandbox.faults.add(Fault("server_error", status=503), path="/oauth/token", times=None)
    store = tokens(environ)

    with caplog.at_level(logging.WARNING):
        assert store.current() == first
        assert store.current() == first

    assert rule.fired == FAST.attempts  # not again at every request
    assert "The present access token is good for" in caplog.text


def test_a_token_endpoint_that_stays_down_is_told_when_the_old_token_has_ended(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path
) -> None:
    tokens(environ).current()
    change(token_file, renew_at=0, expires_at=0)
    sandbox.faults.add(Fault("server_error", status=503), path="/oauth/token", times=None)

    with pytest.raises(AccessTokenUnavailable, match=r"/oauth/token gave no new .* in 3 attempts: it answered 503"):
        tokens(environ).current()


def test_a_token_endpoint_that_stays_down_stops_the_run_instead_of_shrinking_pages(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path
) -> None:
    site = sign_in(environ)
    change(token_file, renew_at=0, expires_at=0)
    site.transport._oauth = tokens(environ)  # as after the hour that a token lives
    rule = sandbox.faults.add(Fault("server_error", status=503), path="/oauth/token", times=None)

    with pytest.raises(AccessTokenUnavailable):
        list(site.walk(IssueWindow("10000"), meter=Meter()))

    assert rule.fired == FAST.attempts


def test_a_long_pause_asked_for_by_the_token_endpoint_is_told_instead_of_waited(
    sandbox: Sandbox, environ: dict[str, str]
) -> None:
    rule = sandbox.faults.add(Fault("too_many_requests", retry_after=1847), path="/oauth/token", times=None)

    with pytest.raises(AccessTokenUnavailable, match="it answered 429"):
        OAuthTokens(credentials_from(environ).oauth).current()  # type: ignore[arg-type]

    assert rule.fired == 1


def test_a_revoked_family_says_to_authorise_again(sandbox: Sandbox, environ: dict[str, str], token_file: Path) -> None:
    sandbox.now = sandbox.now
    sign_in(environ)
    change(token_file, renew_at=0, refresh_token=environ["JIRA_OAUTH_REFRESH_TOKEN"])
    sandbox.advance(timedelta(minutes=11))

    with pytest.raises(
        CredentialsRejected, match=r"\(invalid_grant\).*authorise the app again.*set JIRA_OAUTH_REFRESH_TOKEN"
    ):
        sign_in(environ)


def test_the_sites_own_address_is_named_as_the_mistake(sandbox: Sandbox, environ: dict[str, str]) -> None:
    environ["JIRA_SERVER"] = sandbox.url

    with pytest.raises(
        CredentialsRejected,
        match=r"set JIRA_SERVER to https://api\.atlassian\.com/ex/jira/<cloudId>.*/_edge/tenant_info",
    ):
        sign_in(environ)


def test_a_link_to_a_token_file_stays_a_link(environ: dict[str, str], tmp_path: Path) -> None:
    real, link = tmp_path / "volume" / "tokens.json", tmp_path / "link.json"
    link.symlink_to(real)
    environ["JIRA_OAUTH_TOKEN_FILE"] = str(link)

    sign_in(environ)

    assert link.is_symlink()
    assert held(real)["refresh_token"]


Spoil = Callable[[Path], object]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.chmod(0o640), r"open to other users \(mode 0640\): run `chmod 600 "),
        (lambda path: path.chmod(0o604), "open to other users"),
        (lambda path: path.write_text("{"), "is not one that jira_pipeline has written: delete it"),
        (lambda path: path.write_text("[1]"), "is not one that jira_pipeline has written"),
        (lambda path: path.write_bytes(b"\xff{}"), "is not one that jira_pipeline has written"),
        (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
    ],
)
def test_a_token_file_that_cannot_be_used_says_what_to_do(
    environ: dict[str, str], token_file: Path, spoil: Spoil, message: str
) -> None:
    tokens(environ).current()
    spoil(token_file)

    with pytest.raises(SettingsError, match=message) as caught:
        tokens(environ).current()

    assert caught.value.exit_code == 2


def test_a_place_that_cannot_be_written_is_found_before_any_token_is_sent(
    sandbox: Sandbox, environ: dict[str, str], tmp_path: Path
) -> None:
    """A refresh whose result cannot be stored would cost the sign-in."""
    (tmp_path / "file").touch()
    environ["JIRA_OAUTH_TOKEN_FILE"] = str(tmp_path / "file" / "tokens.json")

    with pytest.raises(SettingsError, match="set JIRA_OAUTH_TOKEN_FILE"):
        tokens(environ).current()

    assert renewals(sandbox) == []


def test_a_full_disk_is_found_before_any_token_is_sent(
    sandbox: Sandbox, environ: dict[str, str], token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("jira_pipeline.jira.token_file.os.fsync", full_disk)
    with pytest.raises(SettingsError, match="No space left on device"):
        tokens(environ).current()

    assert renewals(sandbox) == []
    assert [path.name for path in token_file.parent.iterdir()] == ["jira_oauth.json.lock"]

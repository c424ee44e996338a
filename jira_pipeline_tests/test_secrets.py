"""Secrets are nowhere but where they were put: a whole ingest, its failures, and all that is left of them."""

from __future__ import annotations

import base64
import logging
import os
import sqlite3
import stat
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from jira_pipeline.errors import PipelineError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.errors import NotJira
from jira_pipeline.jira.retry import RetryPolicy
from jira_pipeline.resources import JiraResource, jira_resource
from jira_pipeline.sandbox import Fault, FaultKind, Sandbox, generate_site
from jira_pipeline_tests.fork_server import ForkServer

WAYS = ("api_token", "scoped_token", "personal_access_token", "oauth")
QUICK = RetryPolicy(attempts=2, first_wait=0.01, longest_wait=0.02, connect_timeout=5.0, read_timeout=0.5)
SITE = generate_site(4, issues=12, projects=2, max_histories=45)

# Fetches twice through Dagster, the second time with credentials that have died, and asks for the status: every logger
# at DEBUG, files open to the world unless the program forbids it, and landing files that stay.
PROGRAM = """
import logging, os, sys, urllib.request
from functools import partial
os.umask(0)
logging.basicConfig(level=logging.DEBUG, filename="debug.log", force=True)
import dagster as dg
from jira_pipeline.cli import main
from jira_pipeline.cli.home import ensure_dagster_home
from jira_pipeline.cli.sync import check_settings
from jira_pipeline.definitions import defs
from jira_pipeline.jira import client
from jira_pipeline.partitions import DAILY
from jira_pipeline.sync.landing import LandingFile
client.RetryPolicy = partial(client.RetryPolicy, first_wait=0.01, longest_wait=0.02)
LandingFile.unlink = lambda self: None
check_settings()
ensure_dagster_home()
succeeded = []
with dg.DagsterInstance.get() as instance:
    for before in (None, "credentials/revoke"):
        if before:
            control = os.environ["SANDBOX"] + "/sandbox/" + before
            urllib.request.urlopen(urllib.request.Request(control, data=b"{}", method="POST")).read()
        ran = defs.resolve_job_def("daily_sync").execute_in_process(
            instance=instance,
            raise_on_error=False,
            partition_key=DAILY.get_last_partition_key(),
            asset_selection=[dg.AssetKey(name) for name in ("projects", "raw_issues", "issue_changes", "users")],
        )
        succeeded.append(ran.success)
print("succeeded", succeeded, flush=True)
sys.argv = ["jira-pipeline", "status"]
main()
"""


@contextmanager
def site_of(way: str) -> Iterator[Sandbox]:
    flavour: Any = "datacenter" if way == "personal_access_token" else "cloud"
    authentication: Any = way if way in ("oauth", "scoped_token") else "token"
    with Sandbox(SITE, flavour, authentication=authentication) as sandbox:
        yield sandbox


def secrets_of(sandbox: Sandbox) -> set[bytes]:
    """Everything that must stay secret, also in the form in which it goes over the wire."""
    given = sandbox.credentials
    secrets = {value for name, value in given.items() if name.endswith(("_TOKEN", "_SECRET"))}
    if "JIRA_API_TOKEN" in given:
        pair = f"{given['JIRA_EMAIL']}:{given['JIRA_API_TOKEN']}"
        secrets.add(base64.b64encode(pair.encode()).decode())
    if "JIRA_OAUTH_CLIENT_ID" in given:
        secrets |= {"sandbox-access-", "sandbox-refresh-"}  # of all numbers
    assert secrets
    return {secret.encode() for secret in secrets}


@pytest.fixture(scope="module", params=["api_token", "personal_access_token", "oauth"])
def synced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, fork_server: ForkServer
) -> Iterator[tuple[Sandbox, Path]]:
    """A sandbox, and the directory in which two runs have been: one with passing faults, one refused."""
    folder = tmp_path_factory.mktemp(request.param)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    tracked = "".join(f"  - key: {project}\n" for project in ("APP", "OPS"))
    (folder / "jira_pipeline.yaml").write_text(f"start_date: {yesterday}\ntracked_projects:\n{tracked}", "utf-8")
    with site_of(request.param) as sandbox:
        search = "search" if sandbox.flavour == "datacenter" else "search/jql"
        faults: tuple[Fault | FaultKind, ...] = (
            Fault("too_many_requests", retry_after=0), "reset_after_headers", "malformed_json", "html_page",
        )  # fmt: skip
        for number, fault in enumerate(faults, 1):
            sandbox.faults.add(fault, path=search, nth=number)
        if request.param == "oauth":
            sandbox.faults.add("unauthorized", path="/field")
            sandbox.faults.add(Fault("server_error", status=503), path="/oauth/token")
        before = sandbox.credentials
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("JIRA_", "DAGSTER_"))}
        ran = fork_server.start(PROGRAM, cwd=folder, env={**environ, **before, "SANDBOX": sandbox.url})
        printed, said = ran.communicate(timeout=300)
        (folder / "stdout").write_text(printed, "utf-8")
        (folder / "stderr").write_text(said, "utf-8")
        assert "succeeded [True, False]" in printed, said
        assert ran.returncode == 2, printed
        assert len(sandbox.faults.incidents) == (6 if request.param == "oauth" else 4)
        yield sandbox, folder


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All that is written anywhere below a directory, decompressed, with where it is."""
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        content = path.read_bytes()
        yield str(path), content
        if path.suffix == ".zst":
            yield f"{path} decompressed", zstandard.ZstdDecompressor().stream_reader(content).read()
        elif content.startswith(b"SQLite format 3"):
            yield from sqlite_values(path)
        elif path.suffix == ".duckdb":
            yield f"{path} values", duckdb_values(path)


def sqlite_values(path: Path) -> Iterator[tuple[str, bytes]]:
    """Dagster compresses some of what it stores."""
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                for value in row:
                    if isinstance(value, bytes):
                        yield f"{path} {table}", value
                        try:
                            yield f"{path} {table} decompressed", zlib.decompress(value)
                        except zlib.error:
                            continue
                    elif isinstance(value, str):
                        yield f"{path} {table}", value.encode()


def duckdb_values(path: Path) -> bytes:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        found = [connection.execute(f'SELECT * FROM "{schema}"."{table}"').fetchall() for schema, table in tables]
    return repr(found).encode()


def test_a_run_and_its_failures_leave_no_secret_anywhere(synced: tuple[Sandbox, Path]) -> None:
    sandbox, folder = synced
    secrets = secrets_of(sandbox)
    seen = [(place, text) for place, text in texts(folder) if not place.endswith("jira_oauth.json")]

    shown = {(place, secret) for place, text in seen for secret in secrets if secret in text}
    assert shown == set()
    # The search would have found what is there, in each kind of place.
    for kind, known in {
        ".heads.zst decompressed": b'"issue_key":"APP-',
        ".payloads.zst decompressed": b'"fields":{',
        ".histories.zst decompressed": b'"items":',
        ".mentions.zst decompressed": b'"displayName":',
        "jira.duckdb values": b"'APP'",
        "jira_working.duckdb values": b"'APP-1'",
        "event_logs": b"did not accept" if "JIRA_OAUTH_CLIENT_ID" not in sandbox.credentials else b"authorise the app",
        "snapshots decompressed": b"sync_issues",
        "debug.log": b"/rest/api/2/myself HTTP/1.1",
        "stdout": b"succeeded",
        "stderr": b"STEP_FAILURE",
    }.items():
        places = [text for place, text in seen if place.endswith(kind)]
        assert any(known in text for text in places), f"{kind}: {known!r} not among {len(places)} texts"


def test_the_oauth_token_file_has_no_client_secret(synced: tuple[Sandbox, Path]) -> None:
    sandbox, folder = synced
    token_files = list(folder.rglob("jira_oauth.json"))

    assert len(token_files) == ("JIRA_OAUTH_CLIENT_ID" in sandbox.credentials)
    for file in token_files:
        assert "sandbox-refresh-" in file.read_text("utf-8")
        assert sandbox.credentials["JIRA_OAUTH_CLIENT_SECRET"] not in file.read_text("utf-8")


def test_what_a_run_writes_is_private_to_the_user(synced: tuple[Sandbox, Path]) -> None:
    """Whatever the umask: below a directory that only the user may enter, Dagster's own files are out of reach too."""
    _, folder = synced
    data = folder / "data"
    directories = [data, data / "dagster_home", data / "jira_landing"]
    files = [path for each in (data, data / "jira_landing") for path in each.iterdir() if path.is_file()]

    assert {"jira.duckdb", "jira_working.duckdb", "jira_sync.lock"} <= {path.name for path in files}
    assert {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in directories} == {
        str(path): "0o700" for path in directories
    }
    assert {str(path): oct(stat.S_IMODE(path.stat().st_mode)) for path in files} == {
        str(path): "0o600" for path in files
    }


Break = Callable[[Sandbox], object]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "breaks",
    [
        lambda sandbox: sandbox.revoke_credentials(),
        lambda sandbox: sandbox.faults.add("unauthorized", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("captcha", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("forbidden", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("server_error", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("reset_before_headers", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("cut_body", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add("html_page", times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add(Fault("hang", seconds=2), times=None, path="/rest/"),
        lambda sandbox: sandbox.faults.add(Fault("redirect", location="https://x.example.com"), times=None),
        lambda sandbox: sandbox.stop(),
    ],
    ids=["revoked", "401", "captcha", "403", "500", "reset", "cut", "html", "hang", "redirect", "gone"],
)
def test_an_error_its_traceback_and_the_objects_it_concerns_show_no_secret(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str, breaks: Break
) -> None:
    caplog.set_level(logging.DEBUG)
    with site_of(way) as sandbox:
        environ = sandbox.credentials | {"JIRA_OAUTH_TOKEN_FILE": str(tmp_path / "tokens.json")}
        credentials = credentials_from(environ)
        site = connect(credentials, policy=QUICK)
        secrets = secrets_of(sandbox)
        breaks(sandbox)
        with pytest.raises(PipelineError) as caught:
            site.fields()

    objects = [credentials, site, site.transport, site.transport._oauth, site.identity, caught.value, credentials.oauth]
    shown = [*map(repr, objects), str(caught.value), caplog.text, *traceback.format_exception(caught.value)]
    assert [text for text in shown if any(secret.decode() in text for secret in secrets)] == []
    assert "Traceback" in "".join(shown)
    assert "/rest/api/2/myself" in caplog.text


@pytest.mark.parametrize("way", WAYS)
def test_credentials_are_not_sent_to_where_a_redirect_leads(way: str, tmp_path: Path) -> None:
    with site_of(way) as sandbox, Sandbox(SITE, sandbox_flavour(way)) as elsewhere:
        environ = sandbox.credentials | {"JIRA_OAUTH_TOKEN_FILE": str(tmp_path / "tokens.json")}
        site = connect(credentials_from(environ), policy=QUICK)
        address = f"{elsewhere.url}/rest/api/2/field"
        rule = sandbox.faults.add(Fault("redirect", location=address), path="/field", times=None)

        with pytest.raises(NotJira, match=f"redirects to {elsewhere.url}: set JIRA_SERVER"):
            site.fields()

        assert rule.fired == 1
        assert elsewhere.requests == []


def sandbox_flavour(way: str) -> Any:
    return "datacenter" if way == "personal_access_token" else "cloud"


@pytest.mark.parametrize("way", WAYS)
def test_the_resource_shows_names_of_variables_and_no_values(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with site_of(way) as sandbox:
        given, secrets = sandbox.credentials, secrets_of(sandbox)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    resource = jira_resource()

    resolved = JiraResource(**{field: os.environ[value.env_var_name] for field, value in env_vars(resource)})
    shown = [repr(resource), str(resource), repr(resolved), str(resolved)]
    assert [text for text in shown if any(secret.decode() in text for secret in secrets)] == []
    assert given["JIRA_SERVER"] in repr(resolved)


def env_vars(resource: JiraResource) -> list[tuple[str, Any]]:
    found = [(name, getattr(resource, name)) for name in type(resource).model_fields]
    return [(name, value) for name, value in found if hasattr(value, "env_var_name")]

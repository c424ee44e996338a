"""Processes of a Dagster deployment, and the GraphQL by which its UI talks to it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
# For the environment of Dagster's processes: each reads both when it starts.
KEEPING_CONNECTIONS = {"PYTHONPATH": os.pathsep.join([str(_HERE / "quick_processes"), str(_HERE.parents[1])])}
# Pays from the second run of a code server. Threads do not survive a fork.
FORKING_RUNS = KEEPING_CONNECTIONS | {"TESTS_FORK_RUNS": "yes", "OPENBLAS_NUM_THREADS": "1"}

Json = dict[str, Any]
Answer = Any


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is stopped at the end, with all that it has started; what it prints is in `<program>.log`."""
    log = directory / f"{Path(command[0]).name}-{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    except BaseException:
        print(f"--- {' '.join(command)}\n{log.read_text(errors='replace')[-4000:]}")
        raise
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(15)


def eventually(look: Callable[[], Answer], *, seconds: float = 240, every: float = 0.3) -> Answer:
    """What `look` finds as soon as it finds something; fails when it has not after so many seconds."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, f"nothing after {seconds:.0f} s: last was {found!r}"
        time.sleep(every)
    return found


class DagsterServer:
    """A webserver, asked as its own pages ask it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: object) -> Json:
        """The data of an answer; errors of GraphQL fail the test."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        return dict(answer["data"])

    def wait_until_loaded(self) -> None:
        """Until the code location is there without an error."""

        def loaded() -> bool:
            try:
                data = self.ask(
                    "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus locationOrLoadError {"
                    " __typename ... on PythonError { message } } } } } }"
                )
            except OSError:
                return False
            entries = data["workspaceOrError"]["locationEntries"]
            for entry in entries:
                found = entry["locationOrLoadError"]
                assert found is None or found["__typename"] == "RepositoryLocation", found
            return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)

        eventually(loaded)

    def launch(self, job: str, tags: Mapping[str, str], config: Json | None = None) -> str:
        """Launch a run as the Launchpad does; its id."""
        data = self.ask(
            "mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename"
            " ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }"
            " ... on RunConfigValidationInvalid { errors { message } } } }",
            params={
                "selector": {
                    "repositoryLocationName": "jira_pipeline",
                    "repositoryName": "__repository__",
                    "jobName": job,
                },
                "runConfigData": config or {},
                "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
            },
        )["launchRun"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return str(data["run"]["runId"])

    def finished(self, run_id: str) -> str:
        """How a run ended, once it has; prints why if it did not end well."""

        def status() -> str | None:
            data = self.ask("query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id)
            found = str(data["runOrError"]["status"])
            return found if found in ("SUCCESS", "FAILURE", "CANCELED") else None

        found = str(eventually(status))
        if found != "SUCCESS":
            print(self.failures(run_id))
        return found

    def failures(self, run_id: str) -> list[str]:
        """What the steps that failed said, and the run itself."""
        data = self.ask(
            "query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events { __typename"
            " ... on ExecutionStepFailureEvent { stepKey error { message causes { message } } }"
            " ... on RunFailureEvent { message error { message } } } } } }",
            id=run_id,
        )
        events = data["logsForRun"]["events"]
        return [str(event) for event in events if event["__typename"].endswith("FailureEvent")]

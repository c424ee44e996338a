"""How fast issues get from Jira into DuckDB: this pipeline, a straightforward script, and the floor under both.

Every contender runs in a process of its own against the same sandbox, which is a process of its own as well:

* pipeline: sign in, fetch with complete histories, load raw_issues and issue_changes, derive issues, publish;
* script:   jira-python's `search_issues`, rows through pandas, INSERT: no histories beyond 40, no retries, no upsert;
* floor:    the same pages fetched by as many threads, parsed with orjson and dropped. The ranges that divide the work
            evenly are given to it; the pipeline has to find its own.

    python benchmarks/sync.py                      # 20,000 issues, no latency and 250 ms, then memory at 200,000
    python benchmarks/sync.py --issues 2000 --no-memory
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

PAYLOAD_BYTES = 24_000
THREADS = 8
PROJECTS = 4


def main() -> None:
    """Run the contenders and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--issues", type=int, default=20_000)
    parser.add_argument("--memory-issues", type=int, default=200_000)
    parser.add_argument("--no-memory", action="store_true", help="leave out the run that shows how memory grows")
    parser.add_argument("--latencies", type=float, nargs="*", default=[0.0, 0.25])
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--site", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        contend(arguments.contender, json.loads(arguments.site))
        return
    results: dict[float, dict[str, dict[str, float]]] = {}
    for latency in arguments.latencies:
        with SandboxProcess(arguments.issues, latency) as site:
            results[latency] = {name: measured(name, site) for name in ("floor", "pipeline", "script")}
        show(arguments.issues, latency, results[latency])
    if not arguments.no_memory:
        with SandboxProcess(arguments.memory_issues, 0.0) as site:
            large = measured("pipeline", site)
        small = results[arguments.latencies[0]]["pipeline"]
        print(
            f"peak memory of the pipeline: {small['peak_mb']:.0f} MB at {arguments.issues:,} issues, "
            f"{large['peak_mb']:.0f} MB at {arguments.memory_issues:,} "
            f"(ratio {large['peak_mb'] / small['peak_mb']:.2f}; {large['rate']:.0f} issues/s)"
        )


def show(issues: int, latency: float, result: dict[str, dict[str, float]]) -> None:
    """Print one block of the table."""
    print(f"\n{issues:,} issues of {PAYLOAD_BYTES // 1000} KB, {latency * 1000:.0f} ms latency")
    print(f"{'':10}{'wall s':>9}{'CPU s':>9}{'issues/s':>10}{'peak MB':>9}")
    for name, row in result.items():
        print(f"{name:10}{row['wall']:9.1f}{row['cpu']:9.1f}{row['rate']:10.0f}{row['peak_mb']:9.0f}")
    print(
        f"pipeline / script: {result['pipeline']['rate'] / result['script']['rate']:.1f}   "
        f"pipeline / floor: {result['pipeline']['rate'] / result['floor']['rate']:.2f}",
        flush=True,
    )


class SandboxProcess:
    """A sandbox in a process of its own, for as long as the context lasts."""

    def __init__(self, issues: int, latency: float) -> None:
        self._arguments = {"issues": issues, "latency": latency}

    def __enter__(self) -> dict[str, Any]:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--contender", "sandbox", "--site", json.dumps(self._arguments)],
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def measured(contender: str, site: dict[str, Any]) -> dict[str, float]:
    """Run one contender in a process of its own; imports and start-up are outside of its clock."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [sys.executable, __file__, "--contender", contender, "--site", json.dumps(site)],
            cwd=directory,
            env=os.environ | site["credentials"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.splitlines()[-1])


def contend(contender: str, site: dict[str, Any]) -> None:
    """Be a contender, or the sandbox."""
    if contender == "sandbox":
        serve(**site)
        return
    run = {"pipeline": pipeline, "script": script, "floor": floor}[contender]
    run(site, warm_up=True)
    started, cpu = time.perf_counter(), time.process_time()
    issues = run(site, warm_up=False)
    wall = time.perf_counter() - started
    assert issues == site["issues"], f"{contender} got {issues} of {site['issues']} issues"
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {
                "wall": wall,
                "cpu": time.process_time() - cpu,
                "rate": issues / wall,
                "peak_mb": usage.ru_maxrss / 1024,
            }
        )
    )


def serve(issues: int, latency: float) -> None:
    """Serve a generated site; tells its address and ranges of creation that hold equally many issues each."""
    from jira_pipeline.sandbox import Sandbox, generate_site

    site = generate_site(seed=7, issues=issues, projects=PROJECTS, payload_bytes=PAYLOAD_BYTES)
    with Sandbox(site, flavour="cloud", latency_seconds=latency) as sandbox:
        sandbox.prepare()  # renders every issue now, so that the first contender does not pay for it
        print(
            json.dumps(
                {
                    "issues": issues,
                    "url": sandbox.url,
                    "credentials": sandbox.credentials,
                    "ranges": even_ranges(site),
                }
            ),
            flush=True,
        )
        sys.stdin.read()


def even_ranges(site: Any) -> list[tuple[str, int, int]]:
    """JQL ranges (project id, from, to in epoch milliseconds) of about 500 issues each."""
    by_project: dict[str, list[int]] = {}
    for issue in site.issues:
        by_project.setdefault(str(issue.project_id), []).append(issue.created // 60_000 * 60_000)
    ranges = []
    for project, created in by_project.items():
        edges = sorted(set(sorted(created)[::500]))
        ranges += [(project, a, b) for a, b in zip(edges, [*edges[1:], 1 << 42], strict=True)]
    return ranges


def pipeline(site: dict[str, Any], *, warm_up: bool) -> int:
    """This project, as the assets call it."""
    from jira_pipeline.jira.auth import credentials_from
    from jira_pipeline.jira.client import connect
    from jira_pipeline.settings import PipelineConfig, SyncSettings, TrackedProject
    from jira_pipeline.sync.plan import PartitionWindow
    from jira_pipeline.sync.progress import LoggedProgress
    from jira_pipeline.warehouse.database import Warehouse
    from jira_pipeline.warehouse.ingest import ingest
    from jira_pipeline.warehouse.typed_issues import derive_issues

    if warm_up:
        return 0
    jira = connect(credentials_from(os.environ))
    tracked = tuple(TrackedProject(key=project.key) for project in jira.projects())
    warehouse = Warehouse(Path("jira.duckdb").resolve())
    warehouse.prepare()
    day = date(2026, 1, 1)
    ingest(
        jira,
        warehouse,
        PipelineConfig(Path("benchmark.yaml"), day, tracked, sync=SyncSettings(concurrency=THREADS)),
        partitions=PartitionWindow(day, day, is_newest=True),
        run_id="benchmark",
        progress=LoggedProgress(),
    )
    with warehouse.transaction(whole_issues=True) as connection:
        derive_issues(connection)
    warehouse.publish()
    with warehouse.reading() as connection:
        row = connection.execute("SELECT count(*) FROM issues").fetchone()
    return int(row[0]) if row else 0


def script(site: dict[str, Any], *, warm_up: bool) -> int:
    """What somebody writes in an afternoon."""
    import duckdb
    import pandas
    from jira import JIRA

    if warm_up:
        return 0
    jira = JIRA(site["url"], basic_auth=(os.environ["JIRA_EMAIL"], os.environ["JIRA_API_TOKEN"]))
    connection = duckdb.connect("script.duckdb")
    stored = 0
    for project in jira.projects():
        found = jira.search_issues(f'project = "{project.key}" ORDER BY created', maxResults=False, expand="changelog")
        issues = pandas.DataFrame([issue_row(issue) for issue in found])
        changes = pandas.DataFrame([row for issue in found for row in change_rows(issue)])
        for table, frame in (("issues", issues), ("changes", changes)):
            connection.register("frame", frame)
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} AS SELECT * FROM frame LIMIT 0")
            connection.execute(f"INSERT INTO {table} SELECT * FROM frame")
        stored += len(issues)
    connection.close()
    return stored


def issue_row(issue: Any) -> dict[str, Any]:
    """The columns of `issues` from a jira-python object."""
    fields = issue.fields
    return {
        "id": int(issue.id),
        "key": issue.key,
        "project": fields.project.key,
        "summary": fields.summary,
        "description": fields.description,
        "type": fields.issuetype.name,
        "status": fields.status.name,
        "status_category": fields.status.statusCategory.key,
        "priority": str(fields.priority),
        "resolution": str(fields.resolution),
        "assignee": getattr(fields.assignee, "accountId", None),
        "reporter": getattr(fields.reporter, "accountId", None),
        "creator": getattr(fields.creator, "accountId", None),
        "labels": ",".join(fields.labels),
        "components": ",".join(component.name for component in fields.components),
        "fix_versions": ",".join(version.name for version in fields.fixVersions),
        "created": fields.created,
        "updated": fields.updated,
        "resolved": fields.resolutiondate,
        "due": fields.duedate,
        "raw": json.dumps(issue.raw),
    }


def change_rows(issue: Any) -> list[dict[str, Any]]:
    """The columns of `issue_changes` from a jira-python object."""
    return [
        {
            "issue": int(issue.id),
            "history": int(history.id),
            "at": history.created,
            "field": item.field,
            "old": getattr(item, "fromString", None),
            "new": getattr(item, "toString", None),
        }
        for history in issue.changelog.histories
        for item in history.items
    ]


def floor(site: dict[str, Any], *, warm_up: bool) -> int:
    """Fetch and parse; nothing can be faster that reads every issue from the same site with as many threads."""
    import threading

    import orjson
    import requests

    if warm_up:
        return 0
    local = threading.local()

    def walk(span: tuple[str, int, int]) -> set[str]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.auth = (os.environ["JIRA_EMAIL"], os.environ["JIRA_API_TOKEN"])
        project, start, end = span
        body: dict[str, Any] = {
            "jql": f"project = {project} AND created >= {start} AND created < {end} ORDER BY created ASC, key ASC",
            "maxResults": 100,
            "fields": ["*all", "-comment", "-worklog"],
            "expand": "changelog",
        }
        seen: set[str] = set()
        while True:
            page = orjson.loads(local.session.post(f"{site['url']}/rest/api/2/search/jql", json=body).content)
            seen.update(issue["id"] for issue in page["issues"])
            if "nextPageToken" not in page:
                return seen
            body["nextPageToken"] = page["nextPageToken"]

    with ThreadPoolExecutor(THREADS) as pool:
        return len(set().union(*pool.map(walk, site["ranges"])))


if __name__ == "__main__":
    main()

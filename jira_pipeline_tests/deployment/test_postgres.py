"""Dagster's records in PostgreSQL: the services of deploy/compose.yaml as processes, against a real server."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from jira_pipeline.cli.sandbox import recent_site
from jira_pipeline.partitions import newest_partition
from jira_pipeline.sandbox import Sandbox

from .postgres import binaries, postgres_server
from .processes import KEEPING_CONNECTIONS, DagsterServer, accepts, eventually, free_port, running

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROGRAMS = binaries()

pytestmark = [
    pytest.mark.skipif(PROGRAMS is None, reason="no PostgreSQL server here (Debian: apt-get install postgresql)"),
    pytest.mark.skipif(
        importlib.util.find_spec("dagster_postgres") is None, reason="dagster-postgres is not installed"
    ),
]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Mapping[str, str]]:
    assert PROGRAMS is not None
    with postgres_server(PROGRAMS) as variables:
        yield variables


def test_the_services_of_the_compose_file_sync_and_keep_their_records_in_postgres(
    postgres: Mapping[str, str], tmp_path: Path
) -> None:
    """As compose.yaml starts them, but for host names, ports and paths, which containers have to themselves."""
    import psycopg2

    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]
    home = tmp_path / "dagster_home"
    home.mkdir()
    shutil.copy(DEPLOY / "postgres" / "dagster.yaml", home)
    ports = {"4000": str(free_port()), "3000": str(free_port())}
    workspace = (DEPLOY / "postgres" / "workspace.yaml").read_text(encoding="utf-8")
    (home / "workspace.yaml").write_text(
        workspace.replace("host: code", "host: 127.0.0.1").replace("port: 4000", f"port: {ports['4000']}")
    )
    (tmp_path / "jira_pipeline.yaml").write_text(
        f"start_date: {newest_partition()}\ntracked_projects: [{{key: APP}}, {{key: OPS}}]\n"
    )

    def service(name: str) -> tuple[list[str], dict[str, str]]:
        command = [
            ports.get(word, word).replace("0.0.0.0", "127.0.0.1").replace("/dagster_home", str(home))
            for word in compose[name]["command"]
        ]
        command[0] = str(Path(sys.executable).with_name(command[0]))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JIRA_", "DAGSTER_"))}
        return command, {**kept, **KEEPING_CONNECTIONS, **postgres, "DAGSTER_HOME": str(home)}

    with Sandbox(recent_site(seed=5, issues=30, projects=2), flavour="cloud") as sandbox, ExitStack() as stack:
        for name in ("code", "webserver", "daemon"):
            command, environment = service(name)
            if name == "code":
                environment |= {
                    **sandbox.credentials,
                    "JIRA_PIPELINE_CONFIG": str(tmp_path / "jira_pipeline.yaml"),
                    "JIRA_PIPELINE_DATABASE": str(tmp_path / "data" / "jira.duckdb"),
                }
            stack.enter_context(running(command, directory=tmp_path, environment=environment))
            if name == "code":
                eventually(lambda: accepts(int(ports["4000"])))  # the others depend on its being healthy
        server = DagsterServer(int(ports["3000"]))
        server.wait_until_loaded()

        run_id = server.launch("daily_sync", {"dagster/partition": newest_partition().isoformat()})
        assert server.finished(run_id) == "SUCCESS"

        with duckdb.connect(str(tmp_path / "data" / "jira.duckdb"), read_only=True) as published:
            assert published.execute("SELECT count(*) FROM issues").fetchall() == [(30,)]
        connection: Any = psycopg2.connect(
            host=postgres["DAGSTER_POSTGRES_HOST"],
            port=postgres["DAGSTER_POSTGRES_PORT"],
            user=postgres["DAGSTER_POSTGRES_USER"],
            password=postgres["DAGSTER_POSTGRES_PASSWORD"],
            dbname=postgres["DAGSTER_POSTGRES_DB"],
        )
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT status FROM runs WHERE run_id = %s", [run_id])
            assert cursor.fetchall() == [("SUCCESS",)]
            cursor.execute(
                "SELECT count(DISTINCT asset_key) FROM event_logs WHERE run_id = %s "
                "AND dagster_event_type = 'ASSET_MATERIALIZATION'",
                [run_id],
            )
            ((materialized,),) = cursor.fetchall()
        connection.close()
    assert materialized > 10
    assert not list(home.rglob("*.db")), "something is in SQLite"

"""`jira-pipeline demo`: everything at once, on a local sandbox Jira."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from jira_pipeline.cli.execution import run_daily_sync
from jira_pipeline.cli.sandbox import recent_site
from jira_pipeline.cli.sync import check_settings, tell
from jira_pipeline.errors import SettingsError
from jira_pipeline.sandbox import Sandbox
from jira_pipeline.warehouse.database import Warehouse

_DIRECTORY = Path("data") / "demo"


@click.command()
@click.option("--no-ui", is_flag=True, help="Stop after the sync instead of opening the Dagster UI.")
@click.option("--port", default=3000, show_default=True, help="Port of the Dagster UI.")
@click.option("--issues", default=500, show_default=True, help="Issues of the generated site.")
def demo(no_ui: bool, port: int, issues: int) -> None:
    """Sync a local sandbox Jira into a database of its own, show the tables, and open the Dagster UI on them."""
    if not no_ui and not _is_free(port):
        raise SettingsError(f"Port {port} is taken: choose another one for the Dagster UI with --port.")
    console = Console()
    shutil.rmtree(_DIRECTORY, ignore_errors=True)
    _DIRECTORY.mkdir(parents=True)
    with Sandbox(recent_site(seed=1, issues=issues, projects=4), flavour="cloud") as sandbox:
        console.print(f"A sandbox Jira with {issues} issues is at {sandbox.url}.")
        _point_at(sandbox)
        warehouse = check_settings()
        from jira_pipeline.partitions import newest_partition

        day = newest_partition()
        exit_code = tell(run_daily_sync(Console(stderr=True), day, day), warehouse, as_json=False)
        _show_cycle_times(console, warehouse)
        if exit_code or no_ui:
            sys.exit(exit_code)
        _serve_ui(console, port)


def _point_at(sandbox: Sandbox) -> None:
    config = _DIRECTORY / "jira_pipeline.yaml"
    config.write_text((files("jira_pipeline.cli") / "demo.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("JIRA_")]:
        del os.environ[name]
    os.environ.update(sandbox.credentials)
    os.environ["JIRA_PIPELINE_CONFIG"] = str(config.resolve())
    os.environ["JIRA_PIPELINE_DATABASE"] = str((_DIRECTORY / "jira.duckdb").resolve())
    os.environ["JIRA_PIPELINE_DEMO"] = "1"
    os.environ["DAGSTER_HOME"] = str((_DIRECTORY / "dagster_home").resolve())


def _show_cycle_times(console: Console, warehouse: Warehouse) -> None:
    query = (files("jira_pipeline.cli") / "demo.sql").read_text(encoding="utf-8")
    table = Table(title="How long work takes, from its start until it is done (days)", title_justify="left")
    with warehouse.reading() as connection:
        result = connection.execute(query)
        for column in result.description or ():
            table.add_column(column[0], justify="left" if column[0] in ("project", "issue type") else "right")
        for row in result.fetchall():
            table.add_row(*("-" if value is None else str(value) for value in row))
    console.print(table)


def _serve_ui(console: Console, port: int) -> None:
    workspace = _DIRECTORY / "workspace.yaml"
    workspace.write_text(
        "load_from:\n  - python_module: {module_name: jira_pipeline.definitions, location_name: jira_pipeline}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace.name, "-h", "127.0.0.1", "-p", str(port)]
    console.print("Starting the Dagster UI …")
    # Started elsewhere than here: `dagster dev` lets an .env in its working directory win over variables that are set,
    # and the demo would turn to the site in there.
    server = subprocess.Popen([*command, "--log-level", "warning"], cwd=_DIRECTORY)
    try:
        if _wait_until_up(port, server):
            console.print(
                f"\nThe Dagster UI is at [bold]http://127.0.0.1:{port}[/]. Query the tables with any DuckDB client: "
                f"[bold]{_DIRECTORY / 'jira.duckdb'}[/]. Stop with Ctrl-C."
            )
        server.wait()
    except KeyboardInterrupt:
        console.print("\nStopping …")
    finally:
        # Ctrl-C has reached the server as well; a second one must not cut its shutdown short.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        server.terminate()
        server.wait(timeout=30)


def _wait_until_up(port: int, server: subprocess.Popen[bytes]) -> bool:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

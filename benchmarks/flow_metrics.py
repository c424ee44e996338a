"""What the flow metrics cost: from issues and changes generated straight into a database to every mart.

    .venv/bin/python benchmarks/flow_metrics.py                  # 10,000, 100,000 and 1,000,000 issues
    .venv/bin/python benchmarks/flow_metrics.py --issues 1000000 --steps

Per size CPU seconds (all threads, user and system) and peak resident memory of the whole chain on an empty warehouse,
then of the chain after a day on which 1 % of the issues changed: each in a process of its own, as runs of the pipeline
are, and with the pipeline's settings of DuckDB. What the commits write is counted, generating the input is not. 14
changes an issue, 4 of them of status, 120 projects and 8 years at 1,000,000 issues.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from jira_pipeline.warehouse.engine import started_engine, use_attached
from jira_pipeline.warehouse.flow import (
    FLOW_TABLES,
    FlowSettings,
    WorkingCalendar,
    create_flow_tables,
    derive_tables,
)
from jira_pipeline.warehouse.statements import row_count, sql_text

AS_OF = datetime(2026, 11, 1, 6, tzinfo=UTC)
WORKDAY = (("09:00", "17:00"),)
SETTINGS = FlowSettings(
    time_zone="Europe/Berlin",
    waiting=("Waiting for QA",),
    calendar=WorkingCalendar(
        week=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), WORKDAY), days={date(2025, 12, 25): ()}
    ),
)
SIZES = (10_000, 100_000, 1_000_000)

HERE = Path(__file__).parent


def run_chain(connection: duckdb.DuckDBPyConnection, as_of: datetime, *, show_steps: bool) -> float:
    """Derive every table once; returns the CPU seconds that it took."""
    begun = cpu_seconds()
    before, clock = begun, time.perf_counter()

    for table in derive_tables(connection, [table.name for table in FLOW_TABLES], SETTINGS, as_of=as_of):
        if show_steps:
            now, instant, rows = cpu_seconds(), time.perf_counter(), row_count(connection, table.name)
            print(
                f"    {table.name:28}{rows:>12,} rows {now - before:7.2f} CPU s {instant - clock:7.2f} s",
                file=sys.stderr,
            )
            before, clock = now, instant
    return cpu_seconds() - begun


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def peak_megabytes() -> float:
    """Highest resident memory since the last reset (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def connect(path: Path) -> duckdb.DuckDBPyConnection:
    engine = started_engine()
    engine.execute(f"SET GLOBAL temp_directory = '{path.parent}'")
    engine.execute(f"ATTACH '{path}' AS warehouse")
    use_attached(engine, "warehouse")
    return engine


def generate(path: Path, issues: int) -> int:
    """Write the input database; returns the number of changes."""
    connection = connect(path)
    connection.execute(sql_text("schema"))
    create_flow_tables(connection)
    parameters = {"issues": issues, "as_of": AS_OF, "projects": max(3, round(120 * issues / 1e6)), "days": 2920}
    for statement in connection.extract_statements((HERE / "flow_input.sql").read_text()):
        connection.execute(statement, {k: v for k, v in parameters.items() if k in statement.named_parameters} or None)
    row = connection.execute("SELECT count(*) FROM issue_changes").fetchone()
    connection.close()
    return int(row[0]) if row else 0


def let_a_day_pass(path: Path) -> None:
    """Change 1 % of the issues."""
    connection = connect(path)
    for statement in connection.extract_statements((HERE / "flow_next_day.sql").read_text()):
        connection.execute(statement, {"as_of": AS_OF} if "as_of" in statement.named_parameters else None)
    connection.close()


def measured(path: Path, as_of: datetime, *, show_steps: bool) -> dict[str, float]:
    """The chain in a process of its own: its CPU seconds and peak memory."""
    options = ["--measure", str(path), as_of.isoformat(), *(["--steps"] if show_steps else [])]
    command = [sys.executable, __file__, *options]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issues", type=int, action="append", help=f"a size, repeatable; default {SIZES}")
    parser.add_argument("--steps", action="store_true", help="print every table's share")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        path, as_of = options.measure
        spent = run_chain(connect(Path(path)), datetime.fromisoformat(as_of), show_steps=options.steps)
        print(json.dumps({"cpu_s": spent, "peak_mb": peak_megabytes()}))
        return
    print(f"{'issues':>10}{'changes':>12}{'whole chain':>16}{'a 1 % day':>14}{'share':>8}{'peak memory':>14}")
    for size in options.issues or SIZES:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "flow.duckdb"
            changes = generate(path, size)
            whole = measured(path, AS_OF, show_steps=options.steps)
            let_a_day_pass(path)
            day = measured(path, AS_OF + timedelta(days=1), show_steps=options.steps)
        print(
            f"{size:>10,}{changes:>12,}{whole['cpu_s']:>10.1f} CPU s{day['cpu_s']:>8.1f} CPU s"
            f"{day['cpu_s'] / whole['cpu_s']:>8.0%}{max(whole['peak_mb'], day['peak_mb']):>11,.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()

"""What the flow metrics cost: from issues and changes generated straight into a database to every mart.

    .venv/bin/python benchmarks/flow_metrics.py                  # 10,000, 100,000 and 1,000,000 issues
    .venv/bin/python benchmarks/flow_metrics.py --issues 1000000 --steps

Per size, in a process of its own so that peak memory is its own: CPU seconds (all threads, user and system) and peak
resident memory of the whole chain on an empty warehouse, then of the chain after a day on which 1 % of the issues
changed. Generating the input and checkpointing are not counted. 14 changes an issue, 4 of them of status, 120 projects
and 8 years at 1,000,000 issues.
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

from jira_pipeline.warehouse.flow import FLOW_TABLES, FlowSettings, WorkingCalendar, create_flow_tables
from jira_pipeline.warehouse.flow.statements import sql_text

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

GENERATE = """
SELECT setseed(0.42);

INSERT INTO statuses (status_id, name, status_category, is_listed) VALUES
    ('1', 'Backlog', 'new', true), ('2', 'To Do', 'new', true), ('3', 'In Progress', 'indeterminate', true),
    ('4', 'Code Review', 'indeterminate', true), ('5', 'Waiting for QA', 'indeterminate', true),
    ('6', 'QA', 'indeterminate', true), ('7', 'Done', 'done', true), ('8', 'Closed', 'done', true), ('9', 'Blocked', 'indeterminate', true);

INSERT INTO ops.field_roles (role, field_id, rank) VALUES ('sprint', 'customfield_10020', 1),
    ('story_points', 'customfield_10016', 1), ('flagged', 'customfield_10021', 1);

INSERT INTO matched_assignees (user_id, team)
SELECT 'user-' || n, 'team-' || n % 40 FROM range(2000) r(n);

-- The ways issues go: reopenings, detours, skipped work.
CREATE TEMP TABLE paths AS
SELECT path, list_transform(string_split(steps, ''), lambda s: s) AS steps
FROM (VALUES (0, '2367'), (1, '23467'), (2, '234567'), (3, '1234567'), (4, '27'), (5, '23237'), (6, '2346367'),
             (7, '234567378'), (8, '23978'), (9, '2345643467')) v(path, steps);

CREATE TEMP TABLE born AS
SELECT n AS issue_id, hash(n, 1) % $projects AS project,
       $as_of::TIMESTAMPTZ - to_seconds(((n::DOUBLE / $issues) * $days * 86400)::BIGINT + (hash(n, 2) % 86400)::BIGINT) AS created_at,
       hash(n, 3) % 10 AS path,
       (3600 * pow(2, (hash(n, 4) % 1000) / 100.0))::BIGINT AS seconds
FROM range($issues) r(n);

CREATE TEMP TABLE moves AS
SELECT b.issue_id, step, created_at + to_microseconds(((seconds * 1e6 * (step + (hash(issue_id, step, 5) % 100) / 101.0)) / 3)::BIGINT) AS changed_at,
       p.steps[step] AS from_id, p.steps[step + 1] AS to_id
FROM born b JOIN paths p ON p.path = b.path, unnest(range(1, len(p.steps))) u(step)
WHERE changed_at < $as_of;

CREATE TEMP TABLE ended AS
SELECT b.issue_id, coalesce(max(m.changed_at), any_value(b.created_at)) AS ended_at, arg_max(m.to_id, m.step) AS status_id
FROM born b LEFT JOIN moves m ON m.issue_id = b.issue_id GROUP BY b.issue_id;

INSERT INTO issue_changes BY NAME
WITH others AS (
    SELECT b.issue_id, 100 + k AS history_number, b.created_at + (e.ended_at - b.created_at) * ((hash(b.issue_id, k, 6) % 1000) / 1000.0) AS changed_at,
           CASE WHEN h < 15 THEN 'assignee' WHEN h < 22 THEN 'customfield_10020' WHEN h < 25 THEN 'customfield_10021'
                WHEN h < 29 THEN 'customfield_10016' WHEN h < 60 THEN 'Rank' WHEN h < 80 THEN 'labels' ELSE 'description' END AS field_id,
           hash(b.issue_id, k, 7) AS v
    FROM (SELECT *, unnest(range(9)) AS k FROM born) b
    JOIN ended e ON e.issue_id = b.issue_id, LATERAL (SELECT hash(b.issue_id, k, 8) % 100 AS h) l
),
everything AS (
    SELECT issue_id, step AS history_number, changed_at, 'status' AS field_id, from_id AS from_value, s.name AS from_string, to_id AS to_value, t.name AS to_string
    FROM moves m JOIN statuses s ON s.status_id = m.from_id JOIN statuses t ON t.status_id = m.to_id
    UNION ALL
    SELECT issue_id, history_number, changed_at, field_id, NULL, NULL,
           CASE field_id WHEN 'assignee' THEN 'user-' || v % 2000 WHEN 'customfield_10020' THEN ((issue_id * 20) // $issues * 10 + v % 10 + 1)::VARCHAR
                WHEN 'customfield_10021' THEN CASE WHEN v % 2 = 0 THEN '[10019]' END END,
           CASE field_id WHEN 'assignee' THEN 'User ' || v % 2000 WHEN 'customfield_10020' THEN 'Sprint'
                WHEN 'customfield_10021' THEN CASE WHEN v % 2 = 0 THEN 'Impediment' END WHEN 'customfield_10016' THEN (v % 8)::VARCHAR
                ELSE 'text of some length that nobody reads here' END
    FROM others
)
SELECT issue_id, issue_id * 1000 + history_number AS history_id, 0 AS item_index, changed_at, 'user-' || hash(issue_id, 9) % 2000 AS author_id,
       field_id AS field, field_id, from_value, from_string, to_value, to_string
FROM everything ORDER BY issue_id, history_id;

INSERT INTO issues BY NAME
SELECT b.issue_id, 'P' || project || '-' || b.issue_id AS issue_key, (10000 + project)::VARCHAR AS project_id, 'P' || project AS project_key,
       CASE hash(b.issue_id, 10) % 10 WHEN 0 THEN 'Sub-task' WHEN 1 THEN 'Epic' WHEN 2 THEN 'Bug' WHEN 3 THEN 'Bug' ELSE 'Story' END AS issue_type,
       issue_type = 'Sub-task' AS is_subtask, CASE issue_type WHEN 'Sub-task' THEN -1 WHEN 'Epic' THEN 1 ELSE 0 END AS hierarchy_level,
       coalesce(e.status_id, p.steps[1]) AS status_id, s.name AS status, s.status_category,
       'Medium' AS priority, CASE WHEN s.status_category = 'done' THEN CASE WHEN hash(b.issue_id, 11) % 12 = 0 THEN 'Won''t Do' ELSE 'Done' END END AS resolution,
       'user-' || hash(b.issue_id, 12) % 2000 AS assignee_id, (hash(b.issue_id, 13) % 8)::DOUBLE AS story_points,
       created_at, e.ended_at AS updated_at, CASE WHEN s.status_category = 'done' THEN date_trunc('second', e.ended_at) END AS resolved_at, 1 AS load_id
FROM born b JOIN ended e ON e.issue_id = b.issue_id JOIN paths p ON p.path = b.path
JOIN statuses s ON s.status_id = coalesce(e.status_id, p.steps[1]);

INSERT INTO raw_issues BY NAME
SELECT issue_id, issue_key, project_id, project_key, created_at, updated_at, 1 AS load_id, true AS history_complete FROM issues;

INSERT INTO projects (project_id, project_key) SELECT DISTINCT project_id, project_key FROM issues;
"""

# One day later: 1 % of the issues, mostly recent ones as in life, got a change of status.
NEXT_DAY = """
CREATE TEMP TABLE touched AS
SELECT issue_id, i.status_id, i.status, CASE i.status_category WHEN 'done' THEN '3' WHEN 'new' THEN '3' ELSE '7' END AS to_id,
       $as_of::TIMESTAMPTZ + to_seconds((hash(issue_id, 20) % 80000)::BIGINT) AS changed_at
FROM issues i WHERE hash(issue_id, 21) % 100 = 0;

INSERT INTO issue_changes BY NAME
SELECT issue_id, issue_id * 1000 + 900 AS history_id, 0 AS item_index, changed_at, 'user-1' AS author_id, 'status' AS field, 'status' AS field_id,
       t.status_id AS from_value, t.status AS from_string, to_id AS to_value, s.name AS to_string
FROM touched t JOIN statuses s ON s.status_id = t.to_id;

UPDATE issues i SET status_id = t.to_id, status = s.name, status_category = s.status_category, updated_at = t.changed_at, load_id = 2,
    resolved_at = CASE WHEN s.status_category = 'done' THEN date_trunc('second', t.changed_at) END
FROM touched t JOIN statuses s ON s.status_id = t.to_id WHERE i.issue_id = t.issue_id;

UPDATE raw_issues r SET load_id = 2, updated_at = t.changed_at FROM touched t WHERE r.issue_id = t.issue_id;
"""


def run_chain(connection: duckdb.DuckDBPyConnection, as_of: datetime, *, show_steps: bool) -> float:
    """Derive every table once; returns the CPU seconds that it took."""
    begun = cpu_seconds()
    connection.execute("BEGIN")
    for table in FLOW_TABLES:
        before, clock = cpu_seconds(), time.perf_counter()
        rows = table.derive(connection, SETTINGS, as_of=as_of)
        if show_steps:
            spent, elapsed = cpu_seconds() - before, time.perf_counter() - clock
            print(f"    {table.name:28}{rows:>12,} rows {spent:7.2f} CPU s {elapsed:7.2f} s", file=sys.stderr)
    connection.execute("COMMIT")
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
    settings = {"preserve_insertion_order": "false", "python_enable_replacements": "false", "threads": "2"}
    connection = duckdb.connect(
        str(path), config={**settings, "memory_limit": "1200MB", "temp_directory": str(path.parent)}
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def generate(path: Path, issues: int) -> int:
    """Write the input database; returns the number of changes."""
    connection = connect(path)
    connection.execute(sql_text("schema"))
    create_flow_tables(connection)
    parameters = {"issues": issues, "as_of": AS_OF, "projects": max(3, round(120 * issues / 1e6)), "days": 2920}
    for statement in connection.extract_statements(GENERATE):
        connection.execute(statement, {k: v for k, v in parameters.items() if k in statement.named_parameters} or None)
    row = connection.execute("SELECT count(*) FROM issue_changes").fetchone()
    connection.close()
    return int(row[0]) if row else 0


def measure(path: Path, *, show_steps: bool) -> dict[str, float]:
    """The chain on an empty warehouse, then after a day with 1 % changed."""
    connection = connect(path)
    whole = run_chain(connection, AS_OF, show_steps=show_steps)
    whole_memory = peak_megabytes()
    connection.execute("CHECKPOINT")
    for statement in connection.extract_statements(NEXT_DAY):
        connection.execute(statement, {"as_of": AS_OF} if "as_of" in statement.named_parameters else None)
    connection.execute("CHECKPOINT")
    day = run_chain(connection, AS_OF + timedelta(days=1), show_steps=show_steps)
    return {"whole_cpu_s": whole, "day_cpu_s": day, "peak_mb": max(whole_memory, peak_megabytes())}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issues", type=int, action="append", help=f"a size, repeatable; default {SIZES}")
    parser.add_argument("--steps", action="store_true", help="print every table's share")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, show_steps=options.steps)))
        return
    print(f"{'issues':>10}{'changes':>12}{'whole chain':>16}{'a 1 % day':>14}{'share':>8}{'peak memory':>14}")
    for size in options.issues or SIZES:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "flow.duckdb"
            changes = generate(path, size)
            command = [sys.executable, __file__, "--measure", str(path), *(["--steps"] if options.steps else [])]
            answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        share = answer["day_cpu_s"] / answer["whole_cpu_s"]
        print(
            f"{size:>10,}{changes:>12,}{answer['whole_cpu_s']:>10.1f} CPU s{answer['day_cpu_s']:>8.1f} CPU s"
            f"{share:>8.0%}{answer['peak_mb']:>11,.0f} MB",
            flush=True,
        )


if __name__ == "__main__":
    main()

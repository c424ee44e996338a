"""What a process does once that others are forked from, which they then need not do.

Whatever looks at the environment while it is imported, the definitions above all, is left to them.
"""

from __future__ import annotations

import gc
import importlib
import sys
import tempfile
import threading
from pathlib import Path

import duckdb

_REPOSITORY = Path(__file__).resolve().parents[1]
_IMPORTED = (
    "dagster", "dagster_duckdb", "jira", "zstandard", "matplotlib.dates", "matplotlib.figure",
    "matplotlib.backends.backend_agg", "rich.console", "rich.progress",
    "jira_pipeline.cli.demo", "jira_pipeline.cli.init", "jira_pipeline.cli.status", "jira_pipeline.cli.reconcile",
    "jira_pipeline.cli.users", "jira_pipeline.alerts", "jira_pipeline.warehouse.ingest",
    "jira_pipeline.warehouse.typed_issues", "jira_pipeline.warehouse.matching", "jira_pipeline.warehouse.reconcile",
    "jira_pipeline.warehouse.documentation", "jira_pipeline.sync.project_census",
)  # fmt: skip
_LOOK_AT_THE_ENVIRONMENT = ("jira_pipeline.loaded_settings", "jira_pipeline.definitions")


def prepare() -> None:
    """Import and read what takes long, and keep connections to Dagster's SQLite files from now on."""
    for name in _IMPORTED:
        importlib.import_module(name)
    _run_dagster()
    _read_sql()
    duckdb.close()  # the connection that DuckDB 1.5 has had since its import, with a thread that would be missed
    assert not sys.modules.keys() & set(_LOOK_AT_THE_ENVIRONMENT)
    assert threading.active_count() == 1
    gc.freeze()


def _run_dagster() -> None:
    """A job of one step, because much of Dagster is imported by what first needs it."""
    import dagster as dg

    from jira_pipeline_tests.dagster_connections import keep_connections, read_migrations_once

    read_migrations_once()  # connections are kept later only, because those of this job's instance lead nowhere
    nothing = dg.AssetsDefinition.from_op(dg.op(name="nothing")(lambda: None))
    silent = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with tempfile.TemporaryDirectory() as home, dg.DagsterInstance.local_temp(home) as instance:
        dg.materialize([nothing], instance=instance, run_config=silent)
    keep_connections()


def _read_sql() -> None:
    """Of the warehouse, which is kept."""
    from jira_pipeline.warehouse.documentation import documented_tables
    from jira_pipeline.warehouse.statements import statements

    documented_tables()
    one_thread = duckdb.connect(config={"threads": "1"})
    for file in (_REPOSITORY / "jira_pipeline" / "warehouse" / "sql").glob("*.sql"):
        statements(one_thread, file.stem)
    one_thread.close()

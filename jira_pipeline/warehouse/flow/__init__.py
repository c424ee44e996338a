"""Flow metrics: from the changelog of every issue to the tables that people query.

One table, `status_intervals`, is derived from `issues` and `issue_changes`; every other figure is read from it (and
from `field_intervals`, the same for assignee, sprint, story points, flag and project). The SQL lives in
`jira_pipeline/warehouse/sql`, one file a table; the functions here say when to run it and with what. `FLOW_TABLES`
lists the tables in order. Definitions, with formulas and worked examples: docs/metrics.md.

All functions work on a connection whose write lock the caller holds. `derive_tables` commits after each table; all
others work inside the caller's transaction.
"""

from __future__ import annotations

from jira_pipeline.warehouse.flow.catalog import FLOW_TABLES, FlowTable, with_sources
from jira_pipeline.warehouse.flow.cycle_times import derive_cycle_times
from jira_pipeline.warehouse.flow.daily import derive_cycle_time_metrics
from jira_pipeline.warehouse.flow.derivation import derive_tables
from jira_pipeline.warehouse.flow.outdated import few_on_one_thread
from jira_pipeline.warehouse.flow.settings import FlowSettings, ProjectWorkflow, WorkingCalendar
from jira_pipeline.warehouse.flow.status_intervals import (
    derive_field_intervals,
    derive_status_intervals,
    derive_time_in_status,
)
from jira_pipeline.warehouse.flow.tables import create_flow_tables

__all__ = [
    "FLOW_TABLES",
    "FlowSettings",
    "FlowTable",
    "ProjectWorkflow",
    "WorkingCalendar",
    "create_flow_tables",
    "derive_cycle_time_metrics",
    "derive_cycle_times",
    "derive_field_intervals",
    "derive_status_intervals",
    "derive_tables",
    "derive_time_in_status",
    "few_on_one_thread",
    "with_sources",
]

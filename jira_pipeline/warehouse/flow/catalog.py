"""Every flow table: what it is derived from, and how. The order is one in which they can be derived."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

import duckdb

from jira_pipeline.warehouse.flow.cumulative_flow import derive_cumulative_flow
from jira_pipeline.warehouse.flow.cycle_times import derive_cycle_times_only
from jira_pipeline.warehouse.flow.daily import derive_cycle_time_metrics, derive_daily_flow
from jira_pipeline.warehouse.flow.forecasts import derive_forecast_backtest, derive_forecasts
from jira_pipeline.warehouse.flow.marts import bring_mart_forward, derive_mart
from jira_pipeline.warehouse.flow.settings import FlowSettings
from jira_pipeline.warehouse.flow.status_intervals import (
    derive_field_intervals,
    derive_status_intervals,
    derive_time_in_status,
)


class Derive(Protocol):
    """Brings a table up to date inside the caller's transaction."""

    def __call__(self, connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None: ...


@dataclass(frozen=True)
class FlowTable:
    """A derived table, the tables it reads, and the function that derives it."""

    name: str
    reads: tuple[str, ...]
    derive: Derive


def _mart(name: str, *reads: str, derive: Callable[..., None] = derive_mart) -> FlowTable:
    return FlowTable(name, reads, partial(derive, name=name))


FLOW_TABLES: tuple[FlowTable, ...] = (
    FlowTable("status_intervals", ("issues", "issue_changes"), derive_status_intervals),
    FlowTable("time_in_status", ("status_intervals",), derive_time_in_status),
    FlowTable("field_intervals", ("issues", "issue_changes"), derive_field_intervals),
    FlowTable(
        "cycle_times",
        ("issues", "status_intervals", "time_in_status", "field_intervals", "matched_assignees", "projects"),
        derive_cycle_times_only,
    ),
    FlowTable("cycle_time_metrics", ("cycle_times", "status_intervals"), derive_cycle_time_metrics),
    FlowTable("cumulative_flow", ("status_intervals",), derive_cumulative_flow),
    FlowTable("daily_flow", ("cycle_times", "cumulative_flow"), derive_daily_flow),
    _mart("throughput_weekly", "daily_flow"),
    _mart("cycle_time_percentiles", "cycle_times", derive=bring_mart_forward),
    _mart("status_pace", "cycle_times", "status_intervals"),
    _mart("aging_wip", "cycle_times", "status_intervals", "field_intervals", "status_pace", "issues"),
    _mart("flow_efficiency", "cycle_times"),
    _mart("sprints", "raw_issues", "issues"),
    _mart("sprint_issues", "sprints", "field_intervals", "status_intervals", "cycle_times", derive=bring_mart_forward),
    _mart("sprint_report", "sprints", "sprint_issues"),
    FlowTable("forecasts", ("daily_flow",), derive_forecasts),
    FlowTable("forecast_backtest", ("daily_flow",), derive_forecast_backtest),
    _mart("bugs_weekly", "cycle_times"),
    _mart("data_quality", "cycle_times", "status_intervals", "issues", "issue_changes", derive=bring_mart_forward),
    _mart("signals", "aging_wip", "daily_flow", "throughput_weekly", "forecasts", "forecast_backtest"),
)


def with_sources(names: Iterable[str]) -> tuple[FlowTable, ...]:
    """These tables and every one that they are derived from, in an order in which they can be derived.

    Some tables follow changes by the load of an issue: derived from a source that has not seen that load yet, they
    would keep the old figures and take them for new.
    """
    needed = set(names)
    for table in reversed(FLOW_TABLES):
        if table.name in needed:
            needed |= set(table.reads)
    return tuple(table for table in FLOW_TABLES if table.name in needed)

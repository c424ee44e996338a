"""Small pictures for the Dagster UI, where people would rather look than read.

They lie in the event log, so each is a PNG of a few kilobytes. No text of Jira is in them.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from jira_pipeline.warehouse.statements import sql_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAYS = 120
_POINTS = 1500
_INCHES = (7.0, 2.6)
_DOTS_AN_INCH = 90
# Left, bottom, width and height in parts of the picture: room for numbers of seven figures, two lines of dates, and a
# line above. A layout that is computed draws everything twice.
_AXES = (0.1, 0.16, 0.89, 0.75)
_BLUE, _ORANGE, _GREEN, _GREY = "#3b6fb6", "#d9822b", "#4b9560", "#9aa3ad"

Columns = Mapping[str, Any]


def plot_of(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, dg.MarkdownMetadataValue]:
    """The picture of a table as metadata of its materialization; nothing where it has none, or is empty."""
    if table not in _PLOTS:
        return {}
    title, query, draw = _PLOTS[table]
    parameters = {"days": _DAYS, "points": _POINTS}
    statement = connection.extract_statements(sql_text(query))[0]
    columns = connection.execute(
        statement, {name: parameters[name] for name in statement.named_parameters}
    ).fetchnumpy()
    if not len(next(iter(columns.values()))):
        return {}
    picture = base64.b64encode(_png(title, columns, draw)).decode()
    return {"plot": dg.MetadataValue.md(f"![{title}](data:image/png;base64,{picture})")}


def _png(title: str, columns: Columns, draw: Callable[[Axes, Columns], None]) -> bytes:
    # Imported late: it takes a second, and most commands draw nothing. The figure is made without pyplot, whose state
    # is one for the whole process.
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, dpi=_DOTS_AN_INCH)
    axes = figure.add_axes(_AXES)
    draw(axes, columns)
    axes.set_title(title, fontsize=8, loc="left", y=1.0)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylim(bottom=0)
    axes.margins(x=0.01)
    locator = AutoDateLocator(maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_formatter("{x:,.10g}")
    axes.xaxis.get_offset_text().set_fontsize(7)
    axes.legend(fontsize=7, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0, ncols=3)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _created_and_resolved(axes: Axes, columns: Columns) -> None:
    days = columns["metric_date"]
    axes.plot(days, columns["created"], color=_ORANGE, linewidth=1.2, label="created")
    axes.plot(days, columns["resolved"], color=_GREEN, linewidth=1.2, label="resolved")


def _scatter(axes: Axes, columns: Columns) -> None:
    axes.scatter(columns["done_date"], columns["days"], s=7, color=_BLUE, alpha=0.5, linewidths=0)
    for name, style in (("p50", ":"), ("p85", "--"), ("p95", "-")):
        value = columns[name][0]
        axes.axhline(value, color=_GREY, linewidth=1, linestyle=style, label=f"{name[1:]} % within {value} days")


def _bands(axes: Axes, columns: Columns) -> None:
    phases = {"done": _GREEN, "in_progress": _BLUE, "to_do": _GREY}
    axes.stackplot(
        columns["metric_date"],
        *(columns[phase] for phase in phases),
        labels=[phase.replace("_", " ") for phase in phases],
        colors=list(phases.values()),
    )


_PLOTS: Mapping[str, tuple[str, str, Callable[[Axes, Columns], None]]] = {
    "cycle_time_metrics": ("Issues created and resolved per day", "plot_created_resolved", _created_and_resolved),
    "cycle_times": ("Days from start to done", "plot_cycle_times", _scatter),
    "cumulative_flow": ("Issues by phase at the end of each day", "plot_cumulative_flow", _bands),
}

"""Monte Carlo forecasts from past daily throughput, and how past forecasts would have held.

Each simulated future draws its days, with replacement, from the last complete days of the project, days without any
delivery included (Vacanti; Lighthouse and flowmetrics do the same). "How many" at 85 % is what 85 % of the futures
reach at least; "when" at 85 % is the day by which 85 % of the futures are done.

Holidays of the calendar (dates without working time) say nothing about other days and see no work: they are left out of
the days that are drawn from, and nothing is drawn for those to come.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import duckdb
import numpy as np
import numpy.typing as npt

from jira_pipeline.warehouse.flow.days import last_complete_day
from jira_pipeline.warehouse.flow.settings import FlowSettings

HISTORY_DAYS = 90
HORIZON_DAYS = 30
TRIALS = 2_000
BACKTEST_TRIALS = 1_000
BACKTEST_MONTHS = 12
SEED = 20_240_229
PERCENTILES = (50, 70, 85, 95)
ITEMS = (10, 20, 30, 50, 100)
FARTHEST_DAYS = 730

# Half as wide as usual: what is drawn for a project then still fits into the fast caches.
Counts = npt.NDArray[np.int32]

INSERT_FORECASTS = """
INSERT INTO forecasts BY NAME SELECT unnest(from_json($rows, '[{"project_key": "VARCHAR", "kind": "VARCHAR",
    "horizon_days": "INTEGER", "items": "BIGINT", "items_meaning": "VARCHAR", "percentile": "INTEGER",
    "value": "BIGINT",
    "forecast_date": "DATE", "trials": "INTEGER", "seed": "BIGINT", "history_days": "INTEGER", "problem": "VARCHAR"}]'),
    recursive := true)
"""
INSERT_BACKTEST = """
INSERT INTO forecast_backtest BY NAME SELECT unnest(from_json($rows, '[{"project_key": "VARCHAR",
    "cutoff_date": "DATE", "horizon_days": "INTEGER", "promised_p85": "BIGINT", "actual_issues": "BIGINT",
    "held": "BOOLEAN"}]'), recursive := true)
"""


def derive_forecasts(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Rebuild `forecasts`: the next 30 days, and when 10 to 100 further issues and all work in progress will be done.

    A project whose sampled days saw no delivery has rows with a `problem` instead of a value. The same tables and
    `as_of` give the same figures, whichever other projects there are: the generator is seeded.
    """
    last_day = last_complete_day(settings, as_of)
    holidays = _holidays(settings)
    to_come = _open_days(last_day, FARTHEST_DAYS, holidays)
    connection.execute("DELETE FROM forecasts")
    rows: list[dict[str, object]] = []
    for key, history in _histories(connection, last_day, holidays).items():
        rows += _project_forecasts(key, history.open_days(last_day)[-HISTORY_DAYS:], history.wip, last_day, to_come)
    connection.execute(INSERT_FORECASTS, {"rows": json.dumps(rows, default=str)})


def derive_forecast_backtest(connection: duckdb.DuckDBPyConnection, settings: FlowSettings, *, as_of: datetime) -> None:
    """Rebuild `forecast_backtest`: for each of the last twelve month ends whose 30 days are over, promise and outcome.

    A cutoff needs 90 days of history before it; it sees the deliveries as they are known today.
    """
    last_day = last_complete_day(settings, as_of)
    holidays = _holidays(settings)
    horizons = {
        cutoff: len(_open_days(cutoff, HORIZON_DAYS, holidays))
        for cutoff in _month_ends(last_day - timedelta(days=HORIZON_DAYS))
    }
    connection.execute("DELETE FROM forecast_backtest")
    rows: list[dict[str, object]] = []
    for key, history in _histories(connection, last_day, holidays).items():
        known = {cutoff: history.open_days(cutoff)[-HISTORY_DAYS:] for cutoff in horizons}
        cutoffs = [cutoff for cutoff, daily in known.items() if len(daily) == HISTORY_DAYS]
        if not cutoffs:
            continue
        futures = how_many(
            np.column_stack([known[cutoff] for cutoff in cutoffs]),
            [horizons[cutoff] for cutoff in cutoffs],
            BACKTEST_TRIALS,
        )
        for number, cutoff in enumerate(cutoffs):
            (promised,) = at_least(futures[:, number], [85])
            actual = history.delivered_within(cutoff, HORIZON_DAYS)
            rows.append({
                "project_key": key, "cutoff_date": cutoff, "horizon_days": HORIZON_DAYS, "promised_p85": promised,
                "actual_issues": actual, "held": actual >= promised,
            })  # fmt: skip
    connection.execute(INSERT_BACKTEST, {"rows": json.dumps(rows, default=str)})


def how_many(daily: Counts, days: Sequence[int], trials: int) -> Counts:
    """Issues delivered in so many days, at most `HORIZON_DAYS`, in each of `trials` futures drawn from `daily`.

    `daily` has one or more columns, histories of the same length, with as many `days`; so has the answer, all from the
    same draws.
    """
    drawn = daily.take(_drawn(len(daily), trials), axis=0)
    for column, horizon in enumerate(days):
        drawn[horizon:, :, column] = 0
    return np.asarray(drawn.sum(axis=0, dtype=np.int32))


def days_until(daily: Counts, items: Sequence[int], percents: Sequence[int], trials: int) -> list[list[int]]:
    """Within how many days each number of `items` is delivered in so many percent of the futures (nearest rank): a list
    for each number; more than `FARTHEST_DAYS` when not by then."""
    enough = [_rank(percent, trials) for percent in percents]
    answer = np.full((len(items), len(percents)), FARTHEST_DAYS + 1)
    delivered = np.zeros(trials, dtype=np.int32)
    for begin in range(0, FARTHEST_DAYS, HORIZON_DAYS):
        reached = daily.take(_drawn(len(daily), trials, since=begin))
        for day in reached:  # four times as fast as cumsum() down the columns
            day += delivered
            delivered = day
        most = delivered.max()
        for number, target in enumerate(items):
            if target <= most and answer[number].max() > begin:
                # At the end of each day; never fewer than before. 16 bits hold 65,535 futures, twice as fast as 32.
                done = (reached >= target).sum(axis=1, dtype=np.uint16)
                place = np.searchsorted(done, enough)
                days = np.where(place < HORIZON_DAYS, begin + 1 + place, FARTHEST_DAYS + 1)
                np.minimum(answer[number], days, out=answer[number])
        if answer.max() <= FARTHEST_DAYS:
            break
    return answer.tolist()


@lru_cache(maxsize=32)
def _drawn(known: int, trials: int, *, since: int = 0) -> npt.NDArray[np.intp]:
    """Which of the known days each future repeats on `HORIZON_DAYS` days, those after the first `since`; a row a day.

    The same for all projects, of which no two are ever added up: drawing costs ten times what is done with it.
    """
    # Python's generator, not numpy's: numpy's may draw otherwise from one release to the next.
    generator = random.Random(f"{SEED} {known} {since}")
    drawn_32_bits = np.frombuffer(generator.randbytes(4 * HORIZON_DAYS * trials), dtype="<u4")
    drawn = (drawn_32_bits.astype(np.uint64) * known >> 32).astype(np.intp).reshape(HORIZON_DAYS, trials)
    drawn.flags.writeable = False
    return drawn


def at_least(futures: Counts, percents: Sequence[int]) -> list[int]:
    """The greatest values that at least so many percent of the futures reach (nearest rank from above)."""
    falling = np.sort(futures)[::-1]
    return [int(falling[_rank(percent, len(futures)) - 1]) for percent in percents]


def _rank(percent: int, trials: int) -> int:
    """How many of the futures are `percent` percent, the last one counted whole."""
    return -(-percent * trials // 100)


def _project_forecasts(
    key: str, daily: Counts, wip: int, last_day: date, to_come: Sequence[date]
) -> list[dict[str, object]]:
    common = {"project_key": key, "trials": TRIALS, "seed": SEED, "history_days": len(daily)}
    targets = [(count, "fixed number") for count in ITEMS] + ([(wip, "wip")] if wip > 0 else [])
    if not daily.any():
        nothing = {**common, "value": None, "forecast_date": None, "problem": "no_throughput"}
        return [
            {**nothing, "kind": "how_many", "horizon_days": HORIZON_DAYS},
            *({**nothing, "kind": "when", "items": count, "items_meaning": meaning} for count, meaning in targets),
        ]
    rows: list[dict[str, object]] = []
    until = last_day + timedelta(days=HORIZON_DAYS)
    futures = how_many(daily[:, None], [bisect_right(to_come, until)], TRIALS)[:, 0]
    for percent, value in zip(PERCENTILES, at_least(futures, PERCENTILES), strict=True):
        rows.append({
            **common, "kind": "how_many", "horizon_days": HORIZON_DAYS, "percentile": percent,
            "value": value, "forecast_date": until,
        })  # fmt: skip
    waits = days_until(daily, [count for count, _ in targets], PERCENTILES, TRIALS)
    for (count, meaning), days_at in zip(targets, waits, strict=True):
        for percent, days in zip(PERCENTILES, days_at, strict=True):
            done = to_come[days - 1] if days <= len(to_come) else None
            rows.append({
                **common, "kind": "when", "items": count, "items_meaning": meaning, "percentile": percent,
                "value": (done - last_day).days if done else None, "forecast_date": done,
                "problem": None if done else "beyond_two_years",
            })  # fmt: skip
    return rows


@dataclass(frozen=True)
class _History:
    """What a project delivered on each of the days up to `last_day`, oldest first, which of them were no holidays, and
    the present work in progress."""

    last_day: date
    delivered: Counts
    is_open: npt.NDArray[np.bool_]
    wip: int

    def open_days(self, until: date) -> Counts:
        """Deliveries of the days that were no holidays, up to `until`."""
        known = self._place(until)
        return self.delivered[:known][self.is_open[:known]]

    def delivered_within(self, after: date, days: int) -> int:
        """Deliveries of the `days` days after a day, holidays too."""
        begin = self._place(after)
        return int(self.delivered[begin : begin + days].sum())

    def _place(self, day: date) -> int:
        return max(0, len(self.delivered) - (self.last_day - day).days)


def _holidays(settings: FlowSettings) -> frozenset[date]:
    days = settings.calendar.days if settings.calendar else {}
    return frozenset(day for day, spans in days.items() if not spans)


def _open_days(after: date, days: int, holidays: frozenset[date]) -> list[date]:
    """Of the `days` days after a day those that are no holidays."""
    every = (after + timedelta(days=number) for number in range(1, days + 1))
    return [day for day in every if day not in holidays]


def _histories(connection: duckdb.DuckDBPyConnection, last_day: date, holidays: frozenset[date]) -> dict[str, _History]:
    most_days = HISTORY_DAYS + HORIZON_DAYS + 31 * (BACKTEST_MONTHS + 1)
    since = last_day - timedelta(days=most_days)
    is_open = np.array([since + timedelta(days=number) not in holidays for number in range(1, most_days + 1)])
    columns = connection.execute(
        """
        SELECT project_key, list(delivered_issues::INTEGER ORDER BY metric_date) AS delivered,
               arg_max(wip_clock, metric_date) AS wip
        FROM daily_flow WHERE metric_date > $since GROUP BY project_key ORDER BY project_key
        """,
        {"since": since},
    ).fetchnumpy()  # to make Python's numbers of them takes longer than the query
    return {
        key: _History(last_day, delivered, is_open[-len(delivered) :], int(wip))
        for key, delivered, wip in zip(*columns.values(), strict=True)
    }


def _month_ends(latest: date) -> list[date]:
    """The last `BACKTEST_MONTHS` ends of months that are not after `latest`."""
    ends: list[date] = []
    first = (latest + timedelta(days=1)).replace(day=1)
    while len(ends) < BACKTEST_MONTHS:
        ends.append(first - timedelta(days=1))
        first = (first - timedelta(days=1)).replace(day=1)
    return ends

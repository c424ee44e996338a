"""Monte Carlo forecasts: nearest ranks of seeded futures, and whether past ones held."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from jira_pipeline.warehouse.flow import FlowSettings, WorkingCalendar
from jira_pipeline.warehouse.flow.forecasts import (
    _drawn,
    at_least,
    days_until,
    derive_forecast_backtest,
    derive_forecasts,
    how_many,
)
from jira_pipeline_tests.warehouse.flow.conftest import AS_OF, FlowWarehouse


def put_deliveries(warehouse: FlowWarehouse, daily: list[int], last_day: date) -> None:
    """A project that delivered `daily` issues on consecutive days, the last of which is `last_day`."""
    first = last_day - timedelta(days=len(daily) - 1)
    rows = [("P", first + timedelta(days=number), count, 7) for number, count in enumerate(daily)]
    warehouse.connection.executemany(
        "INSERT INTO daily_flow (project_key, metric_date, delivered_issues, wip_clock) VALUES (?, ?, ?, ?)", rows
    )


def derive(warehouse: FlowWarehouse, settings: FlowSettings = FlowSettings()) -> None:  # noqa: B008 - frozen
    derive_forecasts(warehouse.connection, settings, as_of=AS_OF)
    derive_forecast_backtest(warehouse.connection, settings, as_of=AS_OF)


YESTERDAY = date(2024, 6, 29)


def test_a_steady_project_is_forecast_exactly(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [2] * 90, YESTERDAY)
    derive(warehouse)
    how_many_rows = warehouse.rows("SELECT percentile, value, forecast_date FROM forecasts WHERE kind = 'how_many'")
    assert sorted(how_many_rows) == [(p, 60, date(2024, 7, 29)) for p in (50, 70, 85, 95)]
    when = warehouse.rows(
        "SELECT DISTINCT items, items_meaning, value, forecast_date FROM forecasts WHERE kind = 'when'"
    )
    assert sorted(when) == [
        (7, "wip", 4, date(2024, 7, 3)),
        (10, "fixed number", 5, date(2024, 7, 4)),
        (20, "fixed number", 10, date(2024, 7, 9)),
        (30, "fixed number", 15, date(2024, 7, 14)),
        (50, "fixed number", 25, date(2024, 7, 24)),
        (100, "fixed number", 50, date(2024, 8, 18)),
    ]


def test_more_confidence_promises_less_and_later(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [0, 0, 5, 1, 0, 2] * 15, YESTERDAY)
    derive(warehouse)
    less = [v for (v,) in warehouse.rows("SELECT value FROM forecasts WHERE kind = 'how_many' ORDER BY percentile")]
    later = [v for (v,) in warehouse.rows("SELECT value FROM forecasts WHERE items = 30 ORDER BY percentile")]
    assert less == sorted(less, reverse=True)
    assert less[0] > less[-1]
    assert later == sorted(later)
    assert later[0] < later[-1]


def test_the_same_history_gives_the_same_figures(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [0, 3, 1] * 40, YESTERDAY)
    derive(warehouse)
    once = warehouse.table("forecasts")
    derive(warehouse)
    assert warehouse.table("forecasts") == once


def test_a_project_without_deliveries_says_so(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [5] * 10 + [0] * 90, YESTERDAY)
    derive(warehouse)
    assert warehouse.rows("SELECT DISTINCT value, problem FROM forecasts") == [(None, "no_throughput")]


def test_what_takes_longer_than_two_years_has_no_date(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [1] + [0] * 89, YESTERDAY)
    derive(warehouse)
    rows = warehouse.rows("SELECT DISTINCT value, forecast_date, problem FROM forecasts WHERE items = 100")
    assert rows == [(None, None, "beyond_two_years")]


def test_the_backtest_holds_for_a_steady_project_and_not_for_one_that_stopped(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [2] * 300 + [0] * 60, YESTERDAY)
    derive(warehouse)
    held = warehouse.rows("SELECT cutoff_date, promised_p85, actual_issues, held FROM forecast_backtest ORDER BY 1")
    assert held[0] == (date(2023, 10, 31), 60, 60, True)
    assert held[-1] == (date(2024, 4, 30), 60, 0, False)
    assert len(held) == 7


HOLIDAYS = [date(2024, 4, 1), date(2024, 4, 2), date(2024, 5, 1), date(2024, 7, 1), date(2024, 7, 4)]
CALENDAR = WorkingCalendar({"mon": (("09:00", "17:00"),)}, dict.fromkeys(HOLIDAYS, ()))


def steady_but_for_holidays(warehouse: FlowWarehouse) -> None:
    days = [YESTERDAY - timedelta(days=number) for number in range(299, -1, -1)]
    put_deliveries(warehouse, [0 if day in HOLIDAYS else 2 for day in days], YESTERDAY)


def test_holidays_are_not_drawn_from_and_see_no_work(warehouse: FlowWarehouse) -> None:
    steady_but_for_holidays(warehouse)
    derive(warehouse, FlowSettings(calendar=CALENDAR))
    assert warehouse.rows(
        "SELECT DISTINCT value, forecast_date, history_days FROM forecasts WHERE kind = 'how_many'"
    ) == [(2 * (30 - 2), date(2024, 7, 29), 90)]
    when = warehouse.rows("SELECT DISTINCT items, value, forecast_date FROM forecasts WHERE items <= 20 ORDER BY 1")
    assert when == [(7, 6, date(2024, 7, 5)), (10, 7, date(2024, 7, 6)), (20, 12, date(2024, 7, 11))]


def test_past_promises_knew_the_holidays_too(warehouse: FlowWarehouse) -> None:
    steady_but_for_holidays(warehouse)
    derive(warehouse, FlowSettings(calendar=CALENDAR))
    promised = dict(warehouse.rows("SELECT cutoff_date, promised_p85 FROM forecast_backtest WHERE held"))
    assert promised.keys() >= {date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30)}
    assert [promised[day] for day in (date(2024, 2, 29), date(2024, 3, 31), date(2024, 4, 30))] == [60, 56, 58]


def test_a_date_with_other_hours_is_no_holiday(warehouse: FlowWarehouse) -> None:
    put_deliveries(warehouse, [2] * 90, YESTERDAY)
    short = WorkingCalendar({}, {date(2024, 7, 1): (("09:00", "12:00"),)})
    derive(warehouse, FlowSettings(calendar=short))
    assert warehouse.rows("SELECT DISTINCT value FROM forecasts WHERE kind = 'how_many'") == [(60,)]


def test_a_sound_history_holds_in_about_85_percent_of_forecasts() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(300):
        past, future = generator.poisson(1.5, 90), generator.poisson(1.5, 30)
        (promised,) = at_least(how_many(past[:, None], [30], 1000)[:, 0], [85])
        held += int(future.sum() >= promised)
    assert 0.75 < held / 300 < 0.92


def test_each_history_is_drawn_from_for_its_own_number_of_days() -> None:
    together = how_many(np.array([[1, 2], [1, 0]]), [30, 28], 200)
    assert together[:, 0].tolist() == [30] * 200
    assert together[:, 1].tolist() == how_many(np.array([[2], [0]]), [28], 200)[:, 0].tolist()
    assert set(together[:, 1].tolist()) <= set(range(0, 57, 2))
    assert 24 < together[:, 1].mean() < 32


def test_the_same_days_are_drawn_on_every_machine() -> None:
    assert _drawn(90, 5)[0].tolist() == [45, 69, 67, 57, 13]
    assert _drawn(90, 5, since=30)[0].tolist() == [40, 23, 10, 50, 87]
    assert set(_drawn(7, 100).ravel().tolist()) == set(range(7))


def test_ranks_are_nearest() -> None:
    futures = np.array([3, 1, 2, 10, 9, 8, 7, 6, 5, 4])
    assert at_least(futures, [50, 70, 85, 95, 100]) == [6, 4, 2, 1, 1]


def test_days_until_counts_the_day_of_delivery() -> None:
    days = days_until(np.array([1]), [1, 30, 31, 730, 731], [50, 100], 3)
    assert days == [[1, 1], [30, 30], [31, 31], [730, 730], [731, 731]]


def test_days_until_are_the_nearest_ranks_of_all_futures() -> None:
    """Counted one future after the other from the same draws."""
    daily, items, percents, trials = np.array([0, 0, 1, 4]), [1, 5, 40], [10, 50, 85, 95], 60
    futures = np.concatenate([daily[_drawn(4, trials, since=begin)] for begin in (0, 30, 60)]).cumsum(axis=0)
    waits = [sorted(int((future < count).sum()) + 1 for future in futures.T) for count in items]
    ranks = [-(-percent * trials // 100) - 1 for percent in percents]
    assert days_until(daily, items, percents, trials) == [[wait[rank] for rank in ranks] for wait in waits]
    assert max(waits[-1]) <= 90

"""The working calendar as spans of instants with a running sum, so that SQL gets working hours by two look-ups."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb

from jira_pipeline.warehouse.flow.settings import WEEKDAYS, WorkingCalendar

CREATE = """
CREATE OR REPLACE TEMP TABLE work_spans AS
SELECT make_timestamptz(begins_us) AS begins_at, make_timestamptz(ends_us) AS ends_at, us_before
FROM (SELECT unnest(from_json($spans, '[{"begins_us": "BIGINT", "ends_us": "BIGINT", "us_before": "BIGINT"}]'),
                    recursive := true))
"""


def load_work_spans(
    connection: duckdb.DuckDBPyConnection, calendar: WorkingCalendar | None, time_zone: str, first: date, last: date
) -> None:
    """Fill the temporary table `work_spans` (begins_at, ends_at, us_before) with the days from `first` to `last`.

    us_before is the working time since `first`: the working time between two instants inside is the difference of
    us_before plus what is inside their own spans. Without a calendar the table is empty.
    """
    spans: list[dict[str, object]] = []
    worked = 0
    if calendar is not None:
        zone = ZoneInfo(calendar.time_zone or time_zone)
        day = first
        while day <= last:
            for begin, end in sorted(calendar.days.get(day, calendar.week.get(WEEKDAYS[day.weekday()], ()))):
                begins, ends = _instant(day, begin, zone), _instant(day, end, zone)
                spans.append({"begins_us": begins, "ends_us": ends, "us_before": worked})
                worked += ends - begins
            day += timedelta(days=1)
    connection.execute(CREATE, {"spans": json.dumps(spans)})


def _instant(day: date, clock: str, zone: ZoneInfo) -> int:
    """Microseconds since 1970 of a local time of day: a span over a change of the clock gets its true length."""
    hour, minute = (int(part) for part in clock.split(":"))
    local = datetime.combine(day, time(), zone) + timedelta(days=hour // 24, hours=hour % 24, minutes=minute)
    return round(local.timestamp() * 1_000_000)

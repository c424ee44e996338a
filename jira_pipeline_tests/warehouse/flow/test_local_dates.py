"""The dates of millions of instants are those that the time zone itself gives."""

from __future__ import annotations

import duckdb
import pytest

from jira_pipeline.warehouse.statements import run_sql

ZONES = (
    "UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca", "America/Los_Angeles",
    "Pacific/Apia", "Pacific/Kiritimati",
)  # fmt: skip
# A hundred years, each day 17 minutes later, so that all times of day occur; every minute around the day that Apia
# left out.
INSTANTS = """
CREATE TABLE instants AS
FROM generate_series(TIMESTAMPTZ '1960-01-01', TIMESTAMPTZ '2060-01-01', INTERVAL '1 day 17 minutes') s(instant)
UNION ALL FROM generate_series(TIMESTAMPTZ '2011-12-28', TIMESTAMPTZ '2012-01-02', INTERVAL '1 minute')
UNION ALL SELECT NULL
"""
DIFFERENT = """
WITH dated AS (
    SELECT local_date(i.instant, $zone) AS expected,
           local_date_among(i.instant, $zone, o.least_us, o.greatest_us) AS found
    FROM instants i CROSS JOIN utc_offsets($zone) o
)
SELECT count(*), count(*) FILTER (found IS DISTINCT FROM expected), count(DISTINCT expected) > 36000 FROM dated
"""


@pytest.mark.parametrize("zone", ZONES)
def test_the_date_of_one_of_many_instants_is_the_date_in_the_zone(zone: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")  # that of the session has no say in it
        run_sql(connection, "flow_macros")
        connection.execute(INSTANTS)
        rows, different, are_many = connection.execute(DIFFERENT, {"zone": zone}).fetchall()[0]
    assert (rows > 43_000, different, are_many) == (True, 0, True)

-- Arithmetic on instants that depends neither on the session's time zone nor on boundaries being crossed
-- (date_diff counts boundaries: 09:00:00.900 to 10:00:00.000 would be a whole hour).

CREATE MACRO hours_between(earlier, later) AS (epoch_us(later) - epoch_us(earlier)) / 3600000000.0::DOUBLE;

CREATE MACRO local_date(instant, zone) AS CAST(timezone(zone, instant) AS DATE);

-- The same for millions of instants: the zone is asked, at ten times the price, only where its least and its greatest offset from
-- UTC lead to two days: utc_offsets(zone); no zone has kept an offset for less than a week.
CREATE MACRO utc_offsets(zone) AS TABLE
SELECT min(offset_us) AS least_us, max(offset_us) AS greatest_us
FROM (SELECT epoch_us(timezone(zone, instant)) - epoch_us(instant) AS offset_us
      FROM generate_series(TIMESTAMPTZ '1880-01-01 00:00:00+00', TIMESTAMPTZ '2100-01-01 00:00:00+00', INTERVAL 7 DAY) s(instant));
CREATE MACRO date_ahead(instant, offset_us) AS CAST(make_timestamp(epoch_us(instant) + offset_us) AS DATE);
CREATE MACRO local_date_among(instant, zone, least_us, greatest_us) AS
    CASE WHEN date_ahead(instant, least_us) = date_ahead(instant, greatest_us) THEN date_ahead(instant, least_us)
         ELSE local_date(instant, zone) END;

-- Both days counted: the same day is 1 (Vacanti).
CREATE MACRO days_inclusive(first_day, last_day) AS CAST(last_day - first_day + 1 AS INTEGER);

-- Sums that do not depend on the order of the rows: a sum of DOUBLEs differs in its last bits from run to run.
CREATE MACRO in_microseconds(hours) AS CAST(hours * 3600000000.0::DOUBLE AS BIGINT);
CREATE MACRO in_hours(microseconds) AS microseconds / 3600000000.0::DOUBLE;
CREATE MACRO exact(points) AS CAST(points AS DECIMAL(18, 4));

-- Whether the daily rows of a project cannot be brought forward: they begin on another day than before, or hold sums of points
-- beyond some 10^11, up to which a double is exact to four decimals.
CREATE MACRO is_counted_wholly(former_first_day, first_day, most_points) AS
    former_first_day IS DISTINCT FROM first_day OR most_points > 1e11;

-- Where a stay comes from. Of a constant, so that the text is looked up once and not in every row.
CREATE MACRO as_origin(name) AS CAST(name AS ENUM ('created', 'change', 'clamped', 'tail'));

CREATE MACRO folded(name) AS lower(trim(name));

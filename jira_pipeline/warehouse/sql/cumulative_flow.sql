-- cumulative_flow from nothing: +1 on the day a stay begins, -1 on the day it ends, running sums. Never issue by day.
-- $last_day: the last complete local day.

DELETE FROM cumulative_flow;
DELETE FROM ops.cumulative_flow_changes;

-- A cell is a band of one project's chart; numbered, so that everything below goes by integers.
CREATE OR REPLACE TEMP TABLE cells AS
SELECT row_number() OVER ()::INTEGER AS cell, *
FROM (SELECT DISTINCT project_key, status_id, status, status_category, phase FROM status_intervals WHERE counts_in_flow);

-- Both ends of a stay in one pass: a UNION of the two would keep all stays in between.
CREATE OR REPLACE TEMP TABLE stay_events AS
WITH events AS (
    SELECT c.cell, unnest([s.entered_date, s.left_date]) AS metric_date, unnest([1, -1]) AS delta
    FROM status_intervals s
    JOIN cells c
      ON c.project_key = s.project_key AND c.status_id IS NOT DISTINCT FROM s.status_id
     AND c.status IS NOT DISTINCT FROM s.status AND c.status_category = s.status_category AND c.phase = s.phase
    WHERE s.counts_in_flow
)
-- Added up as DOUBLE, here and below: exact for whole numbers, at half the price of the wide integers that sum() takes otherwise.
SELECT cell, metric_date, sum(delta::DOUBLE)::INTEGER AS delta
FROM events
WHERE metric_date IS NOT NULL
GROUP BY cell, metric_date;

INSERT INTO ops.cumulative_flow_changes BY NAME
SELECT c.* EXCLUDE (cell), e.metric_date, e.delta
FROM stay_events e JOIN cells c ON c.cell = e.cell
WHERE e.metric_date > $last_day AND e.delta <> 0;

-- Levels from event to event; between two of them every day has the level of the first.
INSERT INTO cumulative_flow BY NAME
WITH levels AS (
    SELECT cell, metric_date,
           sum(delta::DOUBLE) OVER (by_cell ROWS UNBOUNDED PRECEDING) AS issues,
           coalesce(lead(metric_date) OVER by_cell, $last_day + 1) AS next_date
    FROM stay_events
    WHERE metric_date <= $last_day
    WINDOW by_cell AS (PARTITION BY cell ORDER BY metric_date)
),
days AS (
    SELECT cell, issues, metric_date + unnest(range(next_date - metric_date))::INTEGER AS metric_date
    FROM levels
    WHERE issues <> 0
)
SELECT d.metric_date, c.* EXCLUDE (cell), d.issues::BIGINT AS issues
FROM days d
JOIN cells c ON c.cell = d.cell;

DROP TABLE stay_events;
DROP TABLE cells;

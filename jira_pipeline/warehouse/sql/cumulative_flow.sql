-- cumulative_flow from nothing: +1 on the day a stay begins, -1 on the day it ends, running sums. Never issue by day.
-- $last_day: the last complete local day.

DELETE FROM cumulative_flow;
DELETE FROM ops.cumulative_flow_changes;

CREATE OR REPLACE TEMP TABLE stay_events AS
SELECT project_key, status_id, status, status_category, phase, entered_date AS metric_date, count(*) AS delta
FROM status_intervals WHERE counts_in_flow
GROUP BY ALL
UNION ALL
SELECT project_key, status_id, status, status_category, phase, left_date, -count(*)
FROM status_intervals WHERE counts_in_flow AND left_date IS NOT NULL
GROUP BY ALL;

INSERT INTO ops.cumulative_flow_changes BY NAME
SELECT * FROM stay_events WHERE metric_date > $last_day;

INSERT INTO cumulative_flow BY NAME
WITH cells AS (
    SELECT project_key, status_id, status, status_category, phase, min(metric_date) AS first_day, row_number() OVER () AS cell
    FROM stay_events WHERE metric_date <= $last_day
    GROUP BY project_key, status_id, status, status_category, phase
),
net AS (
    SELECT c.cell, e.metric_date, sum(e.delta) AS delta
    FROM stay_events e
    JOIN cells c ON c.project_key = e.project_key AND c.status_id IS NOT DISTINCT FROM e.status_id
                AND c.status IS NOT DISTINCT FROM e.status AND c.status_category = e.status_category AND c.phase = e.phase
    GROUP BY ALL
),
days AS (
    SELECT cell, unnest(generate_series(first_day, $last_day, INTERVAL 1 DAY))::DATE AS metric_date FROM cells
),
levels AS (
    SELECT cell, metric_date, sum(n.delta) OVER (PARTITION BY cell ORDER BY metric_date ROWS UNBOUNDED PRECEDING) AS issues
    FROM days d LEFT JOIN net n USING (cell, metric_date)
)
SELECT l.metric_date, c.project_key, c.status_id, c.status, c.status_category, c.phase, l.issues
FROM levels l JOIN cells c USING (cell)
WHERE l.issues <> 0;

DROP TABLE stay_events;

-- cumulative_flow brought forward: only days from the first one that a changed issue touches are written again.
-- $through: the last day it holds; $last_day: the last complete local day, not before $through.

CREATE OR REPLACE TEMP TABLE due_changes AS
SELECT project_key, status_id, status, status_category, phase, metric_date, sum(delta) AS delta
FROM ops.cumulative_flow_changes
WHERE metric_date <= $last_day
GROUP BY ALL
HAVING sum(delta) <> 0;

DELETE FROM ops.cumulative_flow_changes WHERE metric_date <= $last_day;

CREATE OR REPLACE TEMP TABLE renewed_days AS
-- Days after $through are new in any case, also when nothing happened before the last of them.
SELECT unnest(generate_series(least((SELECT min(metric_date) FROM due_changes), $through + 1), $last_day, INTERVAL 1 DAY))::DATE AS metric_date;

CREATE OR REPLACE TEMP TABLE former_levels AS
SELECT * FROM cumulative_flow WHERE metric_date >= (SELECT least(min(metric_date), $through) FROM renewed_days);

DELETE FROM cumulative_flow WHERE metric_date >= (SELECT min(metric_date) FROM renewed_days);

INSERT INTO cumulative_flow BY NAME
WITH cells AS (
    SELECT project_key, status_id, status, status_category, phase FROM former_levels
    UNION
    SELECT project_key, status_id, status, status_category, phase FROM due_changes
),
levels AS (
    SELECT d.metric_date, c.*,
           coalesce(f.issues, 0) + coalesce(sum(e.delta) OVER (
               PARTITION BY c.project_key, c.status_id, c.status, c.status_category, c.phase
               ORDER BY d.metric_date ROWS UNBOUNDED PRECEDING), 0) AS issues
    FROM renewed_days d
    CROSS JOIN cells c
    LEFT JOIN former_levels f
           ON f.metric_date = least(d.metric_date, $through) AND f.project_key = c.project_key
          AND f.status_id IS NOT DISTINCT FROM c.status_id AND f.status IS NOT DISTINCT FROM c.status
          AND f.status_category = c.status_category AND f.phase = c.phase
    LEFT JOIN due_changes e
           ON e.metric_date = d.metric_date AND e.project_key = c.project_key
          AND e.status_id IS NOT DISTINCT FROM c.status_id AND e.status IS NOT DISTINCT FROM c.status
          AND e.status_category = c.status_category AND e.phase = c.phase
)
SELECT * FROM levels WHERE issues <> 0;

DROP TABLE former_levels;
DROP TABLE renewed_days;
DROP TABLE due_changes;

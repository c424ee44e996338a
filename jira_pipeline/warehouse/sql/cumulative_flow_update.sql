-- cumulative_flow brought forward: of each project, only days from the first one that a changed issue touches are written again.
-- $through: the last day it holds; $last_day: the last complete local day, not before $through.

CREATE OR REPLACE TEMP TABLE due_changes AS
SELECT project_key, status_id, status, status_category, phase, metric_date, sum(delta) AS delta
FROM ops.cumulative_flow_changes
WHERE metric_date <= $last_day
GROUP BY ALL
HAVING sum(delta) <> 0;

DELETE FROM ops.cumulative_flow_changes WHERE metric_date <= $last_day;

-- Days after $through are new in any case, also when nothing happened before the last of them.
CREATE OR REPLACE TEMP TABLE renewed_projects AS
SELECT project_key, min(first_day) AS first_day
FROM (SELECT project_key, metric_date AS first_day FROM due_changes
      UNION ALL SELECT project_key, $through + 1 FROM cumulative_flow WHERE metric_date = $through)
GROUP BY project_key;

CREATE OR REPLACE TEMP TABLE former_levels AS
SELECT f.*
FROM cumulative_flow f
JOIN renewed_projects r ON r.project_key = f.project_key
WHERE f.metric_date >= least(r.first_day, $through) AND f.metric_date >= (SELECT least(min(first_day), $through) FROM renewed_projects);

DELETE FROM cumulative_flow
USING renewed_projects
WHERE cumulative_flow.project_key = renewed_projects.project_key AND cumulative_flow.metric_date >= renewed_projects.first_day;

INSERT INTO cumulative_flow BY NAME
WITH days AS (
    SELECT project_key, unnest(generate_series(least(first_day, $through + 1), $last_day, INTERVAL 1 DAY))::DATE AS metric_date FROM renewed_projects
),
cells AS (
    SELECT project_key, status_id, status, status_category, phase FROM former_levels
    UNION
    SELECT project_key, status_id, status, status_category, phase FROM due_changes
),
levels AS (
    SELECT d.metric_date, c.*,
           coalesce(f.issues, 0) + coalesce(sum(e.delta) OVER (
               PARTITION BY c.project_key, c.status_id, c.status, c.status_category, c.phase
               ORDER BY d.metric_date ROWS UNBOUNDED PRECEDING), 0) AS issues
    FROM days d
    JOIN cells c ON c.project_key = d.project_key
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
DROP TABLE renewed_projects;
DROP TABLE due_changes;

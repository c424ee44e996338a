-- cycle_time_percentiles: nearest-rank percentiles of started to done, with how many they are taken over and how many were
-- left out, by reason. Few issues say little: below 5 only the median is given, below 10 no P85, below 20 no P95.
-- Months of a project keep their rows unless an issue done in them changed in cycle_times since (untaken_changes), or they go on
-- after $through, the last complete local day of the former run.
-- $last_day: the last complete local day; $sle_days: the configured expectation or NULL.

CREATE OR REPLACE TEMP TABLE renewed_months AS
SELECT DISTINCT date_trunc('month', done_date)::DATE AS month_start, project_key_at_done AS project_key
FROM (SELECT done_date, project_key_at_done FROM untaken_changes
      UNION ALL SELECT done_date, project_key_at_done FROM cycle_times WHERE done_date > $through)
WHERE done_date IS NOT NULL;

-- Numbered, so that the groupings below go by integers.
CREATE OR REPLACE TEMP TABLE numbered_types AS
SELECT row_number() OVER ()::INTEGER AS number, (dense_rank() OVER (ORDER BY project_key))::INTEGER AS project, *
FROM (SELECT DISTINCT project_key_at_done AS project_key, issue_type FROM cycle_times WHERE counts_in_flow AND done_date <= $last_day);

CREATE OR REPLACE TEMP TABLE finished AS
SELECT t.project, t.number AS project_and_type, c.done_date,
       c.cycle_quality = 'not_started' AS is_not_started, c.cycle_quality = 'zero_time' AS is_zero_time,
       c.cycle_quality = 'stop_before_start' AS is_stop_before_start,
       CASE WHEN c.cycle_quality = 'ok' THEN c.started_to_done_days END AS days,
       CASE WHEN c.cycle_quality = 'ok' THEN c.started_to_done_hours END AS hours
FROM cycle_times c
JOIN numbered_types t ON t.project_key IS NOT DISTINCT FROM c.project_key_at_done AND t.issue_type IS NOT DISTINCT FROM c.issue_type
WHERE c.counts_in_flow AND c.done_date <= $last_day;

DELETE FROM cycle_time_percentiles
WHERE period <> 'month'
   OR (project_key IS NULL AND period_start IN (SELECT month_start FROM renewed_months))
   OR (period_start, project_key) IN (SELECT month_start, project_key FROM renewed_months);

CREATE OR REPLACE TEMP MACRO figures(days, hours, is_not_started, is_zero_time, is_stop_before_start, sle_days) AS struct_pack(
    issues := count(days),
    excluded_not_started := count_if(is_not_started),
    excluded_zero_time := count_if(is_zero_time),
    excluded_stop_before_start := count_if(is_stop_before_start),
    days_at := quantile_disc(days, [0.50, 0.70, 0.85, 0.95]),
    hours_at := quantile_disc(hours, [0.50, 0.85]),
    days_mean := avg(days),
    within_sle := count_if(days <= sle_days)
);

INSERT INTO cycle_time_percentiles BY NAME
WITH projects AS (SELECT DISTINCT project, project_key FROM numbered_types),
renewed AS (SELECT m.month_start, p.project FROM renewed_months m JOIN projects p ON p.project_key = m.project_key),
long_periods AS NOT MATERIALIZED (
    SELECT 'last_90_days' AS period, $last_day - 89 AS period_start, * FROM finished WHERE done_date > $last_day - 90
    UNION ALL
    SELECT 'all', (SELECT min(done_date) FROM finished), * FROM finished
),
of_projects AS (
    SELECT 'month' AS period, m.month_start AS period_start, f.*
    FROM finished f
    JOIN renewed m ON m.month_start = date_trunc('month', f.done_date)::DATE AND m.project = f.project
    UNION ALL FROM long_periods
),
of_all AS (
    SELECT 'month' AS period, m.month_start AS period_start, f.*
    FROM finished f
    JOIN (SELECT DISTINCT month_start FROM renewed_months) m ON m.month_start = date_trunc('month', f.done_date)::DATE
    UNION ALL FROM long_periods
),
measured AS (
    SELECT period, period_start, project, project_and_type,
           unnest(figures(days, hours, is_not_started, is_zero_time, is_stop_before_start, $sle_days))
    FROM (SELECT * REPLACE (period::ENUM ('month', 'last_90_days', 'all') AS period) FROM of_projects)
    GROUP BY GROUPING SETS ((period, period_start, project_and_type), (period, period_start, project))
    UNION ALL
    SELECT period, period_start, NULL, NULL, unnest(figures(days, hours, is_not_started, is_zero_time, is_stop_before_start, $sle_days))
    FROM of_all
    GROUP BY period, period_start
)
SELECT period, period_start, coalesce(t.project_key, p.project_key) AS project_key, t.issue_type, issues, excluded_not_started,
       excluded_zero_time, excluded_stop_before_start,
       days_at[1] AS days_p50,
       CASE WHEN issues >= 5 THEN days_at[2] END AS days_p70,
       CASE WHEN issues >= 10 THEN days_at[3] END AS days_p85,
       CASE WHEN issues >= 20 THEN days_at[4] END AS days_p95,
       hours_at[1] AS hours_p50,
       CASE WHEN issues >= 10 THEN hours_at[2] END AS hours_p85,
       days_mean,
       $sle_days AS sle_days,
       CASE WHEN $sle_days IS NOT NULL THEN within_sle / nullif(issues, 0) END AS sle_met_share
FROM measured m
LEFT JOIN numbered_types t ON t.number = m.project_and_type
LEFT JOIN projects p ON p.project = m.project;

DROP TABLE finished;
DROP TABLE numbered_types;
DROP TABLE renewed_months;

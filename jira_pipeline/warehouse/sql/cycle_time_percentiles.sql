-- cycle_time_percentiles: nearest-rank percentiles of started to done, with how many they are taken over and how many were
-- left out, by reason. Few issues say little: below 5 only the median is given, below 10 no P85, below 20 no P95.
-- Months keep their rows unless an issue done in them changed in cycle_times since (ops.cycle_time_changes), or they go on
-- after $through, the last complete local day of the former run.
-- $last_day: the last complete local day; $sle_days: the configured expectation or NULL.

CREATE OR REPLACE TEMP TABLE renewed_months AS
SELECT DISTINCT date_trunc('month', done_date)::DATE AS month_start
FROM (SELECT done_date FROM ops.cycle_time_changes WHERE reader = 'cycle_time_percentiles'
      UNION ALL SELECT done_date FROM cycle_times WHERE done_date > $through);

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

DELETE FROM cycle_time_percentiles WHERE period <> 'month' OR period_start IN (SELECT month_start FROM renewed_months);

INSERT INTO cycle_time_percentiles BY NAME
WITH dated AS (
    SELECT 'month' AS period, m.month_start AS period_start, f.*
    FROM finished f
    JOIN renewed_months m ON m.month_start = date_trunc('month', f.done_date)::DATE
    UNION ALL
    SELECT 'last_90_days', $last_day - 89, * FROM finished WHERE done_date > $last_day - 90
    UNION ALL
    SELECT 'all', (SELECT min(done_date) FROM finished), * FROM finished
),
measured AS (
    SELECT period::ENUM ('month', 'last_90_days', 'all') AS period, period_start, project, project_and_type,
           count(days) AS issues,
           count_if(is_not_started) AS excluded_not_started,
           count_if(is_zero_time) AS excluded_zero_time,
           count_if(is_stop_before_start) AS excluded_stop_before_start,
           quantile_disc(days, [0.50, 0.70, 0.85, 0.95]) AS days_at,
           quantile_disc(hours, [0.50, 0.85]) AS hours_at,
           avg(days) AS days_mean,
           count_if(days <= $sle_days) AS within_sle
    FROM dated
    GROUP BY GROUPING SETS ((period, period_start, project_and_type), (period, period_start, project), (period, period_start))
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
LEFT JOIN (SELECT DISTINCT project, project_key FROM numbered_types) p ON p.project = m.project;

DELETE FROM ops.cycle_time_changes WHERE reader = 'cycle_time_percentiles';

DROP TABLE finished;
DROP TABLE numbered_types;
DROP TABLE renewed_months;

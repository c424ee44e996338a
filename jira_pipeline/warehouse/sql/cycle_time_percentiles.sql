-- cycle_time_percentiles: nearest-rank percentiles of started to done, with how many they are taken over and how many were
-- left out, by reason. Few issues say little: below 5 only the median is given, below 10 no P85, below 20 no P95.
-- $last_day: the last complete local day; $sle_days: the configured expectation or NULL.

DELETE FROM cycle_time_percentiles;

INSERT INTO cycle_time_percentiles BY NAME
WITH finished AS (
    SELECT project_key_at_done AS project_key, issue_type, done_date, cycle_quality, started_to_done_days AS days, started_to_done_hours AS hours
    FROM cycle_times
    WHERE counts_in_flow AND done_date <= $last_day
),
dated AS (
    SELECT 'month' AS period, date_trunc('month', done_date)::DATE AS period_start, * FROM finished
    UNION ALL
    SELECT 'last_90_days', $last_day - 89, * FROM finished WHERE done_date > $last_day - 90
    UNION ALL
    SELECT 'all', (SELECT min(done_date) FROM finished), * FROM finished
),
measured AS (
    SELECT period, period_start, project_key, issue_type,
           count(*) FILTER (cycle_quality = 'ok') AS issues,
           count(*) FILTER (cycle_quality = 'not_started') AS excluded_not_started,
           count(*) FILTER (cycle_quality = 'zero_time') AS excluded_zero_time,
           count(*) FILTER (cycle_quality = 'stop_before_start') AS excluded_stop_before_start,
           quantile_disc(days, [0.50, 0.70, 0.85, 0.95]) FILTER (cycle_quality = 'ok') AS days_at,
           quantile_disc(hours, [0.50, 0.85]) FILTER (cycle_quality = 'ok') AS hours_at,
           avg(days) FILTER (cycle_quality = 'ok') AS days_mean,
           count(*) FILTER (cycle_quality = 'ok' AND days <= $sle_days) AS within_sle
    FROM dated
    GROUP BY GROUPING SETS ((period, period_start, project_key, issue_type), (period, period_start, project_key), (period, period_start))
)
SELECT period, period_start, project_key, issue_type, issues, excluded_not_started, excluded_zero_time, excluded_stop_before_start,
       days_at[1] AS days_p50,
       CASE WHEN issues >= 5 THEN days_at[2] END AS days_p70,
       CASE WHEN issues >= 10 THEN days_at[3] END AS days_p85,
       CASE WHEN issues >= 20 THEN days_at[4] END AS days_p95,
       hours_at[1] AS hours_p50,
       CASE WHEN issues >= 10 THEN hours_at[2] END AS hours_p85,
       days_mean,
       $sle_days AS sle_days,
       CASE WHEN $sle_days IS NOT NULL THEN within_sle / nullif(issues, 0) END AS sle_met_share
FROM measured;

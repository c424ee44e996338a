-- status_pace: how old finished issues were when they left each status for good. $last_day: the last complete local day.

DELETE FROM status_pace;

INSERT INTO status_pace BY NAME
WITH finished AS (
    SELECT issue_id, project_key_at_done AS project_key, started_at, started_date
    FROM cycle_times
    WHERE counts_in_flow AND cycle_quality = 'ok' AND done_date BETWEEN $last_day - 364 AND $last_day
),
left_for_good AS (
    SELECT f.project_key, s.status_id, s.status, f.issue_id, days_inclusive(any_value(f.started_date), max(s.left_date)) AS age_days
    FROM status_intervals s
    JOIN finished f ON f.issue_id = s.issue_id
    WHERE s.phase = 'in_progress' AND s.left_at > f.started_at
    GROUP BY ALL
),
measured AS (
    SELECT project_key, status_id, status, count(*) AS issues, quantile_disc(age_days, [0.50, 0.70, 0.85, 0.95]) AS ages
    FROM left_for_good
    GROUP BY ALL
)
SELECT project_key, status_id, status, issues, ages[1] AS age_days_p50,
       max(ages[2]) OVER by_age AS age_days_p70,
       max(ages[3]) OVER by_age AS age_days_p85,
       max(ages[4]) OVER by_age AS age_days_p95
FROM measured
WINDOW by_age AS (PARTITION BY project_key ORDER BY ages[1], ages[2], ages[3], ages[4], status_id, status ROWS UNBOUNDED PRECEDING);

-- throughput_weekly: issues done a week, with the natural process limits of an individuals chart (Wheeler: 2.66 mean moving
-- ranges; sigma is the mean moving range / 1.128) over the last 26 complete weeks, when there are at least 6.

DELETE FROM throughput_weekly;

INSERT INTO throughput_weekly BY NAME
WITH weekly AS (
    SELECT date_trunc('week', metric_date)::DATE AS week_start, project_key,
           sum(done_issues) AS done_issues, sum(delivered_issues) AS delivered_issues,
           sum(withdrawn_issues) AS withdrawn_issues, sum(exact(delivered_points)) AS delivered_points,
           count(*) = 7 AS is_complete_week
    FROM daily_flow
    GROUP BY ALL
),
-- The last 26 complete weeks of each project; only these are judged.
judged AS (
    SELECT week_start, project_key, done_issues
    FROM weekly
    WHERE is_complete_week
    QUALIFY row_number() OVER (PARTITION BY project_key ORDER BY week_start DESC) <= 26
),
ranges AS (
    SELECT project_key, done_issues, abs(done_issues - lag(done_issues) OVER (PARTITION BY project_key ORDER BY week_start)) AS moving_range
    FROM judged
),
limits AS (
    SELECT project_key, avg(done_issues) AS mean_issues, avg(moving_range) AS mean_range
    FROM ranges GROUP BY project_key HAVING count(*) >= 6
),
placed AS (
    SELECT j.week_start, j.project_key, l.mean_issues, l.mean_range,
           sign(j.done_issues - l.mean_issues) * floor(abs(j.done_issues - l.mean_issues) / nullif(l.mean_range / 1.128, 0)) AS sigmas,
           sign(j.done_issues - l.mean_issues) AS side
    FROM judged j
    JOIN limits l ON l.project_key = j.project_key
),
counted AS (
    SELECT *,
           count(*) FILTER (sigmas >= 2) OVER last_three AS high_of_three, count(*) FILTER (sigmas <= -2) OVER last_three AS low_of_three,
           count(*) FILTER (sigmas >= 1) OVER last_five AS high_of_five, count(*) FILTER (sigmas <= -1) OVER last_five AS low_of_five,
           abs(sum(side) OVER last_eight) = 8 AS is_run
    FROM placed
    WINDOW last_three AS (PARTITION BY project_key ORDER BY week_start ROWS 2 PRECEDING),
           last_five AS (PARTITION BY project_key ORDER BY week_start ROWS 4 PRECEDING),
           last_eight AS (PARTITION BY project_key ORDER BY week_start ROWS 7 PRECEDING)
)
SELECT w.week_start, w.project_key, done_issues, delivered_issues, withdrawn_issues, delivered_points, is_complete_week, mean_issues,
       CASE WHEN mean_issues IS NOT NULL THEN greatest(mean_issues - 2.66 * mean_range, 0) END AS lower_limit,   -- greatest() skips NULL
       mean_issues + 2.66 * mean_range AS upper_limit,
       CASE WHEN mean_issues IS NULL OR mean_range = 0 THEN NULL
            WHEN done_issues > mean_issues + 2.66 * mean_range OR done_issues < mean_issues - 2.66 * mean_range THEN 'outside_limits'
            WHEN (sigmas >= 2 AND high_of_three >= 2) OR (sigmas <= -2 AND low_of_three >= 2) THEN 'two_of_three'
            WHEN (sigmas >= 1 AND high_of_five >= 4) OR (sigmas <= -1 AND low_of_five >= 4) THEN 'four_of_five'
            WHEN is_run THEN 'eight_on_one_side'
       END AS xmr_signal
FROM weekly w
LEFT JOIN counted c ON c.week_start = w.week_start AND c.project_key = w.project_key;

-- Finished work of the last days: when it was done and how many days it took from its start, both days counted. Of more
-- issues than can be drawn, a sample that is the same each time; the three percentiles (nearest rank) are over all of them.
WITH finished AS (
    SELECT issue_id, done_date, started_to_done_days AS days
    FROM cycle_times
    WHERE cycle_quality = 'ok'
      AND counts_in_flow
      AND started_to_done_days IS NOT NULL
      AND done_date > (SELECT max(done_date) FROM cycle_times) - $days::INTEGER
),
percentiles AS (
    SELECT quantile_disc(days, 0.50) AS p50, quantile_disc(days, 0.85) AS p85, quantile_disc(days, 0.95) AS p95
    FROM finished
),
sample AS (
    SELECT done_date, days
    FROM finished
    ORDER BY hash(issue_id)
    LIMIT $points::INTEGER
)
SELECT done_date, days, p50, p85, p95
FROM sample
CROSS JOIN percentiles
ORDER BY done_date, days;

-- bugs_weekly: the bug queue at the end of each of the last 52 weeks that are over.
-- $last_day: the last complete local day; $bug_types: names of the types that are bugs, folded.

DELETE FROM bugs_weekly;

INSERT INTO bugs_weekly BY NAME
WITH weeks AS (
    SELECT unnest(generate_series(date_trunc('week', $last_day + 1)::DATE - 7 * 52, date_trunc('week', $last_day + 1)::DATE - 7, INTERVAL 7 DAY))::DATE AS week_start
),
-- Those that were done before the first of the weeks are in none of them.
bugs AS (
    SELECT project_key, coalesce(priority, 'none') AS priority, created_date, done_date
    FROM cycle_times
    WHERE list_contains($bug_types, folded(issue_type)) AND NOT history_incomplete
      AND (done_date IS NULL OR done_date >= (SELECT min(week_start) FROM weeks))
),
queues AS (SELECT DISTINCT project_key, priority FROM bugs),
outstanding AS (
    SELECT w.week_start, b.project_key, b.priority, count(*) AS outstanding_bugs,
           avg(days_inclusive(b.created_date, w.week_start + 6)) AS mean_age_days,
           max(days_inclusive(b.created_date, w.week_start + 6)) AS max_age_days
    FROM weeks w
    JOIN bugs b ON b.created_date <= w.week_start + 6 AND (b.done_date IS NULL OR b.done_date > w.week_start + 6)
    GROUP BY ALL
),
created AS (
    SELECT date_trunc('week', created_date)::DATE AS week_start, project_key, priority, count(*) AS new_bugs FROM bugs GROUP BY ALL
),
closed AS (
    SELECT date_trunc('week', done_date)::DATE AS week_start, project_key, priority, count(*) AS closed_bugs FROM bugs GROUP BY ALL
)
SELECT w.week_start, q.project_key, q.priority,
       coalesce(c.new_bugs, 0) AS new_bugs, coalesce(d.closed_bugs, 0) AS closed_bugs,
       coalesce(o.outstanding_bugs, 0) AS outstanding_bugs, o.mean_age_days, o.max_age_days
FROM weeks w
CROSS JOIN queues q
LEFT JOIN created c USING (week_start, project_key, priority)
LEFT JOIN closed d USING (week_start, project_key, priority)
LEFT JOIN outstanding o USING (week_start, project_key, priority)
WHERE c.new_bugs > 0 OR d.closed_bugs > 0 OR o.outstanding_bugs > 0;

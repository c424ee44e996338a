-- cycle_time_metrics: what happened in each project on each local day, zero-filled. Counts every issue of the project,
-- sub-tasks and epics too, so that the figures equal what anybody counts in issues.
-- $time_zone: in which days begin; $as_of: the last complete day is the one before its local day.

DELETE FROM cycle_time_metrics;

INSERT INTO cycle_time_metrics BY NAME
WITH days AS (
    SELECT project_key, unnest(generate_series(min(created_date), local_date($as_of, $time_zone) - 1, INTERVAL 1 DAY))::DATE AS metric_date
    FROM cycle_times
    GROUP BY project_key
),
-- What happened, as +1 and -1 on its day: level columns (open, wip) are running sums of these, never issue by day.
created AS (
    SELECT project_key, created_date AS metric_date, count(*) AS created_issues FROM cycle_times GROUP BY ALL
),
started AS (
    SELECT project_key, started_date AS metric_date, count(*) AS started_issues,
           count(*) FILTER (cycle_quality IS DISTINCT FROM 'stop_before_start') AS wip_arrivals
    FROM cycle_times GROUP BY ALL
),
resolved AS (
    SELECT project_key, resolved_date AS metric_date, count(*) AS resolved_issues FROM cycle_times GROUP BY ALL
),
done AS (
    SELECT project_key, done_date AS metric_date, count(*) AS done_issues,
           coalesce(sum(exact(story_points)), 0) AS story_points_done,
           count(*) FILTER (cycle_quality IN ('ok', 'zero_time')) AS wip_departures
    FROM cycle_times GROUP BY ALL
),
-- Open is the history as it was: an issue leaves with every entry into Done and comes back with every exit.
done_moves AS (
    SELECT project_key, entered_date AS metric_date,
           count(*) FILTER (phase <> 'done') - count(*) FILTER (phase = 'done') AS open_delta
    FROM status_intervals
    WHERE (phase = 'done') <> coalesce(entered_from_phase = 'done', false)
    GROUP BY ALL
),
reopened AS (
    SELECT project_key, entered_date AS metric_date, count(DISTINCT issue_id) AS reopened_issues
    FROM status_intervals
    WHERE entered_from_phase = 'done' AND phase <> 'done'
    GROUP BY ALL
),
-- Without a complete history only Jira's own dates are left to say when an issue was closed.
closed_without_history AS (
    SELECT c.project_key,
           local_date(coalesce(i.resolved_at, i.status_category_changed_at, i.updated_at), $time_zone) AS metric_date,
           -count(*) AS open_delta
    FROM cycle_times c
    JOIN issues i ON i.issue_id = c.issue_id
    WHERE c.history_incomplete AND (i.resolved_at IS NOT NULL OR i.status_category = 'done')
    GROUP BY ALL
),
measured AS (
    SELECT project_key, cycle_time_stop_date AS metric_date, count(*) AS cycle_time_issues,
           in_hours(sum(in_microseconds(cycle_time_hours))) / count(*) AS cycle_time_hours_mean,
           quantile_disc(cycle_time_hours, [0.50, 0.70, 0.85, 0.95]) AS percentiles
    FROM cycle_times
    WHERE cycle_time_hours IS NOT NULL
      AND ($cycle_time_from = 'created' OR cycle_quality IS NULL OR cycle_quality = 'ok')
    GROUP BY ALL
)
SELECT d.metric_date, d.project_key,
       coalesce(c.created_issues, 0) AS created_issues,
       coalesce(s.started_issues, 0) AS started_issues,
       coalesce(r.resolved_issues, 0) AS resolved_issues,
       coalesce(f.done_issues, 0) AS done_issues,
       coalesce(o.reopened_issues, 0) AS reopened_issues,
       -- As DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
       (sum((coalesce(c.created_issues, 0) + coalesce(m.open_delta, 0) + coalesce(w.open_delta, 0))::DOUBLE) OVER so_far)::BIGINT AS open_issues,
       (sum((coalesce(s.wip_arrivals, 0) - coalesce(f.wip_departures, 0))::DOUBLE) OVER so_far)::BIGINT AS wip_issues,
       coalesce(f.story_points_done, 0) AS story_points_done,
       coalesce(q.cycle_time_issues, 0) AS cycle_time_issues,
       q.cycle_time_hours_mean,
       q.percentiles[1] AS cycle_time_hours_p50,
       q.percentiles[2] AS cycle_time_hours_p70,
       q.percentiles[3] AS cycle_time_hours_p85,
       q.percentiles[4] AS cycle_time_hours_p95
FROM days d
LEFT JOIN created c USING (project_key, metric_date)
LEFT JOIN started s USING (project_key, metric_date)
LEFT JOIN resolved r USING (project_key, metric_date)
LEFT JOIN done f USING (project_key, metric_date)
LEFT JOIN done_moves m USING (project_key, metric_date)
LEFT JOIN reopened o USING (project_key, metric_date)
LEFT JOIN closed_without_history w USING (project_key, metric_date)
LEFT JOIN measured q USING (project_key, metric_date)
WINDOW so_far AS (PARTITION BY d.project_key ORDER BY d.metric_date ROWS UNBOUNDED PRECEDING);

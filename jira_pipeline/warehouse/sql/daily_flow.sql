-- daily_flow: arrivals, departures and work in progress of each project and local day.
-- $last_day: the last complete local day.

DELETE FROM daily_flow;

INSERT INTO daily_flow BY NAME
WITH flow AS (
    SELECT project_key, project_key_at_done, created_date, started_date, done_date, cycle_quality, is_delivered, story_points
    FROM cycle_times WHERE counts_in_flow AND NOT history_incomplete
),
days AS (
    SELECT project_key, unnest(generate_series(min(first_day), $last_day, INTERVAL 1 DAY))::DATE AS metric_date
    FROM (SELECT project_key, min(created_date) AS first_day FROM flow GROUP BY ALL
          UNION ALL SELECT project_key_at_done, min(created_date) FROM flow WHERE done_date IS NOT NULL GROUP BY ALL)
    GROUP BY project_key
),
created AS (
    SELECT project_key, created_date AS metric_date, count(*) AS created_issues FROM flow GROUP BY ALL
),
arrived AS (
    SELECT project_key, started_date AS metric_date, count(*) AS started_issues,
           count(*) FILTER (cycle_quality IS DISTINCT FROM 'stop_before_start') AS arrivals,
           (sum(started_date - DATE '1970-01-01') FILTER (cycle_quality IS DISTINCT FROM 'stop_before_start'))::BIGINT AS start_days
    FROM flow WHERE started_date IS NOT NULL GROUP BY ALL
),
-- An issue leaves work in progress where it entered it, even when it was moved to another project in between.
departed AS (
    SELECT project_key, done_date AS metric_date, count(*) AS departures,
           sum(started_date - DATE '1970-01-01')::BIGINT AS start_days
    FROM flow WHERE cycle_quality IN ('ok', 'zero_time') GROUP BY ALL
),
finished AS (
    SELECT project_key_at_done AS project_key, done_date AS metric_date, count(*) AS done_issues,
           count(*) FILTER (is_delivered) AS delivered_issues,
           count(*) FILTER (NOT is_delivered) AS withdrawn_issues,
           coalesce(sum(exact(story_points)) FILTER (is_delivered), 0) AS delivered_points
    FROM flow WHERE done_date IS NOT NULL GROUP BY ALL
),
in_progress AS (
    SELECT project_key, metric_date, sum(issues) AS wip_status FROM cumulative_flow WHERE phase = 'in_progress' GROUP BY ALL
),
levels AS (
    SELECT d.metric_date, d.project_key,
           coalesce(c.created_issues, 0) AS created_issues,
           coalesce(a.started_issues, 0) AS started_issues,
           coalesce(f.done_issues, 0) AS done_issues,
           coalesce(f.delivered_issues, 0) AS delivered_issues,
           coalesce(f.withdrawn_issues, 0) AS withdrawn_issues,
           coalesce(f.delivered_points, 0) AS delivered_points,
           coalesce(a.arrivals, 0) - coalesce(l.departures, 0) AS net_flow,
           coalesce(a.start_days, 0) - coalesce(l.start_days, 0) AS net_start_days,
           coalesce(p.wip_status, 0) AS wip_status
    FROM days d
    LEFT JOIN created c USING (project_key, metric_date)
    LEFT JOIN arrived a USING (project_key, metric_date)
    LEFT JOIN departed l USING (project_key, metric_date)
    LEFT JOIN finished f USING (project_key, metric_date)
    LEFT JOIN in_progress p USING (project_key, metric_date)
),
-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
added AS (
    SELECT *,
           sum(net_flow::DOUBLE) OVER so_far AS wip_clock,
           sum(net_start_days::DOUBLE) OVER so_far AS start_days,
           sum(created_issues::DOUBLE) OVER so_far AS created_total,
           sum(done_issues::DOUBLE) OVER so_far AS done_total
    FROM levels
    WINDOW so_far AS (PARTITION BY project_key ORDER BY metric_date ROWS UNBOUNDED PRECEDING)
)
SELECT * EXCLUDE (net_start_days, start_days),
       -- Ages at day end: everybody's days since 1970, less the days at which they started; both days counted.
       wip_clock * (metric_date - DATE '1970-01-01' + 1) - start_days AS wip_age_days
FROM added;

-- daily_flow: arrivals, departures and work in progress of each project and local day.
-- Days up to $through are brought forward: former row + what changed in issues since (untaken_changes). Later days
-- are counted from the issues, up to $last_day, the last complete local day. A project that begins on another day than
-- before is counted wholly; so are all of them when the table is empty. $statuses_from: the first day on which
-- cumulative_flow may have other rows than before.

CREATE OR REPLACE TEMP TABLE counted_projects AS
WITH begun AS (
    SELECT project_key, min(created_date) AS first_day FROM cycle_times WHERE counts_in_flow AND NOT history_incomplete GROUP BY project_key
    UNION ALL
    SELECT project_key_at_done, min(created_date) FROM cycle_times
    WHERE counts_in_flow AND NOT history_incomplete AND done_date IS NOT NULL GROUP BY project_key_at_done
),
present AS (SELECT project_key, min(first_day) AS first_day FROM begun GROUP BY project_key),
former AS (
    SELECT project_key, min(metric_date) AS first_day, max(abs(delivered_points)) AS most_points FROM daily_flow GROUP BY project_key
)
SELECT row_number() OVER ()::INTEGER AS project, p.project_key, p.first_day,
       is_counted_wholly(f.first_day, p.first_day, f.most_points) AS is_renewed
FROM present p
LEFT JOIN former f ON f.project_key = p.project_key;

-- Issues that may fall on a day to be counted from them, and the changed ones, before and after. Of two projects: an issue
-- that was done in another one than today's.
CREATE OR REPLACE TEMP TABLE counted_issues AS
WITH flow AS NOT MATERIALIZED (
    SELECT 1 AS sign, false AS is_change, project_key, project_key_at_done, created_date, started_date, done_date, cycle_quality, is_delivered,
           story_points
    FROM cycle_times
    WHERE counts_in_flow AND NOT history_incomplete
),
due AS (
    SELECT * FROM flow WHERE greatest(created_date, started_date, done_date) > $through
    UNION ALL
    SELECT * FROM flow
    WHERE NOT coalesce(greatest(created_date, started_date, done_date) > $through, false)
      AND (project_key IN (SELECT project_key FROM counted_projects WHERE is_renewed)
           OR project_key_at_done IN (SELECT project_key FROM counted_projects WHERE is_renewed))
    UNION ALL
    SELECT sign, true, project_key, project_key_at_done, created_date, started_date, done_date, cycle_quality, is_delivered, story_points
    FROM untaken_changes
    WHERE counts_in_flow AND NOT history_incomplete
)
SELECT c.sign, c.is_change, p.project, p.is_renewed, d.project AS done_project, d.is_renewed AS is_done_renewed, c.created_date, c.started_date,
       c.done_date, c.cycle_quality, c.is_delivered, c.story_points
FROM due c
LEFT JOIN counted_projects p ON p.project_key = c.project_key
LEFT JOIN counted_projects d ON d.project_key = c.project_key_at_done;

-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
CREATE OR REPLACE TEMP TABLE happened AS
WITH created AS (
    SELECT project, created_date AS metric_date, sum(sign::DOUBLE) AS created
    FROM counted_issues
    WHERE is_change <> (is_renewed OR created_date > $through)
    GROUP BY project, created_date
),
arrived AS (
    SELECT project, started_date AS metric_date, sum(sign::DOUBLE) AS started,
           sum(sign::DOUBLE) FILTER (cycle_quality IS DISTINCT FROM 'stop_before_start') AS net_flow
    FROM counted_issues
    WHERE is_change <> (is_renewed OR started_date > $through)
    GROUP BY project, started_date
),
-- An issue leaves work in progress where it entered it, even when it was moved to another project in between.
departed AS (
    SELECT project, done_date AS metric_date, -sum(sign::DOUBLE) AS net_flow,
           -sum((sign * (started_date - DATE '1970-01-01'))::DOUBLE) AS net_start_days
    FROM counted_issues
    WHERE cycle_quality IN ('ok', 'zero_time') AND is_change <> (is_renewed OR done_date > $through)
    GROUP BY project, done_date
),
finished AS (
    SELECT done_project AS project, done_date AS metric_date, sum(sign::DOUBLE) AS done,
           sum(sign::DOUBLE) FILTER (is_delivered) AS delivered,
           sum(sign::DOUBLE) FILTER (NOT is_delivered) AS withdrawn,
           sum(CASE WHEN sign > 0 THEN exact(story_points) ELSE -exact(story_points) END) FILTER (is_delivered) AS points
    FROM counted_issues
    WHERE is_change <> (is_done_renewed OR done_date > $through)
    GROUP BY done_project, done_date
),
events AS (
    SELECT * FROM created
    UNION ALL BY NAME
    SELECT *, net_flow * (metric_date - DATE '1970-01-01') AS net_start_days FROM arrived
    UNION ALL BY NAME SELECT * FROM departed
    UNION ALL BY NAME SELECT * FROM finished
)
SELECT project, metric_date, sum(created) AS created, sum(started) AS started, sum(delivered) AS delivered, sum(withdrawn) AS withdrawn,
       sum(done) AS done, coalesce(sum(net_flow), 0) AS net_flow, coalesce(sum(net_start_days), 0) AS net_start_days, sum(points) AS points
FROM events
WHERE project IS NOT NULL AND metric_date <= $last_day
GROUP BY project, metric_date;

CREATE OR REPLACE TEMP TABLE in_progress AS
SELECT p.project, f.metric_date, sum(f.issues) AS wip_status
FROM cumulative_flow f
JOIN counted_projects p ON p.project_key = f.project_key
WHERE f.phase = 'in_progress' AND (p.is_renewed OR f.metric_date >= least($statuses_from, $through + 1))
GROUP BY ALL;

-- The running sums, on every day from the first on which something happened.
CREATE OR REPLACE TEMP TABLE risen AS
WITH sums AS (
    SELECT h.project, h.metric_date,
           sum(h.net_flow) OVER (by_day ROWS UNBOUNDED PRECEDING) AS wip_clock,
           sum(h.net_start_days) OVER (by_day ROWS UNBOUNDED PRECEDING) AS start_days,
           sum(h.created) OVER (by_day ROWS UNBOUNDED PRECEDING) AS created_total,
           sum(h.done) OVER (by_day ROWS UNBOUNDED PRECEDING) AS done_total,
           coalesce(lead(h.metric_date) OVER by_day, $last_day + 1) AS next_date
    FROM happened h
    JOIN counted_projects p ON p.project = h.project AND h.metric_date >= p.first_day
    WINDOW by_day AS (PARTITION BY h.project ORDER BY h.metric_date)
)
SELECT project, metric_date + unnest(range(next_date - metric_date))::INTEGER AS metric_date, wip_clock::BIGINT AS wip_clock,
       start_days::BIGINT AS start_days, created_total::BIGINT AS created_total, done_total::BIGINT AS done_total
FROM sums;

-- The days that are new, or have another row than before.
CREATE OR REPLACE TEMP TABLE counted_days AS
-- Ages at day end are everybody's days since 1970, less the days at which they started; both days counted.
WITH former_days AS NOT MATERIALIZED (
    SELECT p.project, f.* EXCLUDE (wip_age_days), f.wip_clock * (f.metric_date - DATE '1970-01-01' + 1) - f.wip_age_days AS start_days,
           CASE WHEN f.metric_date < least($statuses_from, $through + 1) THEN f.wip_status ELSE 0 END AS kept_wip_status
    FROM daily_flow f
    JOIN counted_projects p ON p.project_key = f.project_key AND NOT p.is_renewed
),
new_days AS (
    SELECT project, project_key,
           first_day + unnest(range(CASE WHEN is_renewed THEN 0 ELSE $through + 1 - first_day END, $last_day - first_day + 1))::INTEGER AS metric_date
    FROM counted_projects
),
-- Levels go on from the last former day, counts do not.
days AS (
    SELECT *, false AS is_new FROM former_days
    UNION ALL BY NAME
    SELECT n.project, n.project_key, n.metric_date, 0 AS created_issues, 0 AS started_issues, 0 AS done_issues, 0 AS delivered_issues,
           0 AS withdrawn_issues, 0 AS delivered_points, 0 AS net_flow, coalesce(f.wip_clock, 0) AS wip_clock, 0 AS kept_wip_status,
           coalesce(f.start_days, 0) AS start_days, coalesce(f.created_total, 0) AS created_total, coalesce(f.done_total, 0) AS done_total,
           true AS is_new
    FROM new_days n
    LEFT JOIN former_days f ON f.project = n.project AND f.metric_date = $through
)
SELECT d.metric_date, d.project_key,
       d.created_issues + coalesce(h.created, 0)::BIGINT AS created_issues,
       d.started_issues + coalesce(h.started, 0)::BIGINT AS started_issues,
       d.done_issues + coalesce(h.done, 0)::BIGINT AS done_issues,
       d.delivered_issues + coalesce(h.delivered, 0)::BIGINT AS delivered_issues,
       d.withdrawn_issues + coalesce(h.withdrawn, 0)::BIGINT AS withdrawn_issues,
       CASE WHEN h.points IS NULL THEN d.delivered_points ELSE exact(d.delivered_points) + h.points END AS delivered_points,
       d.net_flow + coalesce(h.net_flow, 0)::BIGINT AS net_flow,
       d.wip_clock + coalesce(r.wip_clock, 0) AS wip_clock,
       d.kept_wip_status + coalesce(p.wip_status, 0) AS wip_status,
       (d.wip_clock + coalesce(r.wip_clock, 0)) * (d.metric_date - DATE '1970-01-01' + 1) - d.start_days - coalesce(r.start_days, 0) AS wip_age_days,
       d.created_total + coalesce(r.created_total, 0) AS created_total,
       d.done_total + coalesce(r.done_total, 0) AS done_total
FROM days d
LEFT JOIN happened h ON h.project = d.project AND h.metric_date = d.metric_date
LEFT JOIN risen r ON r.project = d.project AND r.metric_date = d.metric_date
LEFT JOIN in_progress p ON p.project = d.project AND p.metric_date = d.metric_date
WHERE d.is_new OR h.project IS NOT NULL OR d.kept_wip_status + coalesce(p.wip_status, 0) <> d.wip_status
   OR r.wip_clock <> 0 OR r.start_days <> 0 OR r.created_total <> 0 OR r.done_total <> 0;

DELETE FROM daily_flow
WHERE NOT EXISTS (FROM counted_projects p WHERE p.project_key = daily_flow.project_key AND NOT p.is_renewed);

DELETE FROM daily_flow
USING counted_days d
WHERE d.project_key = daily_flow.project_key AND d.metric_date = daily_flow.metric_date;

INSERT INTO daily_flow BY NAME SELECT * FROM counted_days;

DROP TABLE counted_days;
DROP TABLE risen;
DROP TABLE in_progress;
DROP TABLE happened;
DROP TABLE counted_issues;
DROP TABLE counted_projects;

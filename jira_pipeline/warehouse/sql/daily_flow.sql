-- daily_flow: arrivals, departures and work in progress of each project and local day.
-- Days up to $through are brought forward: former row + what changed in issues since (ops.cycle_time_changes). Later days
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
       -- A double holds sums of points to four decimals up to some 10^11.
       f.first_day IS DISTINCT FROM p.first_day OR f.most_points > 1e11 AS is_renewed
FROM present p
LEFT JOIN former f ON f.project_key = p.project_key;

-- Issues that may fall on a day to be counted from them, and the changed ones, before and after. Of two projects: an issue
-- that was done in another one than today's.
CREATE OR REPLACE TEMP TABLE counted_issues AS
WITH flow AS (
    SELECT 1 AS sign, false AS is_change, project_key, project_key_at_done, created_date, started_date, done_date, cycle_quality, is_delivered,
           story_points, counts_in_flow, history_incomplete
    FROM cycle_times
    UNION ALL
    SELECT sign, true, project_key, project_key_at_done, created_date, started_date, done_date, cycle_quality, is_delivered,
           story_points, counts_in_flow, history_incomplete
    FROM ops.cycle_time_changes WHERE reader = 'daily_flow'
)
SELECT c.sign, c.is_change, p.project, p.is_renewed, d.project AS done_project, d.is_renewed AS is_done_renewed, c.created_date, c.started_date,
       c.done_date, c.cycle_quality, c.is_delivered, c.story_points
FROM flow c
LEFT JOIN counted_projects p ON p.project_key = c.project_key
LEFT JOIN counted_projects d ON d.project_key = c.project_key_at_done
WHERE c.counts_in_flow AND NOT c.history_incomplete
  AND (c.is_change OR p.is_renewed OR d.is_renewed OR greatest(c.created_date, c.started_date, c.done_date) > $through);

-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
CREATE OR REPLACE TEMP TABLE happened AS
WITH events AS (
    SELECT project, is_renewed, is_change, created_date AS metric_date, sign::DOUBLE AS created, 0::DOUBLE AS started, 0::DOUBLE AS delivered,
           0::DOUBLE AS withdrawn, 0::DOUBLE AS done, 0::DOUBLE AS net_flow, 0::DOUBLE AS net_start_days, NULL::DECIMAL(18, 4) AS points
    FROM counted_issues
    UNION ALL
    SELECT project, is_renewed, is_change, started_date, 0, sign, 0, 0, 0,
           CASE WHEN cycle_quality IS DISTINCT FROM 'stop_before_start' THEN sign ELSE 0 END,
           CASE WHEN cycle_quality IS DISTINCT FROM 'stop_before_start' THEN sign * (started_date - DATE '1970-01-01') ELSE 0 END, NULL
    FROM counted_issues
    UNION ALL
    -- An issue leaves work in progress where it entered it, even when it was moved to another project in between.
    SELECT project, is_renewed, is_change, done_date, 0, 0, 0, 0, 0, -sign, -sign * (started_date - DATE '1970-01-01'), NULL
    FROM counted_issues WHERE cycle_quality IN ('ok', 'zero_time')
    UNION ALL
    SELECT done_project, is_done_renewed, is_change, done_date, 0, 0, CASE WHEN is_delivered THEN sign ELSE 0 END,
           CASE WHEN NOT is_delivered THEN sign ELSE 0 END, sign, 0, 0,
           CASE WHEN is_delivered AND sign > 0 THEN exact(story_points) WHEN is_delivered THEN -exact(story_points) END
    FROM counted_issues
)
SELECT project, metric_date, sum(created) AS created, sum(started) AS started, sum(delivered) AS delivered, sum(withdrawn) AS withdrawn,
       sum(done) AS done, sum(net_flow) AS net_flow, sum(net_start_days) AS net_start_days, sum(points) AS points
FROM events
WHERE project IS NOT NULL AND is_change <> (is_renewed OR metric_date > $through) AND metric_date <= $last_day
GROUP BY project, metric_date;

CREATE OR REPLACE TEMP TABLE in_progress AS
SELECT p.project, f.metric_date, sum(f.issues) AS wip_status
FROM cumulative_flow f
JOIN counted_projects p ON p.project_key = f.project_key
WHERE f.phase = 'in_progress' AND (p.is_renewed OR f.metric_date >= $statuses_from)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE former_days AS
SELECT p.project, f.* EXCLUDE (project_key), f.wip_clock * (f.metric_date - DATE '1970-01-01' + 1) - f.wip_age_days AS start_days
FROM daily_flow f
JOIN counted_projects p ON p.project_key = f.project_key
WHERE NOT p.is_renewed;

DELETE FROM daily_flow;

INSERT INTO daily_flow BY NAME
WITH days AS (
    SELECT project, project_key, is_renewed, first_day + unnest(range($last_day - first_day + 1))::INTEGER AS metric_date FROM counted_projects
),
-- Levels go on from the last former day, counts do not.
carried AS (
    SELECT d.project, d.project_key, d.is_renewed, d.metric_date, f.metric_date = d.metric_date AS is_former,
           f.* EXCLUDE (project, metric_date)
    FROM days d
    LEFT JOIN former_days f ON f.project = d.project AND f.metric_date = least(d.metric_date, $through)
),
levels AS (
    SELECT c.metric_date, c.project_key,
           CASE WHEN c.is_former THEN c.created_issues ELSE 0 END + coalesce(h.created, 0)::BIGINT AS created_issues,
           CASE WHEN c.is_former THEN c.started_issues ELSE 0 END + coalesce(h.started, 0)::BIGINT AS started_issues,
           CASE WHEN c.is_former THEN c.done_issues ELSE 0 END + coalesce(h.done, 0)::BIGINT AS done_issues,
           CASE WHEN c.is_former THEN c.delivered_issues ELSE 0 END + coalesce(h.delivered, 0)::BIGINT AS delivered_issues,
           CASE WHEN c.is_former THEN c.withdrawn_issues ELSE 0 END + coalesce(h.withdrawn, 0)::BIGINT AS withdrawn_issues,
           CASE WHEN c.is_former AND h.points IS NULL THEN c.delivered_points
                WHEN c.is_former THEN exact(c.delivered_points) + h.points
                ELSE coalesce(h.points, 0) END AS delivered_points,
           CASE WHEN c.is_former THEN c.net_flow ELSE 0 END + coalesce(h.net_flow, 0)::BIGINT AS net_flow,
           coalesce(c.wip_clock, 0) + coalesce(sum(h.net_flow) OVER so_far, 0)::BIGINT AS wip_clock,
           CASE WHEN c.is_renewed OR c.metric_date >= $statuses_from THEN coalesce(p.wip_status, 0) ELSE c.wip_status END AS wip_status,
           coalesce(c.start_days, 0) + coalesce(sum(h.net_start_days) OVER so_far, 0)::BIGINT AS start_days,
           coalesce(c.created_total, 0) + coalesce(sum(h.created) OVER so_far, 0)::BIGINT AS created_total,
           coalesce(c.done_total, 0) + coalesce(sum(h.done) OVER so_far, 0)::BIGINT AS done_total
    FROM carried c
    LEFT JOIN happened h ON h.project = c.project AND h.metric_date = c.metric_date
    LEFT JOIN in_progress p ON p.project = c.project AND p.metric_date = c.metric_date
    WINDOW so_far AS (PARTITION BY c.project ORDER BY c.metric_date ROWS UNBOUNDED PRECEDING)
)
SELECT * EXCLUDE (start_days),
       -- Ages at day end: everybody's days since 1970, less the days at which they started; both days counted.
       wip_clock * (metric_date - DATE '1970-01-01' + 1) - start_days AS wip_age_days
FROM levels;

DELETE FROM ops.cycle_time_changes WHERE reader = 'daily_flow';

DROP TABLE former_days;
DROP TABLE in_progress;
DROP TABLE happened;
DROP TABLE counted_issues;
DROP TABLE counted_projects;

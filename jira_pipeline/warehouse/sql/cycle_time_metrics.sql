-- cycle_time_metrics: what happened in each project on each local day, zero-filled. Counts every issue of the project,
-- sub-tasks and epics too, so that the figures equal what anybody counts in issues.
-- Days up to $through are brought forward: former row + what changed in issues since (ops.cycle_time_changes and
-- ops.done_move_changes). Later days are counted from the issues, up to $last_day, the last complete local day. A project
-- that begins on another day than before is counted wholly; so are all of them when the table is empty.
-- $time_zone: in which days begin; $cycle_time_from: where the headline clock starts.

CREATE OR REPLACE TEMP TABLE counted_projects AS
WITH present AS (SELECT project_key, min(created_date) AS first_day FROM cycle_times GROUP BY project_key),
former AS (
    SELECT project_key, min(metric_date) AS first_day, max(abs(story_points_done)) AS most_points FROM cycle_time_metrics GROUP BY project_key
)
SELECT row_number() OVER ()::INTEGER AS project, p.project_key, p.first_day,
       -- A double holds sums of points to four decimals up to some 10^11.
       f.first_day IS DISTINCT FROM p.first_day OR f.most_points > 1e11 AS is_renewed
FROM present p
LEFT JOIN former f ON f.project_key = p.project_key;

-- Issues that may fall on a day to be counted from them, and the changed ones, before and after.
CREATE OR REPLACE TEMP TABLE counted_issues AS
SELECT 1 AS sign, false AS is_change, p.project, p.is_renewed, c.created_date, c.started_date, c.done_date, c.resolved_date, c.cycle_quality,
       c.story_points
FROM cycle_times c
JOIN counted_projects p ON p.project_key = c.project_key
WHERE p.is_renewed OR greatest(c.created_date, c.started_date, c.done_date, c.resolved_date) > $through
UNION ALL
SELECT c.sign, true, p.project, p.is_renewed, c.created_date, c.started_date, c.done_date, c.resolved_date, c.cycle_quality, c.story_points
FROM ops.cycle_time_changes c
JOIN counted_projects p ON p.project_key = c.project_key
WHERE c.reader = 'cycle_time_metrics';

CREATE OR REPLACE TEMP TABLE counted_moves AS
SELECT false AS is_change, p.project, p.is_renewed, s.entered_date AS metric_date,
       count(*) FILTER (s.phase <> 'done') - count(*) FILTER (s.phase = 'done') AS open_issues,
       count(DISTINCT CASE WHEN s.phase <> 'done' THEN s.issue_id END) AS reopened_issues
FROM status_intervals s
JOIN counted_projects p ON p.project_key = s.project_key
WHERE (s.phase = 'done') <> coalesce(s.entered_from_phase = 'done', false) AND (p.is_renewed OR s.entered_date > $through)
GROUP BY ALL
UNION ALL
SELECT true, p.project, p.is_renewed, c.metric_date, c.open_issues, c.reopened_issues
FROM ops.done_move_changes c
JOIN counted_projects p ON p.project_key = c.project_key;

-- Without a complete history only Jira's own dates are left to say when an issue was closed. They are few, so that all are
-- counted and compared with how many there were.
CREATE OR REPLACE TEMP TABLE closed_without_history AS
SELECT local_date(coalesce(i.resolved_at, i.status_category_changed_at, i.updated_at), $time_zone) AS metric_date,
       c.project_key, count(*) AS issues
FROM cycle_times c
JOIN issues i ON i.issue_id = c.issue_id
WHERE c.history_incomplete AND (i.resolved_at IS NOT NULL OR i.status_category = 'done')
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE counted_closings AS
SELECT p.project, p.is_renewed, c.*
FROM (
    SELECT false AS is_change, metric_date, project_key, issues FROM closed_without_history
    UNION ALL SELECT true, metric_date, project_key, issues FROM closed_without_history
    UNION ALL SELECT true, metric_date, project_key, -issues FROM ops.closed_without_history
) c
JOIN counted_projects p ON p.project_key = c.project_key;

DELETE FROM ops.closed_without_history;
INSERT INTO ops.closed_without_history BY NAME SELECT * FROM closed_without_history;

-- What happened, as +1 and -1 on its day: level columns (open, wip) are running sums of these, never issue by day.
-- Open is the history as it was: an issue leaves with every entry into Done and comes back with every exit.
-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
CREATE OR REPLACE TEMP TABLE happened AS
WITH events AS (
    SELECT project, is_renewed, is_change, created_date AS metric_date, sign::DOUBLE AS created, 0::DOUBLE AS started, 0::DOUBLE AS resolved,
           0::DOUBLE AS done, 0::DOUBLE AS reopened, sign::DOUBLE AS open_delta, 0::DOUBLE AS wip_delta, NULL::DECIMAL(18, 4) AS points
    FROM counted_issues
    UNION ALL
    SELECT project, is_renewed, is_change, started_date, 0, sign, 0, 0, 0, 0,
           CASE WHEN cycle_quality IS DISTINCT FROM 'stop_before_start' THEN sign ELSE 0 END, NULL
    FROM counted_issues
    UNION ALL
    SELECT project, is_renewed, is_change, resolved_date, 0, 0, sign, 0, 0, 0, 0, NULL FROM counted_issues
    UNION ALL
    SELECT project, is_renewed, is_change, done_date, 0, 0, 0, sign, 0, 0, CASE WHEN cycle_quality IN ('ok', 'zero_time') THEN -sign ELSE 0 END,
           CASE WHEN sign > 0 THEN exact(story_points) ELSE -exact(story_points) END
    FROM counted_issues
    UNION ALL
    SELECT project, is_renewed, is_change, metric_date, 0, 0, 0, 0, reopened_issues, open_issues, 0, NULL FROM counted_moves
    UNION ALL
    SELECT project, is_renewed, is_change, metric_date, 0, 0, 0, 0, 0, -issues, 0, NULL FROM counted_closings
)
SELECT project, metric_date, sum(created) AS created, sum(started) AS started, sum(resolved) AS resolved, sum(done) AS done,
       sum(reopened) AS reopened, sum(open_delta) AS open_delta, sum(wip_delta) AS wip_delta, sum(points) AS points
FROM events
WHERE is_change <> (is_renewed OR metric_date > $through) AND metric_date <= $last_day
GROUP BY project, metric_date;

-- The headline clock, of the days on which something changed and of the new ones.
CREATE OR REPLACE TEMP TABLE measured AS
WITH changed_days AS (
    SELECT DISTINCT p.project, c.cycle_time_stop_date AS metric_date
    FROM ops.cycle_time_changes c
    JOIN counted_projects p ON p.project_key = c.project_key
    WHERE c.reader = 'cycle_time_metrics' AND c.cycle_time_stop_date <= $through AND NOT p.is_renewed
),
stopped AS (
    SELECT p.project, p.is_renewed, c.cycle_time_stop_date AS metric_date, c.cycle_time_hours
    FROM cycle_times c
    JOIN counted_projects p ON p.project_key = c.project_key
    WHERE c.cycle_time_hours IS NOT NULL AND c.cycle_time_stop_date <= $last_day
      AND ($cycle_time_from = 'created' OR c.cycle_quality IS NULL OR c.cycle_quality = 'ok')
),
due AS (
    SELECT project, metric_date, cycle_time_hours FROM stopped WHERE is_renewed OR metric_date > $through
    UNION ALL
    SELECT s.project, s.metric_date, s.cycle_time_hours
    FROM stopped s
    JOIN changed_days d ON d.project = s.project AND d.metric_date = s.metric_date
),
counted AS (
    SELECT project, metric_date, count(*) AS cycle_time_issues,
           in_hours(sum(in_microseconds(cycle_time_hours))) / count(*) AS cycle_time_hours_mean,
           quantile_disc(cycle_time_hours, [0.50, 0.70, 0.85, 0.95]) AS percentiles
    FROM due
    GROUP BY project, metric_date
)
SELECT * FROM counted
UNION ALL
SELECT d.project, d.metric_date, 0, NULL, NULL                         -- days of which nothing is left
FROM changed_days d
ANTI JOIN counted c ON c.project = d.project AND c.metric_date = d.metric_date;

CREATE OR REPLACE TEMP TABLE former_days AS
SELECT p.project, m.*
FROM cycle_time_metrics m
JOIN counted_projects p ON p.project_key = m.project_key
WHERE NOT p.is_renewed;

DELETE FROM cycle_time_metrics;

INSERT INTO cycle_time_metrics BY NAME
WITH days AS (
    SELECT project, project_key, first_day + unnest(range($last_day - first_day + 1))::INTEGER AS metric_date FROM counted_projects
),
-- Levels go on from the last former day, counts do not.
carried AS (
    SELECT d.project, d.project_key, d.metric_date, f.open_issues, f.wip_issues,
           f.metric_date = d.metric_date AS is_former, f.* EXCLUDE (project, project_key, metric_date, open_issues, wip_issues)
    FROM days d
    LEFT JOIN former_days f ON f.project = d.project AND f.metric_date = least(d.metric_date, $through)
)
SELECT c.metric_date, c.project_key,
       CASE WHEN c.is_former THEN c.created_issues ELSE 0 END + coalesce(h.created, 0)::BIGINT AS created_issues,
       CASE WHEN c.is_former THEN c.started_issues ELSE 0 END + coalesce(h.started, 0)::BIGINT AS started_issues,
       CASE WHEN c.is_former THEN c.resolved_issues ELSE 0 END + coalesce(h.resolved, 0)::BIGINT AS resolved_issues,
       CASE WHEN c.is_former THEN c.done_issues ELSE 0 END + coalesce(h.done, 0)::BIGINT AS done_issues,
       CASE WHEN c.is_former THEN c.reopened_issues ELSE 0 END + coalesce(h.reopened, 0)::BIGINT AS reopened_issues,
       coalesce(c.open_issues, 0) + coalesce(sum(h.open_delta) OVER so_far, 0)::BIGINT AS open_issues,
       coalesce(c.wip_issues, 0) + coalesce(sum(h.wip_delta) OVER so_far, 0)::BIGINT AS wip_issues,
       CASE WHEN c.is_former AND h.points IS NULL THEN c.story_points_done
            WHEN c.is_former THEN exact(c.story_points_done) + h.points
            ELSE coalesce(h.points, 0) END AS story_points_done,
       coalesce(q.cycle_time_issues, CASE WHEN c.is_former THEN c.cycle_time_issues END, 0) AS cycle_time_issues,
       CASE WHEN q.project IS NOT NULL THEN q.cycle_time_hours_mean WHEN c.is_former THEN c.cycle_time_hours_mean END AS cycle_time_hours_mean,
       CASE WHEN q.project IS NOT NULL THEN q.percentiles[1] WHEN c.is_former THEN c.cycle_time_hours_p50 END AS cycle_time_hours_p50,
       CASE WHEN q.project IS NOT NULL THEN q.percentiles[2] WHEN c.is_former THEN c.cycle_time_hours_p70 END AS cycle_time_hours_p70,
       CASE WHEN q.project IS NOT NULL THEN q.percentiles[3] WHEN c.is_former THEN c.cycle_time_hours_p85 END AS cycle_time_hours_p85,
       CASE WHEN q.project IS NOT NULL THEN q.percentiles[4] WHEN c.is_former THEN c.cycle_time_hours_p95 END AS cycle_time_hours_p95
FROM carried c
LEFT JOIN happened h ON h.project = c.project AND h.metric_date = c.metric_date
LEFT JOIN measured q ON q.project = c.project AND q.metric_date = c.metric_date
WINDOW so_far AS (PARTITION BY c.project ORDER BY c.metric_date ROWS UNBOUNDED PRECEDING);

DELETE FROM ops.cycle_time_changes WHERE reader = 'cycle_time_metrics';
DELETE FROM ops.done_move_changes;

DROP TABLE former_days;
DROP TABLE measured;
DROP TABLE happened;
DROP TABLE counted_closings;
DROP TABLE closed_without_history;
DROP TABLE counted_moves;
DROP TABLE counted_issues;
DROP TABLE counted_projects;

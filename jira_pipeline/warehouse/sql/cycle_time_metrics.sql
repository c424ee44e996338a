-- cycle_time_metrics: what happened in each project on each local day, zero-filled. Counts every issue of the project,
-- sub-tasks and epics too, so that the figures equal what anybody counts in issues.
-- Days up to $through are brought forward: former row + what changed in issues since (untaken_changes and
-- ops.done_move_changes). Later days are counted from the issues, up to $last_day, the last complete local day. A project
-- that begins on another day than before is counted wholly; so are all of them when the table is empty.
-- $time_zone: in which days begin; $cycle_time_from: where the headline clock starts.

CREATE OR REPLACE TEMP TABLE counted_projects AS
WITH present AS (SELECT project_key, min(created_date) AS first_day FROM cycle_times GROUP BY project_key),
former AS (
    SELECT project_key, min(metric_date) AS first_day, max(abs(story_points_done)) AS most_points FROM cycle_time_metrics GROUP BY project_key
)
SELECT row_number() OVER ()::INTEGER AS project, p.project_key, p.first_day,
       is_counted_wholly(f.first_day, p.first_day, f.most_points) AS is_renewed
FROM present p
LEFT JOIN former f ON f.project_key = p.project_key;

-- Issues that may fall on a day to be counted from them, and the changed ones, before and after.
CREATE OR REPLACE TEMP TABLE counted_issues AS
SELECT 1 AS sign, false AS is_change, p.project, true AS is_renewed, c.created_date, c.started_date, c.done_date, c.resolved_date,
       c.cycle_quality, c.story_points
FROM cycle_times c
JOIN counted_projects p ON p.project_key = c.project_key AND p.is_renewed
UNION ALL
SELECT 1, false, p.project, false, c.created_date, c.started_date, c.done_date, c.resolved_date, c.cycle_quality, c.story_points
FROM cycle_times c
JOIN counted_projects p ON p.project_key = c.project_key AND NOT p.is_renewed
WHERE greatest(c.created_date, c.started_date, c.done_date, c.resolved_date) > $through
UNION ALL
SELECT c.sign, true, p.project, p.is_renewed, c.created_date, c.started_date, c.done_date, c.resolved_date, c.cycle_quality, c.story_points
FROM untaken_changes c
JOIN counted_projects p ON p.project_key = c.project_key;

-- Open is the history as it was: an issue leaves with every entry into Done and comes back with every exit.
CREATE OR REPLACE TEMP TABLE counted_moves AS
WITH moves AS NOT MATERIALIZED (
    SELECT p.project, s.entered_date AS metric_date, s.phase, s.issue_id
    FROM status_intervals s
    JOIN counted_projects p ON p.project_key = s.project_key AND p.is_renewed
    WHERE (s.phase = 'done') <> coalesce(s.entered_from_phase = 'done', false)
    UNION ALL
    SELECT p.project, s.entered_date, s.phase, s.issue_id
    FROM status_intervals s
    JOIN counted_projects p ON p.project_key = s.project_key AND NOT p.is_renewed
    WHERE (s.phase = 'done') <> coalesce(s.entered_from_phase = 'done', false) AND s.entered_date > $through
)
SELECT project, metric_date, count(*) FILTER (phase <> 'done') - count(*) FILTER (phase = 'done') AS open_issues, 0 AS reopened_issues
FROM moves
GROUP BY project, metric_date
UNION ALL
SELECT project, metric_date, 0, count(DISTINCT issue_id)
FROM moves
WHERE phase <> 'done'
GROUP BY project, metric_date
UNION ALL
SELECT p.project, c.metric_date, c.open_issues, c.reopened_issues
FROM ops.done_move_changes c
JOIN counted_projects p ON p.project_key = c.project_key AND NOT p.is_renewed
WHERE c.metric_date <= $through;

-- Without a complete history only Jira's own dates are left to say when an issue was closed. They are few, so that all are
-- counted and compared with how many there were.
CREATE OR REPLACE TEMP TABLE closed_without_history AS
SELECT local_date(coalesce(resolved_at, status_category_changed_at, updated_at), $time_zone) AS metric_date,
       project_key, count(*) AS issues
FROM issues
WHERE issue_id IN (SELECT issue_id FROM cycle_times WHERE history_incomplete) AND (resolved_at IS NOT NULL OR status_category = 'done')
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
-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
CREATE OR REPLACE TEMP TABLE happened AS
WITH created AS (
    SELECT project, created_date AS metric_date, sum(sign::DOUBLE) AS created
    FROM counted_issues
    WHERE is_change <> (is_renewed OR created_date > $through)
    GROUP BY project, created_date
),
started AS (
    SELECT project, started_date AS metric_date, sum(sign::DOUBLE) AS started,
           sum(sign::DOUBLE) FILTER (cycle_quality IS DISTINCT FROM 'stop_before_start') AS wip_delta
    FROM counted_issues
    WHERE is_change <> (is_renewed OR started_date > $through)
    GROUP BY project, started_date
),
resolved AS (
    SELECT project, resolved_date AS metric_date, sum(sign::DOUBLE) AS resolved
    FROM counted_issues
    WHERE is_change <> (is_renewed OR resolved_date > $through)
    GROUP BY project, resolved_date
),
done AS (
    SELECT project, done_date AS metric_date, sum(sign::DOUBLE) AS done,
           -sum(sign::DOUBLE) FILTER (cycle_quality IN ('ok', 'zero_time')) AS wip_delta,
           sum(CASE WHEN sign > 0 THEN exact(story_points) ELSE -exact(story_points) END) AS points
    FROM counted_issues
    WHERE is_change <> (is_renewed OR done_date > $through)
    GROUP BY project, done_date
),
events AS (
    SELECT project, metric_date, created, created AS open_delta FROM created
    UNION ALL BY NAME SELECT * FROM started
    UNION ALL BY NAME SELECT * FROM resolved
    UNION ALL BY NAME SELECT * FROM done
    UNION ALL BY NAME SELECT project, metric_date, reopened_issues::DOUBLE AS reopened, open_issues::DOUBLE AS open_delta FROM counted_moves
    UNION ALL BY NAME
    SELECT project, metric_date, -issues::DOUBLE AS open_delta FROM counted_closings WHERE is_change <> (is_renewed OR metric_date > $through)
)
SELECT project, metric_date, sum(created) AS created, sum(started) AS started, sum(resolved) AS resolved, sum(done) AS done,
       sum(reopened) AS reopened, coalesce(sum(open_delta), 0) AS open_delta, coalesce(sum(wip_delta), 0) AS wip_delta, sum(points) AS points
FROM events
WHERE metric_date <= $last_day
GROUP BY project, metric_date;

-- The headline clock, of the days on which something changed and of the new ones.
CREATE OR REPLACE TEMP TABLE measured AS
WITH changed_days AS (
    SELECT DISTINCT p.project, p.project_key, c.cycle_time_stop_date AS metric_date
    FROM untaken_changes c
    JOIN counted_projects p ON p.project_key = c.project_key
    WHERE c.cycle_time_stop_date <= $through AND NOT p.is_renewed
),
stopped AS NOT MATERIALIZED (
    SELECT project_key, cycle_time_stop_date AS metric_date, cycle_time_hours
    FROM cycle_times
    WHERE cycle_time_hours IS NOT NULL AND cycle_time_stop_date <= $last_day
      AND ($cycle_time_from = 'created' OR cycle_quality IS NULL OR cycle_quality = 'ok')
),
due AS (
    SELECT p.project, s.metric_date, s.cycle_time_hours
    FROM stopped s JOIN counted_projects p ON p.project_key = s.project_key AND p.is_renewed
    UNION ALL
    SELECT p.project, s.metric_date, s.cycle_time_hours
    FROM stopped s JOIN counted_projects p ON p.project_key = s.project_key AND NOT p.is_renewed
    WHERE s.metric_date > $through
    UNION ALL
    SELECT d.project, s.metric_date, s.cycle_time_hours
    FROM stopped s JOIN changed_days d ON d.project_key = s.project_key AND d.metric_date = s.metric_date
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

-- The running sums, on every day from the first on which something happened.
CREATE OR REPLACE TEMP TABLE risen AS
WITH sums AS (
    SELECT h.project, h.metric_date,
           sum(open_delta) OVER (by_day ROWS UNBOUNDED PRECEDING) AS open_issues,
           sum(wip_delta) OVER (by_day ROWS UNBOUNDED PRECEDING) AS wip_issues,
           coalesce(lead(metric_date) OVER by_day, $last_day + 1) AS next_date
    FROM happened h
    JOIN counted_projects p ON p.project = h.project AND h.metric_date >= p.first_day
    WINDOW by_day AS (PARTITION BY h.project ORDER BY h.metric_date)
)
SELECT project, metric_date + unnest(range(next_date - metric_date))::INTEGER AS metric_date,
       open_issues::BIGINT AS open_issues, wip_issues::BIGINT AS wip_issues
FROM sums;

-- The days that are new, or have another row than before.
CREATE OR REPLACE TEMP TABLE counted_days AS
WITH former_days AS NOT MATERIALIZED (
    SELECT p.project, m.* FROM cycle_time_metrics m JOIN counted_projects p ON p.project_key = m.project_key AND NOT p.is_renewed
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
    SELECT n.project, n.project_key, n.metric_date, 0 AS created_issues, 0 AS started_issues, 0 AS resolved_issues, 0 AS done_issues,
           0 AS reopened_issues, coalesce(f.open_issues, 0) AS open_issues, coalesce(f.wip_issues, 0) AS wip_issues, 0 AS story_points_done,
           0 AS cycle_time_issues, true AS is_new
    FROM new_days n
    LEFT JOIN former_days f ON f.project = n.project AND f.metric_date = $through
)
SELECT d.metric_date, d.project_key,
       d.created_issues + coalesce(h.created, 0)::BIGINT AS created_issues,
       d.started_issues + coalesce(h.started, 0)::BIGINT AS started_issues,
       d.resolved_issues + coalesce(h.resolved, 0)::BIGINT AS resolved_issues,
       d.done_issues + coalesce(h.done, 0)::BIGINT AS done_issues,
       d.reopened_issues + coalesce(h.reopened, 0)::BIGINT AS reopened_issues,
       d.open_issues + coalesce(r.open_issues, 0) AS open_issues,
       d.wip_issues + coalesce(r.wip_issues, 0) AS wip_issues,
       CASE WHEN h.points IS NULL THEN d.story_points_done ELSE exact(d.story_points_done) + h.points END AS story_points_done,
       coalesce(q.cycle_time_issues, d.cycle_time_issues) AS cycle_time_issues,
       CASE WHEN q.project IS NULL THEN d.cycle_time_hours_mean ELSE q.cycle_time_hours_mean END AS cycle_time_hours_mean,
       CASE WHEN q.project IS NULL THEN d.cycle_time_hours_p50 ELSE q.percentiles[1] END AS cycle_time_hours_p50,
       CASE WHEN q.project IS NULL THEN d.cycle_time_hours_p70 ELSE q.percentiles[2] END AS cycle_time_hours_p70,
       CASE WHEN q.project IS NULL THEN d.cycle_time_hours_p85 ELSE q.percentiles[3] END AS cycle_time_hours_p85,
       CASE WHEN q.project IS NULL THEN d.cycle_time_hours_p95 ELSE q.percentiles[4] END AS cycle_time_hours_p95
FROM days d
LEFT JOIN happened h ON h.project = d.project AND h.metric_date = d.metric_date
LEFT JOIN risen r ON r.project = d.project AND r.metric_date = d.metric_date
LEFT JOIN measured q ON q.project = d.project AND q.metric_date = d.metric_date
WHERE d.is_new OR h.project IS NOT NULL OR q.project IS NOT NULL OR r.open_issues <> 0 OR r.wip_issues <> 0;

DELETE FROM cycle_time_metrics
WHERE NOT EXISTS (FROM counted_projects p WHERE p.project_key = cycle_time_metrics.project_key AND NOT p.is_renewed);

DELETE FROM cycle_time_metrics
USING counted_days d
WHERE d.project_key = cycle_time_metrics.project_key AND d.metric_date = cycle_time_metrics.metric_date;

INSERT INTO cycle_time_metrics BY NAME SELECT * FROM counted_days;

DELETE FROM ops.done_move_changes;

DROP TABLE counted_days;
DROP TABLE risen;
DROP TABLE measured;
DROP TABLE happened;
DROP TABLE counted_closings;
DROP TABLE closed_without_history;
DROP TABLE counted_moves;
DROP TABLE counted_issues;
DROP TABLE counted_projects;

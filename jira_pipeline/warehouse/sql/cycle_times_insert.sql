-- cycle_times, second half: after time_buckets.sql has split the spans from start to done.
-- $time_zone: in which days begin; $cycle_time_from, $cycle_time_to: the headline clock.

-- Working time between two instants is the difference of two prefix sums: additive, and right over changes of the clock.
-- In microseconds, which are exact: the last bits of a sum of hours would depend on the day that the spans begin with.
CREATE OR REPLACE TEMP TABLE worked AS
WITH instants AS (
    SELECT issue_id, from_at AS instant, -1 AS sign FROM bucket_spans WHERE $has_calendar
    UNION ALL
    SELECT issue_id, until_at, 1 FROM bucket_spans WHERE $has_calendar
)
SELECT t.issue_id,
       in_hours(sum((t.sign * coalesce(
           w.us_before + greatest(epoch_us(least(t.instant, w.ends_at)) - epoch_us(w.begins_at), 0), 0
       ))::DOUBLE)) AS working_hours
FROM instants t
ASOF LEFT JOIN work_spans w ON t.instant >= w.begins_at
GROUP BY t.issue_id;

-- Who had it when it was done, and where it was if that was elsewhere: of each at most one value.
CREATE OR REPLACE TEMP TABLE assignees_at_done AS
SELECT f.issue_id, f.value AS assignee_id, m.team
FROM field_intervals f
JOIN clocks c ON c.issue_id = f.issue_id
LEFT JOIN matched_assignees m ON m.user_id = f.value
WHERE f.load_id >= getvariable('least_load')
  AND f.field = 'assignee' AND f.from_at <= c.done_at AND (f.until_at IS NULL OR f.until_at > c.done_at);

CREATE OR REPLACE TEMP TABLE other_projects_at_done AS
SELECT f.issue_id, coalesce(p.project_key, CASE WHEN f.value = i.project_id THEN i.project_key ELSE f.value_name END) AS key_at_done
FROM field_intervals f
JOIN clocks c ON c.issue_id = f.issue_id
JOIN issues i ON i.issue_id = f.issue_id
LEFT JOIN projects p ON p.project_id = f.value
WHERE f.load_id >= getvariable('least_load') AND i.load_id >= getvariable('least_load')
  AND f.field = 'project' AND f.from_at <= c.done_at AND (f.until_at IS NULL OR f.until_at > c.done_at) AND key_at_done <> i.project_key;

INSERT INTO cycle_times BY NAME
WITH scopes AS (
    -- Without queues and without flags nothing says what waiting is: efficiency would be an empty 100 %.
    SELECT DISTINCT scope FROM workflow_rules WHERE role = 'waiting'
),
knows AS (
    SELECT (SELECT count(*) > 0 FROM ops.field_roles WHERE role = 'flagged') AS flags
),
-- An issue without its history has no clocks.
dated AS (
    SELECT i.issue_id, i.issue_key, i.project_key, i.issue_type, i.priority, i.hierarchy_level, i.is_subtask, i.assignee_id,
           i.story_points, i.resolution, i.status, coalesce(c.status_category::VARCHAR, i.status_category) AS status_category,
           i.created_at, i.resolved_at, i.load_id, c.* EXCLUDE (issue_id, status_category),
           CASE WHEN c.issue_id IS NOT NULL THEN c.moves_to_earlier_phase + coalesce(b.moves_within_phase, 0) END AS backward_moves,
           local_date_among(i.created_at, $time_zone, z.least_us, z.greatest_us) AS created_date,
           local_date_among(c.started_at, $time_zone, z.least_us, z.greatest_us) AS started_date,
           local_date_among(c.done_at, $time_zone, z.least_us, z.greatest_us) AS done_date,
           local_date_among(i.resolved_at, $time_zone, z.least_us, z.greatest_us) AS resolved_date
    FROM issues i
    JOIN outdated_issues o ON o.issue_id = i.issue_id
    LEFT JOIN clocks c ON c.issue_id = i.issue_id
    LEFT JOIN backward_moves b ON b.issue_id = i.issue_id
    CROSS JOIN utc_offsets($time_zone) z
    WHERE i.load_id >= getvariable('least_load')
),
judged AS (
    SELECT *,
           CASE WHEN done_at IS NULL THEN NULL
                WHEN started_at IS NULL THEN 'not_started'
                WHEN done_at < started_at THEN 'stop_before_start'
                WHEN done_at = started_at THEN 'zero_time'
                ELSE 'ok' END AS cycle_quality,
           CASE $cycle_time_from WHEN 'started' THEN started_at ELSE created_at END AS headline_start,
           CASE $cycle_time_to WHEN 'done' THEN done_at ELSE resolved_at END AS headline_stop,
           CASE $cycle_time_to WHEN 'done' THEN done_date ELSE resolved_date END AS headline_stop_date
    FROM dated
)
SELECT j.issue_id, j.issue_key, j.project_key, j.issue_type, j.priority, j.hierarchy_level,
       coalesce(j.hierarchy_level, CASE WHEN j.is_subtask THEN -1 ELSE 0 END) = 0
           AND NOT list_contains($excluded_types, folded(j.issue_type)) AS counts_in_flow,
       j.assignee_id, o.team, j.story_points, j.resolution, j.status, j.status_category,
       j.created_at, j.started_at, j.started_at_last, j.first_done_at, j.done_at, j.resolved_at,
       j.created_date, j.started_date, j.done_date, j.resolved_date,
       -- Jira truncates the resolution date to the second, so it may lie up to a second before the start it follows.
       CASE WHEN $cycle_time_from = 'created' THEN hours_between(j.headline_start, j.headline_stop)
            WHEN hours_between(j.headline_start, j.headline_stop) >= 0 THEN hours_between(j.headline_start, j.headline_stop)
            WHEN $cycle_time_to = 'resolved' AND hours_between(j.headline_start, j.headline_stop) > -1 / 3600.0 THEN 0
       END AS cycle_time_hours,
       CASE WHEN cycle_time_hours IS NOT NULL THEN j.headline_stop_date END AS cycle_time_stop_date,
       w.working_hours,
       t.active_hours, t.waiting_hours, t.blocked_hours, t.backlog_hours, t.done_gap_hours,
       CASE WHEN k.flags OR s.scope IS NOT NULL
            THEN t.active_hours / nullif(t.active_hours + t.waiting_hours + t.blocked_hours + t.backlog_hours + t.done_gap_hours, 0)
       END AS flow_efficiency,
       j.reopen_count, j.returned_to_todo_count, j.backward_moves, j.cycle_quality,
       CASE WHEN j.done_at IS NOT NULL THEN NOT list_contains($withdrawn_resolutions, folded(coalesce(j.resolution, ''))) END AS is_delivered,
       a.assignee_id AS assignee_id_at_done, a.team AS team_at_done,
       CASE WHEN j.done_at IS NOT NULL THEN coalesce(p.key_at_done, j.project_key) END AS project_key_at_done,
       j.created_not_initial, j.change_before_created, j.broken_chain, j.tail_mismatch, j.unknown_status,
       coalesce(j.last_moved_within_done_at > j.done_at, false) AS changed_after_done,
       h.issue_id IS NOT NULL AS history_incomplete,
       j.load_id
FROM judged j
CROSS JOIN knows k
LEFT JOIN (SELECT DISTINCT issue_id FROM raw_issues WHERE NOT history_complete) h ON h.issue_id = j.issue_id
LEFT JOIN time_buckets t ON t.issue_id = j.issue_id
LEFT JOIN worked w ON w.issue_id = j.issue_id
LEFT JOIN assignees_at_done a ON a.issue_id = j.issue_id
LEFT JOIN other_projects_at_done p ON p.issue_id = j.issue_id
LEFT JOIN matched_assignees o ON o.user_id = j.assignee_id
LEFT JOIN workflow_scopes c ON c.project_key = j.project_key
LEFT JOIN scopes s ON s.scope = coalesce(c.scope, 0);

INSERT INTO ops.cycle_time_changes BY NAME
SELECT $batch::BIGINT AS batch, 1 AS sign, * FROM changed_cycle_times WHERE $batch IS NOT NULL;

DROP VIEW changed_cycle_times;

DROP TABLE other_projects_at_done;
DROP TABLE assignees_at_done;
DROP TABLE worked;
DROP TABLE time_buckets;
DROP TABLE bucket_spans;
DROP TABLE backward_moves;
DROP TABLE clocks;
DROP TABLE outdated_issues;

-- cycle_times: the clocks of every changed issue, read from its stays.
-- Run after flow_macros.sql. $time_zone: in which days begin; $cycle_time_from, $cycle_time_to: the headline clock.

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT i.*, coalesce(r.history_complete, true) AS history_complete
FROM issues i
LEFT JOIN (SELECT issue_id, load_id FROM cycle_times) d ON d.issue_id = i.issue_id
LEFT JOIN (SELECT issue_id, history_complete FROM raw_issues) r ON r.issue_id = i.issue_id
WHERE d.issue_id IS NULL OR d.load_id IS DISTINCT FROM i.load_id;

DELETE FROM cycle_times WHERE issue_id IN (SELECT issue_id FROM changed_issues);
DELETE FROM cycle_times WHERE issue_id NOT IN (SELECT issue_id FROM issues);

INSERT INTO cycle_times BY NAME
WITH clocks AS (
    SELECT issue_id,
           min(s.entered_at) FILTER (s.starts_clock) AS started_at,
           max(s.entered_at) FILTER (s.starts_clock AND coalesce(s.entered_from_phase, 'to_do') = 'to_do') AS started_from_todo_at,
           min(s.entered_at) FILTER (s.phase = 'done') AS first_done_at,
           max(s.entered_at) FILTER (s.phase = 'done' AND s.entered_from_phase IS DISTINCT FROM 'done') AS last_done_at,
           bool_or(s.phase = 'done' AND s.left_at IS NULL) AS is_done,
           count(*) FILTER (s.entered_from_phase = 'done' AND s.phase <> 'done') AS reopen_count,
           count(*) FILTER (s.entered_from_phase = 'in_progress' AND s.phase = 'to_do') AS returned_to_todo_count,
           max(s.status_category) FILTER (s.left_at IS NULL) AS status_category,
           bool_or(s.stay_number = 1 AND s.phase <> 'to_do') AS created_not_initial,
           bool_or(s.origin = 'clamped') AS change_before_created,
           bool_or(s.origin = 'tail') AS tail_mismatch,
           bool_or(s.broken_chain) AS broken_chain,
           bool_or(s.unknown_status) AS unknown_status
    FROM status_intervals s
    WHERE s.issue_id IN (SELECT issue_id FROM changed_issues)
    GROUP BY s.issue_id
),
dated AS (
    SELECT i.*, c.* EXCLUDE (issue_id, status_category, last_done_at, is_done, started_from_todo_at),
           coalesce(c.status_category, i.status_category) AS last_category,
           coalesce(c.started_from_todo_at, c.started_at) AS started_at_last,
           CASE WHEN c.is_done THEN c.last_done_at END AS done_at,
           local_date(i.created_at, $time_zone) AS created_date,
           local_date(c.started_at, $time_zone) AS started_date,
           local_date(CASE WHEN c.is_done THEN c.last_done_at END, $time_zone) AS done_date,
           local_date(i.resolved_at, $time_zone) AS resolved_date
    FROM changed_issues i
    LEFT JOIN clocks c ON c.issue_id = i.issue_id
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
SELECT j.issue_id, j.issue_key, j.project_key, j.issue_type, j.hierarchy_level,
       coalesce(j.hierarchy_level, CASE WHEN j.is_subtask THEN -1 ELSE 0 END) = 0 AS counts_in_flow,
       j.assignee_id, j.story_points, j.resolution, j.status, j.last_category AS status_category,
       j.created_at, j.started_at, j.started_at_last, j.first_done_at, j.done_at, j.resolved_at,
       j.created_date, j.started_date, j.done_date, j.resolved_date,
       -- Jira truncates the resolution date to the second, so it may lie up to a second before the start it follows.
       CASE WHEN $cycle_time_from = 'created' THEN hours_between(j.headline_start, j.headline_stop)
            WHEN hours_between(j.headline_start, j.headline_stop) >= 0 THEN hours_between(j.headline_start, j.headline_stop)
            WHEN $cycle_time_to = 'resolved' AND hours_between(j.headline_start, j.headline_stop) > -1 / 3600.0 THEN 0
       END AS cycle_time_hours,
       CASE WHEN cycle_time_hours IS NOT NULL THEN j.headline_stop_date END AS cycle_time_stop_date,
       hours_between(j.created_at, j.resolved_at) AS resolution_time_hours,
       hours_between(j.created_at, j.done_at) AS lead_time_hours,
       days_inclusive(j.created_date, j.done_date) AS lead_time_days,
       CASE WHEN j.cycle_quality IN ('ok', 'zero_time') THEN hours_between(j.started_at, j.done_at) END AS started_to_done_hours,
       CASE WHEN j.cycle_quality IN ('ok', 'zero_time') THEN days_inclusive(j.started_date, j.done_date) END AS started_to_done_days,
       j.reopen_count, j.returned_to_todo_count, j.cycle_quality,
       j.created_not_initial, j.change_before_created, j.broken_chain, j.tail_mismatch, j.unknown_status,
       NOT j.history_complete AS history_incomplete,
       j.resolved_at IS NOT NULL AND j.done_at IS NULL AND j.history_complete AS resolved_not_done,
       j.done_at IS NOT NULL AND j.resolved_at IS NULL AS done_not_resolved,
       j.load_id
FROM judged j;

-- The roster changes without any issue changing.
UPDATE cycle_times AS c
SET team = t.team
FROM (
    SELECT c.issue_id, m.team
    FROM cycle_times c
    LEFT JOIN matched_assignees m ON m.user_id = c.assignee_id
    WHERE c.team IS DISTINCT FROM m.team
) t
WHERE t.issue_id = c.issue_id;

DROP TABLE changed_issues;

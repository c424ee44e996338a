-- cycle_times: the clocks of every changed issue, read from its stays.
-- Run after flow_macros.sql and workflow_rules.sql, and after the caller filled work_spans (begins_at, ends_at, hours_before).
-- $time_zone: in which days begin; $cycle_time_from, $cycle_time_to: the headline clock; $has_calendar.

CREATE OR REPLACE TEMP TABLE outdated_issues AS
SELECT coalesce(i.issue_id, d.issue_id) AS issue_id
FROM (SELECT issue_id, load_id FROM issues) i
FULL JOIN (SELECT issue_id, load_id FROM cycle_times) d ON d.issue_id = i.issue_id
WHERE d.issue_id IS NULL OR i.issue_id IS NULL OR d.load_id IS DISTINCT FROM i.load_id;

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT i.issue_id, i.issue_key, i.project_id, i.project_key, i.issue_type, i.priority, i.hierarchy_level, i.is_subtask,
       i.assignee_id, i.story_points, i.resolution, i.status, i.status_category, i.created_at, i.resolved_at, i.load_id,
       coalesce(i.hierarchy_level, CASE WHEN i.is_subtask THEN -1 ELSE 0 END) = 0
           AND NOT list_contains($excluded_types, folded(i.issue_type)) AS counts_in_flow,
       coalesce(r.history_complete, true) AS history_complete
FROM issues i
LEFT JOIN (SELECT issue_id, history_complete FROM raw_issues) r ON r.issue_id = i.issue_id
WHERE i.issue_id IN (SELECT issue_id FROM outdated_issues);

DELETE FROM cycle_times WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

CREATE OR REPLACE TEMP TABLE clocks AS
SELECT issue_id,
       min(s.entered_at) FILTER (s.starts_clock) AS started_at,
       max(s.entered_at) FILTER (s.starts_clock AND (s.entered_from_phase IS NULL OR s.entered_from_phase = 'to_do')) AS started_from_todo_at,
       min(s.entered_at) FILTER (s.phase = 'done') AS first_done_at,
       max(s.entered_at) FILTER (s.phase = 'done' AND s.entered_from_phase IS DISTINCT FROM 'done') AS last_done_at,
       bool_or(s.phase = 'done' AND s.left_at IS NULL) AS is_done,
       count(*) FILTER (s.entered_from_phase = 'done' AND s.phase <> 'done') AS reopen_count,
       count(*) FILTER (s.entered_from_phase = 'in_progress' AND s.phase = 'to_do') AS returned_to_todo_count,
       count(*) FILTER (s.phase < s.entered_from_phase) AS moves_to_earlier_phase,
       max(s.entered_at) FILTER (s.phase = 'done' AND s.entered_from_phase = 'done') AS last_moved_within_done_at,
       max(s.status_category) FILTER (s.left_at IS NULL) AS status_category,
       bool_or(s.stay_number = 1 AND s.phase <> 'to_do') AS created_not_initial,
       bool_or(s.origin = 'clamped') AS change_before_created,
       bool_or(s.origin = 'tail') AS tail_mismatch,
       bool_or(s.broken_chain) AS broken_chain,
       bool_or(s.unknown_status) AS unknown_status
FROM status_intervals s
WHERE s.issue_id IN (SELECT issue_id FROM changed_issues)
GROUP BY s.issue_id;

-- Moves inside a phase to a status that the issue had reached before the one it leaves. Only an issue that came back to a
-- status can have one.
CREATE OR REPLACE TEMP TABLE backward_moves AS
WITH came_back AS (
    SELECT DISTINCT issue_id FROM time_in_status WHERE visits > 1 AND issue_id IN (SELECT issue_id FROM changed_issues)
),
reached AS (
    SELECT s.issue_id, s.stay_number, s.phase, t.first_entered_at
    FROM status_intervals s
    JOIN time_in_status t
      ON t.issue_id = s.issue_id AND t.status_id IS NOT DISTINCT FROM s.status_id
     AND t.status IS NOT DISTINCT FROM s.status AND t.phase = s.phase
    WHERE s.issue_id IN (SELECT issue_id FROM came_back)
),
compared AS (
    SELECT issue_id, phase = lag(phase) OVER chronological AND first_entered_at < lag(first_entered_at) OVER chronological AS is_backward
    FROM reached
    WINDOW chronological AS (PARTITION BY issue_id ORDER BY stay_number)
)
SELECT issue_id, count(*) FILTER (is_backward) AS moves_within_phase FROM compared GROUP BY issue_id;

CREATE OR REPLACE TEMP TABLE judged AS
WITH dated AS (
    SELECT i.*, c.* EXCLUDE (issue_id, status_category, last_done_at, is_done, started_from_todo_at),
           coalesce(c.status_category::VARCHAR, i.status_category) AS last_category,
           coalesce(c.started_from_todo_at, c.started_at) AS started_at_last,
           CASE WHEN c.is_done THEN c.last_done_at END AS done_at,
           CASE WHEN c.issue_id IS NOT NULL THEN c.moves_to_earlier_phase + coalesce(b.moves_within_phase, 0) END AS backward_moves,
           local_date(i.created_at, $time_zone) AS created_date,
           local_date(c.started_at, $time_zone) AS started_date,
           local_date(CASE WHEN c.is_done THEN c.last_done_at END, $time_zone) AS done_date,
           local_date(i.resolved_at, $time_zone) AS resolved_date
    FROM changed_issues i
    LEFT JOIN clocks c ON c.issue_id = i.issue_id
    LEFT JOIN backward_moves b ON b.issue_id = i.issue_id
)
SELECT *,
       CASE WHEN done_at IS NULL THEN NULL
            WHEN started_at IS NULL THEN 'not_started'
            WHEN done_at < started_at THEN 'stop_before_start'
            WHEN done_at = started_at THEN 'zero_time'
            ELSE 'ok' END AS cycle_quality,
       CASE $cycle_time_from WHEN 'started' THEN started_at ELSE created_at END AS headline_start,
       CASE $cycle_time_to WHEN 'done' THEN done_at ELSE resolved_at END AS headline_stop,
       CASE $cycle_time_to WHEN 'done' THEN done_date ELSE resolved_date END AS headline_stop_date
FROM dated;

CREATE OR REPLACE TEMP TABLE bucket_spans AS
SELECT issue_id, started_at AS from_at, done_at AS until_at FROM judged WHERE cycle_quality IN ('ok', 'zero_time');

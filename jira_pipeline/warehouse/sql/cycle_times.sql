-- cycle_times: the clocks of every changed issue, read from its stays.
-- Run after flow_macros.sql, workflow_rules.sql and one of newer_issues.sql and outdated_issues.sql. The rows of outdated_issues
-- in status_intervals are changed_stays here, those in time_in_status changed_times: views, or tables where they are few.
-- $batch: under which number what changes here is kept in ops.cycle_time_changes for the tables that are brought forward by it
-- instead of being counted anew; NULL: there are none.

-- What the daily counts are made of.
CREATE OR REPLACE TEMP VIEW changed_cycle_times AS
SELECT issue_id, project_key, counts_in_flow, history_incomplete, created_date, started_date, done_date, resolved_date, cycle_time_stop_date,
       cycle_time_hours, story_points, cycle_quality, is_delivered, project_key_at_done
FROM cycle_times
WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

INSERT INTO ops.cycle_time_changes BY NAME
SELECT $batch::BIGINT AS batch, -1 AS sign, * FROM changed_cycle_times WHERE $batch IS NOT NULL;

DELETE FROM cycle_times WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

CREATE OR REPLACE TEMP TABLE clocks AS
WITH read AS (
    SELECT s.issue_id,
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
    FROM changed_stays s
    GROUP BY s.issue_id
)
SELECT * EXCLUDE (started_from_todo_at, last_done_at, is_done),
       coalesce(started_from_todo_at, started_at) AS started_at_last,
       CASE WHEN is_done THEN last_done_at END AS done_at
FROM read;

CREATE OR REPLACE TEMP TABLE bucket_spans AS
SELECT issue_id, started_at AS from_at, done_at AS until_at FROM clocks WHERE done_at >= started_at;

-- Moves inside a phase to a status that the issue had reached before the one it leaves: so the stay is not its first there.
CREATE OR REPLACE TEMP TABLE backward_moves AS
WITH returns AS (
    SELECT s.issue_id, s.stay_number, r.first_entered_at
    FROM changed_times r
    JOIN changed_stays s
      ON s.issue_id = r.issue_id AND s.status_id IS NOT DISTINCT FROM r.status_id AND s.status IS NOT DISTINCT FROM r.status
     AND s.phase = r.phase
    WHERE r.visits > 1 AND s.entered_from_phase = s.phase AND s.entered_at > r.first_entered_at
),
left_stays AS (
    SELECT s.issue_id, s.status_id, s.status, s.phase, r.first_entered_at
    FROM returns r
    JOIN changed_stays s ON s.issue_id = r.issue_id AND s.stay_number = r.stay_number - 1
)
SELECT s.issue_id, count(*) AS moves_within_phase
FROM left_stays s
JOIN changed_times l
  ON l.issue_id = s.issue_id AND l.status_id IS NOT DISTINCT FROM s.status_id AND l.status IS NOT DISTINCT FROM s.status
 AND l.phase = s.phase
WHERE s.first_entered_at < l.first_entered_at
GROUP BY s.issue_id;

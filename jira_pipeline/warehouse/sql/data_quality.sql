-- data_quality: one row an issue and flag. $as_of: now; $stale_days: how long without an update makes open work stale;
-- $is_rebuild: whether the table is empty, or holds all but what changed in cycle_times since (untaken_changes).

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT DISTINCT issue_id FROM untaken_changes;

-- One author, ten issues or more into Done inside five minutes: a clean-up, not deliveries. Ten in five minutes lie in two
-- adjacent slots of five minutes, one of which holds at least five: that spares looking up the author of everything else.
-- Another answer than before can only come of a closing of a changed issue, with those up to a slot away, or of those that
-- were bulk_closed.
CREATE OR REPLACE TEMP TABLE bulk_closed AS
WITH all_closings AS MATERIALIZED (
    SELECT issue_id, history_id, entered_at, epoch_us(entered_at) // 300000000 AS slot
    FROM status_intervals
    WHERE phase = 'done' AND entered_from_phase <> 'done' AND history_id IS NOT NULL
),
doubtful_issues AS (
    SELECT issue_id FROM changed_issues WHERE NOT $is_rebuild
    UNION
    SELECT issue_id FROM data_quality WHERE flag = 'bulk_closed'
),
doubtful_slots AS (
    SELECT DISTINCT unnest([slot - 1, slot, slot + 1]) AS slot
    FROM all_closings WHERE issue_id IN (SELECT issue_id FROM doubtful_issues)
),
closings AS MATERIALIZED (
    SELECT * FROM all_closings WHERE $is_rebuild OR slot IN (SELECT slot FROM doubtful_slots)
),
slots AS (SELECT slot, count(*) AS closings FROM closings GROUP BY slot),
busy AS (SELECT slot, closings, unnest([slot - 1, slot + 1]) AS adjacent_slot FROM slots WHERE closings >= 5),
crowded AS (
    SELECT unnest([b.slot, b.adjacent_slot]) AS slot
    FROM busy b
    LEFT JOIN slots a ON a.slot = b.adjacent_slot
    WHERE b.closings + coalesce(a.closings, 0) >= 10
),
suspects AS MATERIALIZED (
    SELECT issue_id, history_id, entered_at FROM closings WHERE slot IN (SELECT slot FROM crowded)
),
changes AS MATERIALIZED (
    SELECT issue_id, history_id, author_id FROM issue_changes WHERE issue_id IN (SELECT issue_id FROM suspects)
),
authored AS (
    SELECT DISTINCT s.issue_id, s.entered_at, c.author_id
    FROM suspects s
    JOIN changes c ON c.issue_id = s.issue_id AND c.history_id = s.history_id
    WHERE c.author_id IS NOT NULL
),
counted AS (
    SELECT *, count(*) OVER (PARTITION BY author_id ORDER BY entered_at RANGE BETWEEN INTERVAL 5 MINUTE PRECEDING AND CURRENT ROW) AS closings_before
    FROM authored
),
spread AS (
    SELECT *, max(closings_before) OVER (PARTITION BY author_id ORDER BY entered_at RANGE BETWEEN CURRENT ROW AND INTERVAL 5 MINUTE FOLLOWING) AS most
    FROM counted
)
SELECT DISTINCT issue_id FROM spread WHERE most >= 10;

-- What one issue's row in cycle_times tells is told anew of the issues that changed, what the clock or a parent tells of all.
CREATE OR REPLACE TEMP TABLE judged_issues AS
SELECT issue_id, issue_key, project_key, cycle_quality, created_not_initial, change_before_created, broken_chain, tail_mismatch,
       history_incomplete, unknown_status, resolved_not_done, done_not_resolved, reopen_count, returned_to_todo_count, changed_after_done,
       assignee_id IS NOT NULL AND team IS NULL AS assignee_unmatched
FROM cycle_times
WHERE $is_rebuild OR issue_id IN (SELECT issue_id FROM changed_issues);

DELETE FROM data_quality
WHERE flag IN ('bulk_closed', 'stale', 'subtask_started_parent_not', 'parent_done_child_open')
   OR issue_id IN (SELECT issue_id FROM changed_issues);

INSERT INTO data_quality BY NAME
WITH families AS MATERIALIZED (
    SELECT parent.issue_id, parent.issue_key, parent.project_key,
           parent.started_at IS NULL AND parent.done_at IS NULL AND child.started_at IS NOT NULL AND child.hierarchy_level = -1 AS is_begun_by_part,
           parent.done_at IS NOT NULL AND child.done_at IS NULL AND NOT child.history_incomplete AS is_done_but_for_part
    FROM issues i
    JOIN cycle_times child ON child.issue_id = i.issue_id
    JOIN cycle_times parent ON parent.issue_key = i.parent_key
    WHERE i.parent_key IS NOT NULL
),
flags AS (
    SELECT issue_id, issue_key, project_key, cycle_quality AS flag FROM judged_issues WHERE cycle_quality <> 'ok'
    UNION ALL SELECT issue_id, issue_key, project_key, 'created_not_initial' FROM judged_issues WHERE created_not_initial
    UNION ALL SELECT issue_id, issue_key, project_key, 'change_before_created' FROM judged_issues WHERE change_before_created
    UNION ALL SELECT issue_id, issue_key, project_key, 'broken_chain' FROM judged_issues WHERE broken_chain
    UNION ALL SELECT issue_id, issue_key, project_key, 'tail_mismatch' FROM judged_issues WHERE tail_mismatch
    UNION ALL SELECT issue_id, issue_key, project_key, 'history_incomplete' FROM judged_issues WHERE history_incomplete
    UNION ALL SELECT issue_id, issue_key, project_key, 'unknown_status' FROM judged_issues WHERE unknown_status
    UNION ALL SELECT issue_id, issue_key, project_key, 'resolved_not_done' FROM judged_issues WHERE resolved_not_done
    UNION ALL SELECT issue_id, issue_key, project_key, 'done_not_resolved' FROM judged_issues WHERE done_not_resolved
    UNION ALL SELECT issue_id, issue_key, project_key, 'reopened' FROM judged_issues WHERE reopen_count > 0
    UNION ALL SELECT issue_id, issue_key, project_key, 'returned_to_todo' FROM judged_issues WHERE returned_to_todo_count > 0
    UNION ALL SELECT issue_id, issue_key, project_key, 'changed_after_done' FROM judged_issues WHERE changed_after_done
    UNION ALL SELECT issue_id, issue_key, project_key, 'assignee_unmatched' FROM judged_issues WHERE assignee_unmatched
    UNION ALL
    SELECT issue_id, issue_key, project_key, 'bulk_closed' FROM cycle_times WHERE issue_id IN (SELECT issue_id FROM bulk_closed)
    UNION ALL
    SELECT issue_id, issue_key, project_key, 'stale'
    FROM issues
    WHERE issue_id IN (SELECT issue_id FROM cycle_times WHERE started_at IS NOT NULL AND done_at IS NULL)
      AND hours_between(updated_at, $as_of) >= 24 * $stale_days
    UNION ALL
    SELECT DISTINCT issue_id, issue_key, project_key, 'subtask_started_parent_not' FROM families WHERE is_begun_by_part
    UNION ALL
    SELECT DISTINCT issue_id, issue_key, project_key, 'parent_done_child_open' FROM families WHERE is_done_but_for_part
),
effects AS (
    SELECT unnest([
        {flag: 'not_started', effect: 'no cycle time; counts in throughput and lead time'},
        {flag: 'zero_time', effect: 'left out of percentiles'},
        {flag: 'stop_before_start', effect: 'no cycle time; counts in throughput'},
        {flag: 'created_not_initial', effect: 'the clock may have started before Jira knew of it'},
        {flag: 'change_before_created', effect: 'changes are dated at creation'},
        {flag: 'broken_chain', effect: 'time before the gap stays with the status before it'},
        {flag: 'tail_mismatch', effect: 'the last move is dated by the category change or the last update'},
        {flag: 'history_incomplete', effect: 'left out of every flow figure'},
        {flag: 'unknown_status', effect: 'category guessed from name or position'},
        {flag: 'resolved_not_done', effect: 'has a resolution time but counts as open'},
        {flag: 'done_not_resolved', effect: 'counts as done but has no resolution time'},
        {flag: 'reopened', effect: 'cycle time runs to the last completion, the gap included'},
        {flag: 'returned_to_todo', effect: 'cycle time runs from the first start, the backlog time included'},
        {flag: 'changed_after_done', effect: 'completion keeps its first date'},
        {flag: 'assignee_unmatched', effect: 'no team'},
        {flag: 'bulk_closed', effect: 'completion date may be a clean-up, not a delivery'},
        {flag: 'stale', effect: 'none; look whether anybody works on it'},
        {flag: 'subtask_started_parent_not', effect: 'work on the issue began before its own clock'},
        {flag: 'parent_done_child_open', effect: 'counted as done while a part is open'}], recursive := true)
)
SELECT f.issue_id, f.issue_key, f.project_key, f.flag, e.effect
FROM flags f
JOIN effects e ON e.flag = f.flag;

DROP TABLE judged_issues;
DROP TABLE bulk_closed;
DROP TABLE changed_issues;

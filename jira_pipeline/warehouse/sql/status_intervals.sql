-- status_intervals: the stays of every changed issue, from its creation and its status changes.
-- Run after flow_macros.sql, workflow_rules.sql and one of newer_issues.sql and outdated_issues.sql; status_items is the query of
-- that file.
-- $time_zone: in which days begin; $readers: the tables of daily counts that are brought forward by what changes here.

-- Issues without their whole history have no stays.
CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT i.issue_id, i.load_id, i.project_key, i.created_at, i.updated_at, i.status_id, i.status, i.status_category_changed_at,
       coalesce(i.hierarchy_level, CASE WHEN i.is_subtask THEN -1 ELSE 0 END) = 0
           AND NOT list_contains($excluded_types, folded(i.issue_type)) AS counts_in_flow,
       coalesce(s.scope, 0) AS scope
FROM issues i
LEFT JOIN workflow_scopes s ON s.project_key = i.project_key
WHERE i.issue_id IN (SELECT issue_id FROM outdated_issues) AND i.load_id >= getvariable('least_load')
  AND i.issue_id NOT IN (SELECT issue_id FROM raw_issues WHERE NOT history_complete AND issue_id IS NOT NULL);

CREATE OR REPLACE TEMP TABLE replaced_stays AS
SELECT issue_id, project_key, counts_in_flow, status_id, status, status_category, phase, entered_from_phase, entered_date, left_date
FROM status_intervals
WHERE len($readers::VARCHAR[]) > 0 AND issue_id IN (SELECT issue_id FROM outdated_issues);

DELETE FROM status_intervals WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

-- Every status met, as (id, recorded name), numbered so that the window below carries integers. Two entries are the same
-- status when they share the id; an entry without an id is the site's status of that name, else a status of its own. The
-- ten thousands of an entry's number are the number of its status, so that a glance at two entries tells whether they are one;
-- entry 0 is no status.
-- Category: by id; for an id the site no longer has, by its recorded name; else NULL, decided by position further down.
CREATE OR REPLACE TEMP TABLE met_statuses AS
WITH moved AS MATERIALIZED (
    SELECT DISTINCT from_id, from_name, to_id, to_name FROM status_items
),
met AS (
    SELECT from_id AS recorded_id, from_name AS recorded_name FROM moved
    UNION SELECT to_id, to_name FROM moved
    UNION SELECT coalesce(status_id, ''), coalesce(status, '') FROM changed_issues
    UNION SELECT '', ''
),
known AS (SELECT status_id, name, status_category, is_listed FROM statuses WHERE status_category IS NOT NULL),
-- Of several statuses of one name, one that the site still has.
known_by_name AS (
    SELECT folded(name) AS folded_name, arg_min(status_id, (NOT is_listed, status_id)) AS status_id,
           arg_min(status_category, (NOT is_listed, status_id)) AS status_category
    FROM known GROUP BY ALL
),
resolved AS (
    SELECT m.recorded_id, m.recorded_name,
           coalesce(k.status_id, nullif(m.recorded_id, ''), n.status_id) AS status_id,
           coalesce(k.name, nullif(m.recorded_name, '')) AS status,
           coalesce(k.status_category, n.status_category) AS status_category,
           k.status_id IS NULL AND (m.recorded_id <> '' OR n.status_id IS NULL) AS is_unknown
    FROM met m
    LEFT JOIN known k ON k.status_id = m.recorded_id
    LEFT JOIN known_by_name n ON n.folded_name = folded(m.recorded_name)
)
SELECT (10000 * (dense_rank() OVER (ORDER BY same_status <> '/', same_status) - 1)
        + row_number() OVER (PARTITION BY same_status ORDER BY recorded_id, recorded_name) - 1)::INTEGER AS entry,
       * EXCLUDE (same_status)
FROM (SELECT *, coalesce(status_id, '/' || folded(status), '/') AS same_status FROM resolved);

-- What each status means in each scope, at creation and later: of a status that nothing tells about, only its position
-- says something. An issue is not begun in it when it was created there, and is being worked on when it was moved there.
CREATE OR REPLACE TEMP TABLE status_roles AS
WITH scopes AS (
    SELECT scope,
           (SELECT count(*) > 0 FROM workflow_rules w WHERE w.scope = c.scope AND w.role = 'started') AS has_started,
           (SELECT count(*) > 0 FROM workflow_rules w WHERE w.scope = c.scope AND w.role = 'done') AS has_done
    FROM (SELECT DISTINCT scope FROM changed_issues) c
),
listed AS (
    SELECT c.scope, c.has_started, c.has_done, m.* EXCLUDE (status_category), k.is_initial,
           coalesce(m.status_category, CASE WHEN k.is_initial THEN 'new' ELSE 'indeterminate' END) AS status_category,
           coalesce(bool_or(r.role = 'started'), false) AS in_started,
           coalesce(bool_or(r.role = 'done'), false) AS in_done,
           coalesce(bool_or(r.role = 'waiting'), false) AS is_waiting
    FROM scopes c
    CROSS JOIN met_statuses m
    CROSS JOIN (VALUES (true), (false)) k(is_initial)
    LEFT JOIN workflow_rules r
           ON r.scope = c.scope
          AND (trim(r.status) = m.status_id OR folded(r.status) IN (folded(m.status), folded(m.recorded_name)))
    GROUP BY ALL
),
phased AS (
    SELECT *,
           CASE WHEN in_done THEN 'done'
                WHEN in_started THEN 'in_progress'
                WHEN status_category = 'done' AND has_done THEN 'in_progress'  -- left out of the done list: not done yet
                WHEN status_category = 'done' THEN 'done'
                WHEN status_category = 'indeterminate' THEN 'in_progress'
                ELSE 'to_do' END AS phase
    FROM listed
)
SELECT scope, entry, is_initial, status_id, status, status_category::ENUM ('new', 'indeterminate', 'done') AS status_category,
       is_unknown, is_waiting, phase::ENUM ('to_do', 'in_progress', 'done') AS phase,
       CASE WHEN has_started THEN in_started ELSE phase = 'in_progress' AND status_category = 'indeterminate' END AS starts_clock
FROM phased;

-- Creation (number 1 of an issue) and its changes, in order. The status at creation is the one that the first change leaves;
-- without changes, the present one. Narrow on purpose: the window sorts every move of every changed issue; what can be looked up
-- or reckoned is added when the stays are written.
CREATE OR REPLACE TEMP TABLE status_moves AS
WITH moves AS (
    SELECT i.issue_id, NULL AS changed_at, NULL AS history_id, NULL AS item_index, m.entry AS from_entry, NULL AS to_entry
    FROM changed_issues i
    JOIN met_statuses m ON m.recorded_id = coalesce(i.status_id, '') AND m.recorded_name = coalesce(i.status, '')
    UNION ALL
    SELECT t.issue_id, t.changed_at, t.history_id, t.item_index, f.entry, o.entry
    FROM status_items t
    JOIN met_statuses f ON f.recorded_id = t.from_id AND f.recorded_name = t.from_name
    JOIN met_statuses o ON o.recorded_id = t.to_id AND o.recorded_name = t.to_name
    WHERE f.entry // 10000 <> o.entry // 10000                              -- a change from a status to itself is no move
),
placed AS (
    SELECT issue_id, history_id, from_entry, changed_at,
           (row_number() OVER chronological)::INTEGER AS number,
           coalesce(to_entry, lead(from_entry) OVER chronological, from_entry) AS entry,
           coalesce(lag(to_entry) OVER chronological, from_entry) AS previous_entry,
           lead(changed_at) OVER chronological AS next_changed_at
    FROM moves
    -- The numeric history id, then the item's place, decide between changes of the same instant.
    WINDOW chronological AS (PARTITION BY issue_id ORDER BY changed_at NULLS FIRST, history_id, item_index)
)
SELECT * EXCLUDE (from_entry),
       number > 1 AND from_entry <> 0 AND from_entry // 10000 <> previous_entry // 10000 AS broken_chain,
       -- A move to where the issue is already (a duplicated history, a broken chain) begins no new stay.
       number = 1 OR entry // 10000 <> previous_entry // 10000 AS begins_stay
FROM placed;

-- The present status where the history ends in another one: entered when the category changed, else at the last update.
CREATE OR REPLACE TEMP TABLE tails AS
SELECT m.issue_id, m.number + 1 AS number, r.entry,
       greatest(m.changed_at, CASE WHEN coalesce(l.status_category, 'indeterminate') = r.status_category THEN i.updated_at
                                   ELSE coalesce(i.status_category_changed_at, i.updated_at) END) AS entered_at
FROM status_moves m
JOIN changed_issues i ON i.issue_id = m.issue_id
JOIN met_statuses p ON p.recorded_id = coalesce(i.status_id, '') AND p.recorded_name = coalesce(i.status, '')
JOIN met_statuses l ON l.entry = m.entry
JOIN status_roles r ON r.scope = i.scope AND r.entry = p.entry AND NOT r.is_initial
WHERE m.next_changed_at IS NULL AND m.number > 1 AND p.entry // 10000 <> m.entry // 10000
  AND (i.status_id IS NOT NULL OR i.status IS NOT NULL);

-- Most issues have a stay a move; the few others are numbered anew.
CREATE OR REPLACE TEMP TABLE irregular_issues AS
SELECT issue_id FROM status_moves WHERE NOT begins_stay
UNION SELECT issue_id FROM tails;

INSERT INTO status_intervals BY NAME
WITH kept AS (
    SELECT issue_id, number, history_id, false AS is_tail, broken_chain, entry, changed_at
    FROM status_moves
    WHERE begins_stay AND issue_id IN (SELECT issue_id FROM irregular_issues)
    UNION ALL
    SELECT issue_id, number, NULL, true, false, entry, entered_at FROM tails
),
stays AS (
    SELECT issue_id, number, history_id, false AS is_tail, broken_chain, entry, previous_entry, changed_at, next_changed_at
    FROM status_moves
    WHERE issue_id NOT IN (SELECT issue_id FROM irregular_issues)
    UNION ALL
    SELECT issue_id, row_number() OVER by_number, history_id, is_tail, broken_chain, entry, lag(entry) OVER by_number, changed_at,
           lead(changed_at) OVER by_number
    FROM kept
    WINDOW by_number AS (PARTITION BY issue_id ORDER BY number)
),
-- Nothing happens to an issue before it is created.
clamped AS (
    SELECT s.*, i.project_key, i.counts_in_flow, i.scope, i.load_id, coalesce(s.changed_at < i.created_at, false) AS is_clamped,
           greatest(s.changed_at, i.created_at) AS entered_at,
           CASE WHEN s.next_changed_at IS NOT NULL THEN greatest(s.next_changed_at, i.created_at) END AS left_at
    FROM stays s
    JOIN changed_issues i ON i.issue_id = s.issue_id
)
SELECT s.issue_id, s.project_key, s.counts_in_flow, s.number AS stay_number, r.status_id, r.status, r.status_category, r.phase,
       r.starts_clock, r.is_waiting, CASE WHEN s.number > 1 THEN b.phase END AS entered_from_phase, s.entered_at, s.left_at,
       local_date_among(s.entered_at, $time_zone, o.least_us, o.greatest_us) AS entered_date,
       local_date_among(s.left_at, $time_zone, o.least_us, o.greatest_us) AS left_date,
       CASE WHEN s.number = 1 THEN as_origin('created') WHEN s.is_tail THEN as_origin('tail')
            WHEN s.is_clamped THEN as_origin('clamped') ELSE as_origin('change') END AS origin,
       s.history_id, s.broken_chain, r.is_unknown AS unknown_status, s.load_id
FROM clamped s
CROSS JOIN utc_offsets($time_zone) o
JOIN status_roles r ON r.scope = s.scope AND r.entry = s.entry AND r.is_initial = (s.number = 1)
LEFT JOIN status_roles b ON b.scope = s.scope AND b.entry = s.previous_entry AND b.is_initial = (s.number = 2);

DROP TABLE irregular_issues;
DROP TABLE tails;
DROP TABLE status_moves;

CREATE OR REPLACE TEMP TABLE exchanged_stays AS
SELECT -1 AS sign, * FROM replaced_stays
UNION ALL
SELECT 1, issue_id, project_key, counts_in_flow, status_id, status, status_category, phase, entered_from_phase, entered_date, left_date
FROM status_intervals
WHERE len($readers::VARCHAR[]) > 0 AND issue_id IN (SELECT issue_id FROM changed_issues)
  AND load_id >= getvariable('least_load');

-- What the daily counts of cumulative_flow gain and lose.
INSERT INTO ops.cumulative_flow_changes BY NAME
WITH differences AS (
    SELECT * EXCLUDE (sign), entered_date AS metric_date, sign AS delta FROM exchanged_stays
    WHERE counts_in_flow AND list_contains($readers::VARCHAR[], 'cumulative_flow')
    UNION ALL
    SELECT * EXCLUDE (sign), left_date, -sign FROM exchanged_stays
    WHERE counts_in_flow AND left_date IS NOT NULL AND list_contains($readers::VARCHAR[], 'cumulative_flow')
)
SELECT project_key, status_id, status, status_category, phase, metric_date, sum(delta) AS delta
FROM differences
GROUP BY ALL
HAVING sum(delta) <> 0;

-- And those of cycle_time_metrics.
INSERT INTO ops.done_move_changes BY NAME
WITH moves AS (
    SELECT sign, issue_id, project_key, entered_date AS metric_date,
           sum(CASE WHEN phase = 'done' THEN -1 ELSE 1 END) AS open_issues,
           max(CASE WHEN phase = 'done' THEN 0 ELSE 1 END) AS reopened_issues
    FROM exchanged_stays
    WHERE (phase = 'done') <> coalesce(entered_from_phase = 'done', false) AND list_contains($readers::VARCHAR[], 'cycle_time_metrics')
    GROUP BY ALL
)
SELECT metric_date, project_key, sum(sign * open_issues) AS open_issues, sum(sign * reopened_issues) AS reopened_issues
FROM moves
GROUP BY ALL
HAVING sum(sign * open_issues) <> 0 OR sum(sign * reopened_issues) <> 0;

DROP TABLE exchanged_stays;
DROP TABLE replaced_stays;
DROP TABLE status_roles;
DROP TABLE met_statuses;
DROP TABLE changed_issues;
DROP TABLE outdated_issues;

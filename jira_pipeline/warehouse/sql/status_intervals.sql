-- status_intervals: the stays of every changed issue, from its creation and its status changes.
-- Run after flow_macros.sql and workflow_rules.sql. $time_zone: in which days begin.

-- Issues whose stored row is another than the one derived from. On a rebuild the table is empty, so all are.
CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT i.issue_id, i.load_id, i.created_at, i.updated_at, i.status_id, i.status, i.status_category_changed_at,
       coalesce(s.scope, 0) AS scope, coalesce(r.history_complete, true) AS history_complete
FROM issues i
LEFT JOIN (SELECT issue_id, load_id FROM status_intervals WHERE stay_number = 1) d ON d.issue_id = i.issue_id
LEFT JOIN raw_issues r ON r.issue_id = i.issue_id
LEFT JOIN workflow_scopes s ON s.project_key = i.project_key
WHERE d.issue_id IS NULL OR d.load_id IS DISTINCT FROM i.load_id;

DELETE FROM status_intervals WHERE issue_id IN (SELECT issue_id FROM changed_issues);
DELETE FROM status_intervals WHERE issue_id NOT IN (SELECT issue_id FROM issues);
DELETE FROM changed_issues WHERE NOT history_complete;

CREATE OR REPLACE TEMP TABLE status_items AS
SELECT c.issue_id, c.history_id, c.item_index, c.changed_at,
       coalesce(c.from_value, '') AS from_id, coalesce(c.from_string, '') AS from_name,
       coalesce(c.to_value, '') AS to_id, coalesce(c.to_string, '') AS to_name
FROM issue_changes c
JOIN changed_issues i ON i.issue_id = c.issue_id
WHERE c.field_id = 'status' OR (c.field = 'status' AND coalesce(c.field_id, '') = '');

-- Every status met, as (id, recorded name), numbered so that the windows below carry integers. Two entries are the same
-- status when they share the id; an entry without an id is the site's status of that name, else a status of its own.
-- Category: by id; for an id the site no longer has, by its recorded name; else NULL, decided by position further down.
CREATE OR REPLACE TEMP TABLE met_statuses AS
WITH met AS (
    SELECT from_id AS recorded_id, from_name AS recorded_name FROM status_items
    UNION SELECT to_id, to_name FROM status_items
    UNION SELECT coalesce(status_id, ''), coalesce(status, '') FROM changed_issues
    UNION SELECT '', ''
),
known AS (SELECT status_id, name, status_category FROM statuses WHERE status_category IS NOT NULL),
known_by_name AS (
    SELECT folded(name) AS folded_name, min(status_id) AS status_id, arg_min(status_category, status_id) AS status_category
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
SELECT row_number() OVER (ORDER BY recorded_id, recorded_name) AS entry,
       dense_rank() OVER (ORDER BY coalesce(status_id, '/' || folded(status), '/')) AS status_number,
       *
FROM resolved;

-- What each status means in each scope. phase and starts_clock are NULL where only the position can tell.
CREATE OR REPLACE TEMP TABLE status_roles AS
WITH scopes AS (SELECT DISTINCT scope FROM changed_issues),
listed AS (
    SELECT c.scope, m.*,
           bool_or(coalesce(r.role = 'started', false)) AS in_started,
           bool_or(coalesce(r.role = 'done', false)) AS in_done,
           bool_or(coalesce(r.role = 'waiting', false)) AS in_waiting,
           (SELECT count(*) > 0 FROM workflow_rules w WHERE w.scope = c.scope AND w.role = 'started') AS has_started,
           (SELECT count(*) > 0 FROM workflow_rules w WHERE w.scope = c.scope AND w.role = 'done') AS has_done
    FROM scopes c
    CROSS JOIN met_statuses m
    LEFT JOIN workflow_rules r
           ON r.scope = c.scope
          AND (trim(r.status) = m.status_id OR folded(r.status) IN (folded(m.status), folded(m.recorded_name)))
    GROUP BY ALL
)
SELECT scope, entry, status_id, status, status_category, status_number, is_unknown, in_waiting AS is_waiting, in_started,
       has_started, in_done,
       CASE WHEN in_done THEN 'done'
            WHEN in_started THEN 'in_progress'
            WHEN status_category = 'done' AND has_done THEN 'in_progress'  -- a done list that leaves it out says: not yet
            WHEN status_category = 'done' THEN 'done'
            WHEN status_category = 'indeterminate' THEN 'in_progress'
            WHEN status_category = 'new' THEN 'to_do'
       END AS phase
FROM listed;

-- Creation (kind 0), changes (1) and the status the issue has now (2), as moves. The last one disappears below unless the
-- history ends elsewhere.
CREATE OR REPLACE TEMP TABLE status_moves AS
WITH moves AS (
    SELECT issue_id, 0 AS kind, created_at AS moved_at, created_at AS ordered_at, 0::BIGINT AS history_id, 0 AS item_index,
           NULL::BIGINT AS from_entry, NULL::BIGINT AS to_entry, NULL::TIMESTAMPTZ AS category_changed_at
    FROM changed_issues
    UNION ALL
    SELECT t.issue_id, 1, greatest(t.changed_at, i.created_at), t.changed_at, t.history_id, t.item_index, f.entry, o.entry, NULL
    FROM status_items t
    JOIN changed_issues i ON i.issue_id = t.issue_id
    JOIN met_statuses f ON f.recorded_id = t.from_id AND f.recorded_name = t.from_name
    JOIN met_statuses o ON o.recorded_id = t.to_id AND o.recorded_name = t.to_name
    WHERE f.status_number <> o.status_number                              -- a change from a status to itself is no move
    UNION ALL
    SELECT i.issue_id, 2, coalesce(i.updated_at, i.created_at), NULL, 0, 0, m.entry, m.entry, i.status_category_changed_at
    FROM changed_issues i
    JOIN met_statuses m ON m.recorded_id = coalesce(i.status_id, '') AND m.recorded_name = coalesce(i.status, '')
    WHERE i.status_id IS NOT NULL OR i.status IS NOT NULL
)
SELECT issue_id, kind, moved_at, ordered_at, history_id, category_changed_at, from_entry,
       -- The status at creation is the one that the first change leaves; without changes, the present one.
       CASE WHEN kind = 0 THEN lead(from_entry) OVER chronological ELSE to_entry END AS to_entry,
       coalesce(lag(to_entry) OVER chronological, from_entry) AS previous_entry,
       lag(moved_at) OVER chronological AS previous_moved_at,
       row_number() OVER chronological AS position
FROM moves
-- The numeric history id, then the item's place, decide between changes of the same instant.
WINDOW chronological AS (PARTITION BY issue_id ORDER BY kind, ordered_at, history_id, item_index);

INSERT INTO status_intervals BY NAME
WITH entries AS (
    SELECT v.issue_id, v.position, v.kind, v.history_id, i.created_at, i.load_id,
           r.entry, r.status_id, r.status, r.is_unknown, r.is_waiting, r.has_started, r.in_started, r.phase AS listed_phase,
           coalesce(r.status_category, CASE WHEN v.kind = 0 THEN 'new' ELSE 'indeterminate' END) AS status_category,
           v.kind = 1 AND f.status_number <> p.status_number AND (f.status_id IS NOT NULL OR f.status IS NOT NULL) AS broken_chain,
           v.kind = 1 AND v.ordered_at < i.created_at AS is_clamped,
           CASE WHEN v.kind = 2
                THEN greatest(v.previous_moved_at,
                              CASE WHEN coalesce(p.status_category, 'indeterminate') <> coalesce(r.status_category, 'indeterminate')
                                   THEN coalesce(v.category_changed_at, v.moved_at) ELSE v.moved_at END)
                ELSE v.moved_at END AS entered_at
    FROM status_moves v
    JOIN changed_issues i ON i.issue_id = v.issue_id
    JOIN status_roles r ON r.scope = i.scope AND r.entry = coalesce(v.to_entry, (SELECT entry FROM met_statuses WHERE recorded_id = '' AND recorded_name = ''))
    LEFT JOIN met_statuses p ON p.entry = v.previous_entry
    LEFT JOIN met_statuses f ON f.entry = v.from_entry
    -- A move to where the issue is already (a duplicated history, a broken chain) begins no new stay.
    WHERE v.kind = 0 OR r.status_number IS DISTINCT FROM p.status_number
),
phased AS (
    SELECT *, coalesce(listed_phase, CASE status_category WHEN 'new' THEN 'to_do' ELSE 'in_progress' END) AS phase FROM entries
),
stays AS (
    SELECT *,
           row_number() OVER chronological AS stay_number,
           lead(entered_at) OVER chronological AS left_at,
           lag(phase) OVER chronological AS entered_from_phase
    FROM phased
    WINDOW chronological AS (PARTITION BY issue_id ORDER BY position)
)
SELECT issue_id, stay_number, status_id, status, status_category, phase,
       CASE WHEN has_started THEN in_started ELSE phase = 'in_progress' AND status_category = 'indeterminate' END AS starts_clock,
       is_waiting, entered_from_phase, entered_at, left_at,
       local_date(entered_at, $time_zone) AS entered_date,
       local_date(left_at, $time_zone) AS left_date,
       hours_between(entered_at, left_at) AS hours,
       CASE WHEN kind = 0 THEN 'created' WHEN kind = 2 THEN 'tail' WHEN is_clamped THEN 'clamped' ELSE 'change' END AS origin,
       CASE WHEN kind = 1 THEN history_id END AS history_id,
       coalesce(broken_chain, false) AS broken_chain, is_unknown AS unknown_status, load_id
FROM stays;

DROP TABLE status_moves;
DROP TABLE status_roles;
DROP TABLE met_statuses;
DROP TABLE status_items;
DROP TABLE changed_issues;

-- field_intervals: which value a field of every changed issue had when.
-- Run after flow_macros.sql and one of newer_issues.sql and outdated_issues.sql; field_items is the query of that file.
-- The changelog is trusted: a field that it never mentions has had its present value since creation.

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT issue_id, load_id, created_at, assignee_id, project_id, project_key, sprint_ids, story_points, is_flagged
FROM issues
WHERE issue_id IN (SELECT issue_id FROM outdated_issues) AND load_id >= getvariable('least_load')
  AND issue_id NOT IN (SELECT issue_id FROM raw_issues WHERE NOT history_complete AND issue_id IS NOT NULL);

DELETE FROM field_intervals WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

-- Every value met, numbered so that the windows below carry integers. Two entries with one value and two names (a project
-- that was renamed) share the number.
CREATE OR REPLACE TEMP TABLE met_values AS
WITH changed AS MATERIALIZED (
    SELECT DISTINCT from_value, from_name, value, value_name FROM field_items
),
met AS (
    SELECT from_value AS value, from_name AS value_name FROM changed
    UNION SELECT value, value_name FROM changed
)
SELECT (row_number() OVER (ORDER BY value, value_name))::INTEGER AS entry,
       (dense_rank() OVER (ORDER BY value))::INTEGER AS number, value, value_name
FROM met;

CREATE OR REPLACE TEMP TABLE field_moves AS
SELECT t.issue_id, t.field, t.changed_at, f.entry AS from_entry, v.entry, v.number,
       coalesce(lag(v.number) OVER chronological, f.number) AS previous_number,
       lead(t.changed_at) OVER chronological AS next_changed_at,
       (row_number() OVER chronological)::INTEGER AS position
FROM field_items t
JOIN met_values f ON f.value IS NOT DISTINCT FROM t.from_value AND f.value_name IS NOT DISTINCT FROM t.from_name
JOIN met_values v ON v.value IS NOT DISTINCT FROM t.value AND v.value_name IS NOT DISTINCT FROM t.value_name
WINDOW chronological AS (PARTITION BY t.issue_id, t.field ORDER BY t.changed_at, t.history_id, t.item_index);

-- Where every change is one, a value lasts until the next change; the others are followed a second time.
CREATE OR REPLACE TEMP TABLE repeated_values AS
SELECT DISTINCT issue_id, field FROM field_moves WHERE number = previous_number;

INSERT INTO field_intervals BY NAME
WITH points AS (
    SELECT m.issue_id, m.field, 0 AS position, NULL AS changed_at, m.from_entry AS entry
    FROM field_moves m
    SEMI JOIN repeated_values r ON r.issue_id = m.issue_id AND r.field = m.field
    WHERE m.position = 1
    UNION ALL
    SELECT m.issue_id, m.field, m.position, m.changed_at, m.entry
    FROM field_moves m
    SEMI JOIN repeated_values r ON r.issue_id = m.issue_id AND r.field = m.field
    WHERE m.number <> m.previous_number
),
changing AS (
    SELECT m.* FROM field_moves m ANTI JOIN repeated_values r ON r.issue_id = m.issue_id AND r.field = m.field
),
stays AS (
    SELECT issue_id, field, NULL AS changed_at, from_entry AS entry, changed_at AS next_changed_at FROM changing WHERE position = 1
    UNION ALL
    SELECT issue_id, field, changed_at, entry, next_changed_at FROM changing
    UNION ALL
    SELECT issue_id, field, changed_at, entry, lead(changed_at) OVER (PARTITION BY issue_id, field ORDER BY position)
    FROM points
),
unmentioned AS (
    SELECT issue_id, created_at, load_id, 'assignee' AS field, assignee_id AS value, NULL AS value_name
    FROM changed_issues WHERE assignee_id <> ''
    UNION ALL
    SELECT issue_id, created_at, load_id, 'project', project_id, project_key FROM changed_issues
    UNION ALL
    SELECT issue_id, created_at, load_id, 'sprint', array_to_string(sprint_ids, ', '), NULL FROM changed_issues WHERE len(sprint_ids) > 0
    UNION ALL
    SELECT issue_id, created_at, load_id, 'story_points', story_points::VARCHAR, NULL FROM changed_issues WHERE story_points IS NOT NULL
    UNION ALL
    SELECT issue_id, created_at, load_id, 'flagged', 'Impediment', NULL FROM changed_issues WHERE is_flagged
),
present AS (
    SELECT * REPLACE (field::ENUM ('assignee', 'sprint', 'story_points', 'flagged', 'project') AS field) FROM unmentioned
)
SELECT s.issue_id, s.field, v.value, v.value_name,
       greatest(s.changed_at, i.created_at) AS from_at,
       CASE WHEN s.next_changed_at IS NOT NULL THEN greatest(s.next_changed_at, i.created_at) END AS until_at,
       i.load_id
FROM stays s
JOIN changed_issues i ON i.issue_id = s.issue_id
JOIN met_values v ON v.entry = s.entry
-- The project's row also marks the issue as derived, so it stays whatever it says.
WHERE v.value IS NOT NULL OR s.field = 'project'
UNION ALL
SELECT p.issue_id, p.field, p.value, p.value_name, p.created_at, NULL, p.load_id
FROM present p
ANTI JOIN (SELECT issue_id, field FROM field_moves WHERE position = 1) m ON m.issue_id = p.issue_id AND m.field = p.field;

DROP TABLE repeated_values;
DROP TABLE field_moves;
DROP TABLE met_values;
DROP TABLE changed_issues;
DROP TABLE outdated_issues;

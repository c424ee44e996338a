-- field_intervals: which value a field of every changed issue had when. Run after flow_macros.sql.
-- The changelog is trusted: a field that it never mentions has had its present value since creation.

CREATE OR REPLACE TEMP TABLE outdated_issues AS
SELECT coalesce(i.issue_id, d.issue_id) AS issue_id
FROM (SELECT issue_id, load_id FROM issues) i
FULL JOIN (SELECT issue_id, load_id FROM field_intervals WHERE field = 'project' AND until_at IS NULL) d ON d.issue_id = i.issue_id
WHERE d.issue_id IS NULL OR i.issue_id IS NULL OR d.load_id IS DISTINCT FROM i.load_id;

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT i.issue_id, i.load_id, i.created_at, i.assignee_id, i.project_id, i.project_key, i.sprint_ids,
       i.story_points, i.is_flagged, coalesce(r.history_complete, true) AS history_complete
FROM issues i
LEFT JOIN raw_issues r ON r.issue_id = i.issue_id
WHERE i.issue_id IN (SELECT issue_id FROM outdated_issues);

DELETE FROM field_intervals WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

DELETE FROM changed_issues WHERE NOT history_complete;

-- Numbers and flags have no ids in a changelog, only strings; users, sprints and projects have ids.
CREATE OR REPLACE TEMP TABLE field_items AS
WITH followed AS (
    SELECT 'assignee' AS field_id, 'assignee' AS field
    UNION SELECT 'project', 'project'
    UNION SELECT field_id, role FROM ops.field_roles WHERE role IN ('sprint', 'story_points', 'flagged')
)
SELECT c.issue_id, f.field::ENUM ('assignee', 'sprint', 'story_points', 'flagged', 'project') AS field,
       c.changed_at, c.history_id, c.item_index,
       nullif(CASE WHEN f.field IN ('story_points', 'flagged') THEN c.from_string ELSE c.from_value END, '') AS from_value,
       CASE WHEN f.field = 'project' THEN c.from_string END AS from_name,
       nullif(CASE WHEN f.field IN ('story_points', 'flagged') THEN c.to_string ELSE c.to_value END, '') AS value,
       CASE WHEN f.field = 'project' THEN c.to_string END AS value_name
FROM issue_changes c
JOIN followed f ON f.field_id = coalesce(nullif(c.field_id, ''), c.field)
WHERE c.issue_id IN (SELECT issue_id FROM changed_issues);

INSERT INTO field_intervals BY NAME
WITH moves AS (
    SELECT *, lag(value) OVER chronological AS previous_value,
           (row_number() OVER chronological)::INTEGER AS position
    FROM field_items
    WINDOW chronological AS (PARTITION BY issue_id, field ORDER BY changed_at, history_id, item_index)
),
points AS (
    SELECT m.issue_id, m.field, 0 AS position, i.created_at AS from_at, m.from_value AS value, m.from_name AS value_name
    FROM moves m JOIN changed_issues i ON i.issue_id = m.issue_id
    WHERE m.position = 1
    UNION ALL
    SELECT m.issue_id, m.field, m.position, greatest(m.changed_at, i.created_at), m.value, m.value_name
    FROM moves m JOIN changed_issues i ON i.issue_id = m.issue_id
    WHERE m.value IS DISTINCT FROM CASE WHEN m.position = 1 THEN m.from_value ELSE m.previous_value END
),
unmentioned AS (
    SELECT issue_id, 'assignee' AS field, created_at AS from_at, assignee_id AS value, NULL AS value_name FROM changed_issues WHERE assignee_id IS NOT NULL
    UNION ALL
    SELECT issue_id, 'project', created_at, project_id, project_key FROM changed_issues
    UNION ALL
    SELECT issue_id, 'sprint', created_at, array_to_string(sprint_ids, ', '), NULL FROM changed_issues WHERE len(sprint_ids) > 0
    UNION ALL
    SELECT issue_id, 'story_points', created_at, story_points::VARCHAR, NULL FROM changed_issues WHERE story_points IS NOT NULL
    UNION ALL
    SELECT issue_id, 'flagged', created_at, 'Impediment', NULL FROM changed_issues WHERE is_flagged
),
stays AS (
    SELECT issue_id, field, from_at, lead(from_at) OVER (PARTITION BY issue_id, field ORDER BY position) AS until_at, value, value_name
    FROM points
    UNION ALL
    SELECT u.issue_id, u.field, u.from_at, NULL, u.value, u.value_name
    FROM unmentioned u
    ANTI JOIN field_items t ON t.issue_id = u.issue_id AND t.field = u.field
    WHERE u.value <> ''
)
SELECT s.*, i.load_id
FROM stays s
JOIN changed_issues i ON i.issue_id = s.issue_id
-- The project's row also marks the issue as derived, so it stays whatever it says.
WHERE s.value IS NOT NULL OR s.field = 'project';

DROP TABLE field_items;
DROP TABLE changed_issues;
DROP TABLE outdated_issues;

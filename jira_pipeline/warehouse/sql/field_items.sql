-- The changes of outdated_issues in the fields that are followed. The lowest load of those issues is the variable least_load.
WITH followed AS (
    SELECT 'assignee' AS field_id, 'assignee' AS field
    UNION SELECT 'project', 'project'
    UNION SELECT field_id, role FROM ops.field_roles WHERE role IN ('sprint', 'story_points', 'flagged')
),
-- By the id where the changelog has one; two joins on plain columns, which are read compressed, beat one on an expression.
items AS (
    SELECT c.*, f.field AS role FROM issue_changes c JOIN followed f ON f.field_id = c.field_id
    UNION ALL
    SELECT c.*, f.field FROM issue_changes c JOIN followed f ON f.field_id = c.field WHERE coalesce(c.field_id, '') = ''
)
SELECT t.issue_id, t.role::ENUM ('assignee', 'sprint', 'story_points', 'flagged', 'project') AS field,
       t.changed_at, t.history_id, t.item_index,
       nullif(CASE WHEN t.role IN ('story_points', 'flagged') THEN t.from_string ELSE t.from_value END, '') AS from_value,
       CASE WHEN t.role = 'project' THEN t.from_string END AS from_name,
       nullif(CASE WHEN t.role IN ('story_points', 'flagged') THEN t.to_string ELSE t.to_value END, '') AS value,
       CASE WHEN t.role = 'project' THEN t.to_string END AS value_name
FROM items t
JOIN outdated_issues o ON o.issue_id = t.issue_id
WHERE t.load_id >= getvariable('least_load')

-- The changes of status of outdated_issues, whose lowest load is the variable least_load: row groups below it are not read.
-- By the id where the changelog has one; two conditions on plain columns, which are read compressed, beat one on an expression.
WITH items AS (
    SELECT * FROM issue_changes WHERE field_id = 'status'
    UNION ALL
    SELECT * FROM issue_changes WHERE field = 'status' AND coalesce(field_id, '') = ''
)
SELECT c.issue_id, c.history_id, c.item_index,
       coalesce(c.changed_at, TIMESTAMPTZ '-infinity') AS changed_at,               -- whose date cannot be read: at the creation
       coalesce(c.from_value, '') AS from_id, coalesce(c.from_string, '') AS from_name,
       coalesce(c.to_value, '') AS to_id, coalesce(c.to_string, '') AS to_name
FROM items c
JOIN outdated_issues o ON o.issue_id = c.issue_id
WHERE c.load_id >= getvariable('least_load')

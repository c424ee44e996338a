-- For every role in the projects of the issues in `stale` the positions of its fields in $field_ids, best first.
-- Parameter: $field_ids.

CREATE OR REPLACE TEMP TABLE field_positions AS
WITH stale_projects AS (
    SELECT DISTINCT project_id FROM raw_issues SEMI JOIN stale USING (issue_id, load_id)
),
applicable AS (
    SELECT stale_projects.project_id, role, field_id, rank
    FROM stale_projects
    JOIN ops.field_roles AS own ON own.project_id = stale_projects.project_id
    UNION ALL
    SELECT stale_projects.project_id, role, field_id, rank
    FROM stale_projects
    JOIN ops.field_roles AS shared ON shared.project_id IS NULL
    WHERE NOT EXISTS (
        FROM ops.field_roles AS own
        WHERE own.project_id = stale_projects.project_id AND own.role = shared.role
    )
)
SELECT
    project_id,
    role,
    list(list_position(CAST($field_ids AS VARCHAR[]), field_id) ORDER BY rank) AS positions
FROM applicable
GROUP BY project_id, role;

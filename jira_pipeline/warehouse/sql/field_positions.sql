-- For every project and role the positions of its fields in $field_ids, best first. Parameter: $field_ids.

CREATE OR REPLACE TEMP TABLE field_positions AS
WITH stored_projects AS (
    SELECT DISTINCT project_id FROM raw_issues
),
applicable AS (
    SELECT stored_projects.project_id, role, field_id, rank
    FROM stored_projects
    JOIN ops.field_roles AS own ON own.project_id = stored_projects.project_id
    UNION ALL
    SELECT stored_projects.project_id, role, field_id, rank
    FROM stored_projects
    JOIN ops.field_roles AS shared ON shared.project_id IS NULL
    WHERE NOT EXISTS (
        FROM ops.field_roles AS own
        WHERE own.project_id = stored_projects.project_id AND own.role = shared.role
    )
)
SELECT
    project_id,
    role,
    list(list_position(CAST($field_ids AS VARCHAR[]), field_id) ORDER BY rank) AS positions
FROM applicable
GROUP BY project_id, role;

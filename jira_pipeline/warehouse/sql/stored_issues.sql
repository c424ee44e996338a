-- The issues that are not removed, each with the project in which a census has to find it.
-- $listed: the ids of the projects that the site shows.
WITH listed AS (SELECT DISTINCT unnest($listed) AS project_id),
heirs AS (
    SELECT project_key, max(project_id) AS project_id
    FROM ops.tracked_projects
    WHERE is_active AND project_id IN (SELECT project_id FROM listed)
    GROUP BY project_key
)
SELECT raw_issues.issue_id, coalesce(heirs.project_id, raw_issues.project_id) AS project_id
FROM raw_issues
LEFT JOIN listed ON listed.project_id = raw_issues.project_id
LEFT JOIN heirs ON heirs.project_key = raw_issues.project_key AND listed.project_id IS NULL
WHERE removed_at IS NULL;

-- What the load of accepted changed, by project: issues that are new, issues that were there, changes.

WITH issues_loaded AS (
    SELECT issue_id, project_id, is_new
    FROM staged
    JOIN accepted USING (line_id, issue_id)
),
changes_loaded AS (
    SELECT project_id, count(*) AS changes
    FROM issue_changes
    JOIN issues_loaded USING (issue_id)
    GROUP BY project_id
)
SELECT
    project_id,
    count(*) FILTER (is_new),
    count(*) FILTER (NOT is_new),
    coalesce(any_value(changes), 0)
FROM issues_loaded
LEFT JOIN changes_loaded USING (project_id)
GROUP BY project_id;

-- What changes in `issues` without any issue's payload changing.

-- A status renamed or put into another category changes no issue's payload; the site's own list is the newer word.
UPDATE issues
SET
    status = coalesce(nullif(statuses.name, ''), issues.status),
    status_category = coalesce(statuses.status_category, issues.status_category)
FROM statuses
WHERE statuses.status_id = issues.status_id
    AND statuses.is_listed
    AND (
        issues.status IS DISTINCT FROM coalesce(nullif(statuses.name, ''), issues.status)
        OR issues.status_category IS DISTINCT FROM coalesce(statuses.status_category, issues.status_category)
    );

-- A parent that moves takes another key, which changes no child's payload either; its former keys stand in its own history.
UPDATE issues
SET parent_key = parent.issue_key
FROM (
    SELECT issue_changes.from_string AS former_key, max(issues.issue_key) AS issue_key
    FROM issue_changes
    JOIN issues USING (issue_id)
    WHERE field = 'Key' AND from_string NOT IN (SELECT issue_key FROM issues)
    GROUP BY former_key
) AS parent
WHERE issues.parent_key = parent.former_key;

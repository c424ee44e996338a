-- stale: every issue whose raw row was written by another load than its typed row. Removed issues leave `issues`.

CREATE OR REPLACE TEMP TABLE stale AS
SELECT raw_issues.issue_id, raw_issues.load_id
FROM raw_issues
LEFT JOIN issues USING (issue_id)
WHERE raw_issues.removed_at IS NULL AND issues.load_id IS DISTINCT FROM raw_issues.load_id;

DELETE FROM issues WHERE issue_id NOT IN (SELECT issue_id FROM raw_issues WHERE removed_at IS NULL);

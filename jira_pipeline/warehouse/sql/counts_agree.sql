-- One row: raw issues that are there, typed issues, raw issues whose typed row is missing or older, changes without an issue.
SELECT
    (SELECT count(*) FROM raw_issues WHERE removed_at IS NULL) AS raw_issues,
    (SELECT count(*) FROM issues) AS typed_issues,
    (
        SELECT count(*)
        FROM raw_issues
        ANTI JOIN issues ON issues.issue_id = raw_issues.issue_id AND issues.load_id = raw_issues.load_id
        WHERE raw_issues.removed_at IS NULL
    ) AS not_typed,
    (SELECT count(*) FROM issue_changes ANTI JOIN raw_issues USING (issue_id)) AS changes_without_issue;

-- An issue that could not be read -> ops.quarantined_issues, once however often it is met.
-- Parameters: $issue_id, $issue_key, $project_key, $error, $payload, $seen_at.

UPDATE ops.quarantined_issues
SET last_seen_at = CAST($seen_at AS TIMESTAMPTZ), project_key = $project_key, error = $error, payload = coalesce(nullif($payload, ''), payload)
WHERE issue_id IS NOT DISTINCT FROM CAST($issue_id AS BIGINT) AND (issue_id IS NOT NULL OR payload = $payload);

INSERT INTO ops.quarantined_issues
SELECT CAST($issue_id AS BIGINT), CAST($issue_key AS VARCHAR), $project_key, $error, $payload, CAST($seen_at AS TIMESTAMPTZ), CAST($seen_at AS TIMESTAMPTZ)
WHERE NOT EXISTS (
    FROM ops.quarantined_issues
    WHERE issue_id IS NOT DISTINCT FROM CAST($issue_id AS BIGINT) AND (issue_id IS NOT NULL OR payload = $payload)
);

-- accepted -> raw_issues. Parameters: $project_id, $project_key (of the project that was fetched),
-- $partition_date, $synced_at, $load_id.

DELETE FROM raw_issues USING accepted WHERE raw_issues.issue_id = accepted.issue_id;

INSERT INTO raw_issues BY NAME
SELECT
    staged.issue_id,
    staged.issue_key,
    coalesce(staged.project_id, $project_id) AS project_id,
    coalesce(json_extract_string(staged.payload, '$.fields.project.key'), $project_key) AS project_key,
    staged.created_at,
    staged.updated_at,
    staged.payload,
    staged.history_count,
    staged.history_complete,
    CAST($partition_date AS DATE) AS partition_date,
    CAST($synced_at AS TIMESTAMPTZ) AS synced_at,
    staged.content_hash,
    CAST($load_id AS BIGINT) AS load_id
FROM staged
SEMI JOIN accepted ON accepted.line_id = staged.line_id;

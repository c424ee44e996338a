-- accepted -> raw_issues. Parameters: $payload_files, $longest_line, $buffer_bytes, $partition_date, $synced_at,
-- $load_id.

DELETE FROM raw_issues USING accepted WHERE NOT accepted.is_new AND raw_issues.issue_id = accepted.issue_id;

-- The last statement: its count is how many payloads could be read.
INSERT INTO raw_issues BY NAME
SELECT
    staged.issue_id,
    staged.issue_key,
    staged.project_id,
    staged.project_key,
    staged.created_at,
    staged.updated_at,
    CAST(landed.content AS JSON) AS payload,
    staged.history_count,
    staged.history_complete,
    CAST($partition_date AS DATE) AS partition_date,
    CAST($synced_at AS TIMESTAMPTZ) AS synced_at,
    staged.content_hash,
    CAST($load_id AS BIGINT) AS load_id
FROM landed_lines($payload_files, $longest_line, $buffer_bytes) AS landed
JOIN accepted USING (line_id)
JOIN staged USING (line_id);

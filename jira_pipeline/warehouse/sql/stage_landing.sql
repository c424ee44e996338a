-- Landing files -> staged (one row a line), then accepted (the lines that are news).
-- Parameters: $head_files, $longest_line.

CREATE OR REPLACE TEMP TABLE staged AS
SELECT
    line_id,
    issue_id,
    issue_key,
    project_id,
    project_key,
    CAST(created AS TIMESTAMPTZ) AS created_at,
    CAST(updated AS TIMESTAMPTZ) AS updated_at,
    history_count,
    history_complete,
    content_hash
FROM read_json(
    $head_files,
    format = 'newline_delimited',
    records = true,      -- without it DuckDB samples the files first, at ten times the cost
    maximum_object_size = $longest_line,
    columns = {
        line_id: 'BIGINT', issue_id: 'BIGINT', issue_key: 'VARCHAR', project_id: 'VARCHAR', project_key: 'VARCHAR',
        created: 'VARCHAR', updated: 'VARCHAR', history_count: 'INTEGER', history_complete: 'BOOLEAN', content_hash: 'UBIGINT'
    }
);

-- The newest version wins. Of two with one `updated` the one fetched now wins when it differs (a renamed project or sprint
-- does not touch `updated`), unless its histories are incomplete and the stored ones are not.
-- An issue that was fetched twice in this batch counts once.
CREATE OR REPLACE TEMP TABLE accepted AS
WITH latest AS (
    SELECT
        issue_id,
        max_by(line_id, (updated_at, history_complete, line_id)) AS line_id
    FROM staged
    GROUP BY issue_id
)
SELECT
    staged.line_id,
    staged.issue_id,
    stored.issue_id IS NULL AS is_new
FROM raw_issues AS stored
RIGHT JOIN (FROM staged SEMI JOIN latest USING (line_id, issue_id)) AS staged ON stored.issue_id = staged.issue_id
WHERE stored.issue_id IS NULL
    OR stored.removed_at IS NOT NULL
    OR staged.updated_at > stored.updated_at
    OR (
        staged.updated_at = stored.updated_at
        AND staged.content_hash <> stored.content_hash
        AND (staged.history_complete OR NOT stored.history_complete)
    );

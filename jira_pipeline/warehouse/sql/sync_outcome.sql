-- How the sync of one project ended -> ops.sync_runs and ops.tracked_projects, in the transaction that stores its issues.
-- Parameters: those named below.

INSERT INTO ops.sync_runs BY NAME
SELECT
    $run_id AS run_id, $project_key AS project_key, CAST($partition_date AS DATE) AS partition_date, $mode AS mode,
    CAST($started_at AS TIMESTAMPTZ) AS started_at, CAST($finished_at AS TIMESTAMPTZ) AS finished_at, $status AS status,
    $issues_fetched AS issues_fetched, $issues_created AS issues_created, $issues_updated AS issues_updated,
    $issues_failed AS issues_failed, $changes_written AS changes_written,
    $requests AS requests, $retries AS retries, $bytes_received AS bytes_received, CAST($error AS VARCHAR) AS error;

UPDATE ops.tracked_projects
SET
    sync_status = $status,
    last_sync_at = CASE WHEN $status = 'complete' THEN CAST($finished_at AS TIMESTAMPTZ) ELSE last_sync_at END,
    last_sync_error = CAST($error AS VARCHAR),
    synced_through = CAST($watermark AS TIMESTAMPTZ),
    issue_count = (SELECT count(*) FROM raw_issues WHERE raw_issues.project_id = $project_id AND removed_at IS NULL)
WHERE project_id = $project_id OR (project_id IS NULL AND project_key = $project_key);

-- A tracked project was not synced because Jira does not show it -> ops.sync_runs and ops.tracked_projects; its watermark stays.
-- Parameters: $run_id, $project_id (NULL where Jira has never shown it), $project_key, $partition_date, $at, $error.

INSERT INTO ops.sync_runs BY NAME
SELECT
    $run_id AS run_id, $project_key AS project_key, CAST($partition_date AS DATE) AS partition_date,
    CAST($at AS TIMESTAMPTZ) AS started_at, CAST($at AS TIMESTAMPTZ) AS finished_at, 'error' AS status,
    0 AS issues_fetched, $error AS error;

UPDATE ops.tracked_projects
SET sync_status = 'error', last_sync_error = $error
WHERE project_id = $project_id OR (project_id IS NULL AND project_key = $project_key);

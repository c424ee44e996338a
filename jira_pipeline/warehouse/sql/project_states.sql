-- Every project that is or was tracked, with the number of its issues that could not be read.
SELECT
    project_id, project_key, configured_key, name, is_active, sync_status, last_sync_at, last_sync_error, synced_through,
    coalesce(issue_count, 0) AS issue_count,
    (SELECT count(*) FROM ops.quarantined_issues AS kept WHERE kept.project_key = tracked.project_key) AS quarantined
FROM ops.tracked_projects AS tracked
ORDER BY project_key;

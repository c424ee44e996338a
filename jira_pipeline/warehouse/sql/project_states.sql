-- Every project that is or was tracked, with the issues of it that could not be read.
SELECT
    tracked.*,
    (SELECT count(*) FROM ops.quarantined_issues AS kept WHERE kept.project_key = tracked.project_key) AS quarantined
FROM ops.tracked_projects AS tracked
ORDER BY project_key;

-- Whether every table derived from issues was derived from the issues as they are now, and none was left behind by a
-- derivation that did not end.
SELECT
    NOT EXISTS (
        SELECT issue_id, load_id FROM raw_issues WHERE removed_at IS NULL
        EXCEPT
        SELECT issue_id, load_id FROM issues
    )
    AND (SELECT count(*) FROM issues) = (SELECT count(*) FROM raw_issues WHERE removed_at IS NULL)
    AND NOT EXISTS (
        SELECT issue_id, load_id FROM issues
        EXCEPT
        SELECT issue_id, load_id FROM cycle_times
    )
    AND NOT EXISTS (SELECT name FROM ops.state WHERE name LIKE 'flow.%.behind');

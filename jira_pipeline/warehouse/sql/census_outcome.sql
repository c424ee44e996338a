-- What a census found in one project -> ops.issue_census, raw_issues, ops.suspected_issues, ops.tracked_projects.
-- Parameters: $removals and $suspects (JSON arrays), $was_examined, $removed_at, and those named below.

INSERT INTO ops.issue_census BY NAME
SELECT
    $run_id AS run_id, CAST($project_id AS VARCHAR) AS project_id, $project_key AS project_key,
    CAST($taken_at AS TIMESTAMPTZ) AS taken_at, $status AS status, $known AS known, $seen AS seen, $deleted AS deleted,
    $moved_out AS moved_out, $not_visible AS not_visible, $moved_in AS moved_in, $back AS back, $found AS found,
    $hidden AS hidden, $suspected AS suspected, $held AS held, $requests AS requests, CAST($error AS VARCHAR) AS error;

UPDATE raw_issues
SET removed_at = CAST($taken_at AS TIMESTAMPTZ), removal_reason = removals.reason
FROM (SELECT unnest(from_json($removals, '[{"issue_id": "BIGINT", "reason": "VARCHAR"}]'), recursive := true)) AS removals
WHERE raw_issues.issue_id = removals.issue_id AND raw_issues.removed_at IS NULL;

-- A census that could not look leaves suspicions as they are; one that could drops those that it does not repeat.
DELETE FROM ops.suspected_issues
WHERE $was_examined AND project_id = $project_id;

INSERT INTO ops.suspected_issues
SELECT issue_id, $project_id, missed_since
FROM (SELECT unnest(from_json($suspects, '[{"issue_id": "BIGINT", "missed_since": "TIMESTAMPTZ"}]'), recursive := true));

UPDATE ops.tracked_projects
SET issue_count = (SELECT count(*) FROM raw_issues WHERE raw_issues.project_id = tracked_projects.project_id AND removed_at IS NULL)
WHERE project_id IS NOT NULL;

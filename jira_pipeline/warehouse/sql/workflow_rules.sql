-- The workflow settings as rows. A scope is one set of rules: 0 for the site, n for a project with rules of its own.
-- $scopes and $rules are JSON written by the caller.

-- A project is named by its id or by the key in the configuration; issues have its present key.
CREATE OR REPLACE TEMP TABLE workflow_scopes AS
SELECT named.scope, coalesce(max_by(tracked.project_key, tracked.is_active), any_value(named.project_key)) AS project_key
FROM (
    SELECT unnest(from_json($scopes, '[{"scope": "INTEGER", "project_id": "VARCHAR", "project_key": "VARCHAR"}]'), recursive := true)
) AS named
LEFT JOIN ops.tracked_projects AS tracked
       ON CASE WHEN named.project_id IS NULL THEN tracked.configured_key = named.project_key ELSE tracked.project_id = named.project_id END
GROUP BY named.scope;

CREATE OR REPLACE TEMP TABLE workflow_rules AS
SELECT unnest(from_json($rules, '[{"scope": "INTEGER", "role": "VARCHAR", "status": "VARCHAR"}]'), recursive := true);

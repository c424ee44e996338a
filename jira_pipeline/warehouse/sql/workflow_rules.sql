-- The workflow settings as rows. A scope is one set of rules: 0 for the site, n for a project with rules of its own.
-- $scopes and $rules are JSON written by the caller.

CREATE OR REPLACE TEMP TABLE workflow_scopes AS
SELECT unnest(from_json($scopes, '[{"scope": "INTEGER", "project_key": "VARCHAR"}]'), recursive := true);

CREATE OR REPLACE TEMP TABLE workflow_rules AS
SELECT unnest(from_json($rules, '[{"scope": "INTEGER", "role": "VARCHAR", "status": "VARCHAR"}]'), recursive := true);

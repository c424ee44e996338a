-- What the site says of its projects -> projects. A row whose content is the same keeps its synced_at.
-- Parameters: $projects (a JSON array), $synced_at.

CREATE OR REPLACE TEMP TABLE listed AS
SELECT unnest(from_json($projects, '[{
    "project_id": "VARCHAR", "project_key": "VARCHAR", "name": "VARCHAR", "project_type": "VARCHAR", "lead_id": "VARCHAR",
    "is_archived": "BOOLEAN", "is_tracked": "BOOLEAN"
}]'), recursive := true);

-- A project that is no longer listed stays while something of it is stored or tracked.
DELETE FROM projects
WHERE project_id NOT IN (SELECT project_id FROM listed)
    AND project_id NOT IN (SELECT project_id FROM raw_issues WHERE project_id IS NOT NULL)
    AND project_id NOT IN (SELECT project_id FROM ops.tracked_projects);

CREATE OR REPLACE TEMP TABLE changed AS
SELECT * FROM listed
EXCEPT
SELECT * EXCLUDE (synced_at) FROM projects;

DELETE FROM projects WHERE project_id IN (SELECT project_id FROM changed);

INSERT INTO projects BY NAME
SELECT *, CAST($synced_at AS TIMESTAMPTZ) AS synced_at FROM changed;

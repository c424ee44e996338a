-- What the site says of its projects -> projects. A row whose content is the same keeps its synced_at.
-- Parameters: $projects (a JSON array), $tracked (ids), $synced_at.

CREATE OR REPLACE TEMP TABLE listed AS
SELECT unnest(from_json($projects, '[{
    "project_id": "VARCHAR", "project_key": "VARCHAR", "name": "VARCHAR", "project_type": "VARCHAR", "lead_id": "VARCHAR",
    "is_archived": "BOOLEAN", "is_tracked": "BOOLEAN"
}]'), recursive := true);

-- A project that is no longer listed stays while something of it is stored or tracked.
DELETE FROM projects
WHERE project_id NOT IN (SELECT project_id FROM listed)
    AND project_id NOT IN (SELECT project_id FROM raw_issues WHERE project_id IS NOT NULL)
    -- One whose id Jira has not shown yet is NULL there, and NOT IN a list with NULL is never true.
    AND project_id NOT IN (SELECT project_id FROM ops.tracked_projects WHERE project_id IS NOT NULL);

-- Of one that is not listed the site says nothing: the row is as old as it was.
UPDATE projects
SET is_tracked = NOT is_tracked
WHERE project_id NOT IN (SELECT project_id FROM listed) AND is_tracked <> (project_id IN (SELECT unnest(CAST($tracked AS VARCHAR[]))));

CREATE OR REPLACE TEMP TABLE changed AS
SELECT * FROM listed
EXCEPT
SELECT * EXCLUDE (synced_at) FROM projects;

DELETE FROM projects WHERE project_id IN (SELECT project_id FROM changed);

INSERT INTO projects BY NAME
SELECT *, CAST($synced_at AS TIMESTAMPTZ) AS synced_at FROM changed;

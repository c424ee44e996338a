-- The tracked projects of the configuration -> ops.tracked_projects; what is known of earlier syncs stays.
-- A project that is no longer configured stays with is_active = false. Parameter: $tracked (a JSON array).

CREATE OR REPLACE TEMP TABLE configured AS
SELECT unnest(from_json($tracked, '[{"project_id": "VARCHAR", "project_key": "VARCHAR", "configured_key": "VARCHAR", "name": "VARCHAR", "is_active": "BOOLEAN"}]'), recursive := true);

-- Known by key only until Jira has shown its id.
UPDATE ops.tracked_projects AS tracked
SET project_id = configured.project_id
FROM configured
WHERE tracked.project_id IS NULL AND tracked.project_key = configured.project_key;

-- A new key gives every issue a new one and moves no issue's `updated`, so the watermark goes: the next sync fetches the
-- project whole. A project that Jira does not show just now (it has no name here) keeps the key that it had.
UPDATE ops.tracked_projects AS tracked
SET
    project_key = CASE WHEN configured.name IS NULL THEN tracked.project_key ELSE configured.project_key END,
    synced_through = CASE WHEN configured.name IS NULL OR tracked.project_key = configured.project_key THEN tracked.synced_through END,
    configured_key = configured.configured_key,
    name = coalesce(configured.name, tracked.name),
    is_active = configured.is_active
FROM configured
WHERE tracked.project_id IS NOT DISTINCT FROM configured.project_id AND (tracked.project_id IS NOT NULL OR tracked.project_key = configured.project_key);

UPDATE ops.tracked_projects AS tracked
SET is_active = false
WHERE NOT EXISTS (
    FROM configured
    WHERE configured.project_id = tracked.project_id
        -- A key may be given to another project once its own is deleted: two ids are two projects.
        OR (configured.project_key = tracked.project_key AND (configured.project_id IS NULL OR tracked.project_id IS NULL))
);

INSERT INTO ops.tracked_projects BY NAME
SELECT project_id, project_key, configured_key, name, is_active, 'pending' AS sync_status, 0 AS issue_count
FROM configured
WHERE NOT EXISTS (
    FROM ops.tracked_projects AS tracked
    WHERE configured.project_id = tracked.project_id
        -- A key may be given to another project once its own is deleted: two ids are two projects.
        OR (configured.project_key = tracked.project_key AND (configured.project_id IS NULL OR tracked.project_id IS NULL))
);

-- The site's statuses -> statuses. Parameters: $statuses (a JSON array), $synced_at.
-- A status that is gone from the site keeps its row, marked: histories still name it.

CREATE OR REPLACE TEMP TABLE listed AS
SELECT *, true AS is_listed
FROM (SELECT unnest(from_json($statuses, '[{"status_id": "VARCHAR", "name": "VARCHAR", "status_category": "VARCHAR"}]'), recursive := true));

UPDATE statuses
SET is_listed = false, synced_at = CAST($synced_at AS TIMESTAMPTZ)
WHERE is_listed AND status_id NOT IN (SELECT status_id FROM listed);

CREATE OR REPLACE TEMP TABLE changed AS
SELECT * FROM listed
EXCEPT
SELECT * EXCLUDE (synced_at) FROM statuses;

DELETE FROM statuses WHERE status_id IN (SELECT status_id FROM changed);

INSERT INTO statuses BY NAME
SELECT *, CAST($synced_at AS TIMESTAMPTZ) AS synced_at FROM changed;

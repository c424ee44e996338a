-- The site's user directory -> users. Parameters: $users (a JSON array), $synced_at.
-- People whom the directory does not list (any more) stay: issues and histories name them.

CREATE OR REPLACE TEMP TABLE listed AS
SELECT *, 'directory' AS source
FROM (SELECT unnest(from_json($users, '[{
    "user_id": "VARCHAR", "display_name": "VARCHAR", "email_address": "VARCHAR", "account_type": "VARCHAR",
    "is_active": "BOOLEAN", "time_zone": "VARCHAR"
}]'), recursive := true));

CREATE OR REPLACE TEMP TABLE changed AS
SELECT * FROM listed
EXCEPT
SELECT * EXCLUDE (synced_at) FROM users;

DELETE FROM users WHERE user_id IN (SELECT user_id FROM changed);

INSERT INTO users BY NAME
SELECT *, CAST($synced_at AS TIMESTAMPTZ) AS synced_at FROM changed;

-- Everybody and every status that the fetched issues mention -> users and statuses that the site itself did not list.
-- Runs after load_issue_changes. Parameters: $mention_files, $longest_line, $synced_at.

CREATE OR REPLACE TEMP TABLE mentions AS
SELECT kind, CAST(seen_at AS TIMESTAMPTZ) AS seen_at, value
FROM read_json(
    $mention_files,
    format = 'newline_delimited',
    records = true,
    maximum_object_size = $longest_line,
    columns = {kind: 'VARCHAR', seen_at: 'VARCHAR', value: 'JSON'}
);

-- The richest and then newest description of a person wins; the directory's own rows are never touched from here.
CREATE OR REPLACE TEMP TABLE met_users AS
WITH described AS (
    SELECT
        json_transform(value, '{
            "accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR", "displayName": "VARCHAR", "emailAddress": "VARCHAR",
            "accountType": "VARCHAR", "active": "VARCHAR", "timeZone": "VARCHAR"
        }') AS person,
        seen_at
    -- Each description once, though every landing file has it.
    FROM (SELECT value, max(seen_at) AS seen_at FROM mentions WHERE kind = 'person' GROUP BY value)
),
sightings AS (
    SELECT
        jira_user_id(person) AS user_id, person.displayName AS display_name, person.emailAddress AS email_address,
        person.accountType AS account_type, TRY_CAST(person.active AS BOOLEAN) AS is_active, person.timeZone AS time_zone,
        seen_at, 1 AS richness
    FROM described
    UNION ALL
    -- Whom an issue was taken from or given to: known only by id and name.
    SELECT unnest([from_value, to_value]), unnest([from_string, to_string]), NULL, NULL, NULL, NULL, changed_at, 0
    FROM landed_changes
    WHERE field IN ('assignee', 'reporter')
)
SELECT
    user_id,
    max_by(struct_pack(display_name, email_address, account_type, is_active, time_zone),
        (richness, seen_at, display_name, coalesce(email_address, ''))) AS latest
FROM sightings
WHERE user_id IS NOT NULL AND user_id <> ''
GROUP BY user_id;

UPDATE users
SET display_name = latest.display_name, email_address = latest.email_address, account_type = latest.account_type,
    is_active = latest.is_active, time_zone = latest.time_zone, synced_at = CAST($synced_at AS TIMESTAMPTZ)
FROM met_users
WHERE users.user_id = met_users.user_id
    AND users.source = 'issues'
    AND (latest.email_address IS NOT NULL OR latest.is_active IS NOT NULL)
    AND (users.display_name, users.email_address, users.account_type, users.is_active, users.time_zone)
        IS DISTINCT FROM (latest.display_name, latest.email_address, latest.account_type, latest.is_active, latest.time_zone);

INSERT INTO users BY NAME
SELECT user_id, latest.*, 'issues' AS source, CAST($synced_at AS TIMESTAMPTZ) AS synced_at
FROM met_users
ANTI JOIN users ON users.user_id = met_users.user_id;

INSERT INTO statuses BY NAME
WITH met AS (
    SELECT json_transform(value, '{"id": "VARCHAR", "name": "VARCHAR", "statusCategory": {"key": "VARCHAR"}}') AS status, seen_at
    FROM mentions
    WHERE kind = 'status'
)
SELECT
    status.id AS status_id,
    max_by(status."name", seen_at) AS name,
    max_by(jira_category(status.statusCategory."key"), seen_at) AS status_category,
    false AS is_listed,
    CAST($synced_at AS TIMESTAMPTZ) AS synced_at
FROM met
ANTI JOIN statuses ON statuses.status_id = met.status.id
WHERE status.id IS NOT NULL
GROUP BY status.id;

-- Megabytes, and the next load would hold its own beside them.
DROP TABLE landed_changes;

-- Everybody and every status met in the accepted lines -> users and statuses that the site itself did not list.
-- Parameters: $files, $longest_line, $synced_at.

-- What Jira sends inside is taken apart by json_transform, because read_json refuses the whole file for one value that is
-- no object or no list.
CREATE OR REPLACE TEMP MACRO jira_person(person) AS json_transform(person, '{
    "accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR", "displayName": "VARCHAR", "emailAddress": "VARCHAR",
    "accountType": "VARCHAR", "active": "VARCHAR", "timeZone": "VARCHAR"
}');

CREATE OR REPLACE TEMP TABLE met AS
SELECT
    updated,
    json_transform(payload.fields.status, '{"id": "VARCHAR", "name": "VARCHAR", "statusCategory": {"key": "VARCHAR"}}') AS status,
    jira_person(payload.fields.assignee) AS assignee,
    jira_person(payload.fields.reporter) AS reporter,
    jira_person(payload.fields.creator) AS creator,
    list_transform(histories, lambda history: jira_person(history.author)) AS authors,
    -- Who an issue was taken from or given to, known only by id and name.
    list_filter(
        flatten(list_transform(histories, lambda history: json_transform(
            history.items, '[{"field": "VARCHAR", "from": "VARCHAR", "fromString": "VARCHAR", "to": "VARCHAR", "toString": "VARCHAR"}]'
        ))),
        lambda item: item."field" IN ('assignee', 'reporter')
    ) AS hand_overs
FROM read_json(
    $files,
    format = 'newline_delimited',
    records = true,
    maximum_object_size = $longest_line,
    columns = {
        line_id: 'BIGINT', updated: 'VARCHAR', histories: 'STRUCT(author JSON, items JSON)[]',
        payload: 'STRUCT(fields STRUCT(status JSON, assignee JSON, reporter JSON, creator JSON))'
    }
)
SEMI JOIN accepted USING (line_id);

-- The richest and then newest description of a person wins; the directory's own rows are never touched from here.
CREATE OR REPLACE TEMP TABLE met_users AS
WITH described AS (
    SELECT updated, unnest([assignee, reporter, creator]) AS person FROM met
    UNION ALL
    SELECT updated, unnest(authors) AS person FROM met
),
sightings AS (
    SELECT
        jira_user_id(person) AS user_id, person.displayName AS display_name, person.emailAddress AS email_address,
        person.accountType AS account_type, TRY_CAST(person.active AS BOOLEAN) AS is_active, person.timeZone AS time_zone, updated, 1 AS richness
    FROM described
    UNION ALL
    SELECT unnest([item."from", item."to"]), unnest([item.fromString, item.toString]), NULL, NULL, NULL, NULL, updated, 0
    FROM (SELECT updated, unnest(hand_overs) AS item FROM met)
)
SELECT
    user_id,
    max_by(struct_pack(display_name, email_address, account_type, is_active, time_zone),
        (richness, CAST(updated AS TIMESTAMPTZ), display_name, coalesce(email_address, ''))) AS latest
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
SELECT
    status.id AS status_id,
    max_by(status."name", updated) AS name,
    max_by(jira_category(status.statusCategory."key"), updated) AS status_category,
    false AS is_listed,
    CAST($synced_at AS TIMESTAMPTZ) AS synced_at
FROM met
ANTI JOIN statuses ON statuses.status_id = met.status.id
WHERE status.id IS NOT NULL
GROUP BY status.id;

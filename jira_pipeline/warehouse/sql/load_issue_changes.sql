-- Histories of the accepted lines -> landed_changes -> issue_changes: all of an issue's rows are written anew. They come from
-- one line, so they are neighbours on disk, and reading one issue's history touches few blocks.
-- Parameters: $history_files, $longest_line, $buffer_bytes, $load_id.

-- Values are read as text, whatever their type; nothing of a history is needed for its key but its id.
-- Apart, because load_people would have to search all of issue_changes for them.
CREATE OR REPLACE TEMP TABLE landed_changes AS
WITH histories AS (
    SELECT
        issue_id,
        unnest(json_transform(content, '[{
            "id": "VARCHAR",
            "created": "VARCHAR",
            "author": {"accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR"},
            "items": [{
                "field": "VARCHAR", "fieldId": "VARCHAR", "from": "VARCHAR", "fromString": "VARCHAR", "to": "VARCHAR", "toString": "VARCHAR"
            }]
        }]')) AS history
    FROM landed_lines($history_files, $longest_line, $buffer_bytes)
    JOIN accepted USING (line_id)
),
changes AS (
    SELECT
        issue_id,
        CAST(history.id AS BIGINT) AS history_id,
        jira_instant(history.created) AS changed_at,
        jira_user_id(history.author) AS author_id,
        unnest(history.items) AS item,
        generate_subscripts(history.items, 1) - 1 AS item_index
    FROM histories
)
SELECT
    issue_id,
    history_id,
    item_index,
    changed_at,
    author_id,
    item."field" AS field,
    item.fieldId AS field_id,
    item."from" AS from_value,
    item.fromString AS from_string,
    item."to" AS to_value,
    item.toString AS to_string
FROM changes
WHERE coalesce(item."field", item.fieldId) IS NOT NULL;

DELETE FROM issue_changes USING accepted WHERE NOT accepted.is_new AND issue_changes.issue_id = accepted.issue_id;

-- The last statement: its count is how many changes were written.
INSERT INTO issue_changes BY NAME SELECT *, CAST($load_id AS BIGINT) AS load_id FROM landed_changes;

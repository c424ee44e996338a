-- raw_issues -> issues, for the issues of `stale` (issue_id, load_id), which the caller has made.
-- Parameter: $fields_in_roles, the structure of the fields that play a role, such as {"fields": {"customfield_10016": "JSON"}}.
-- values_in_roles(fields) lists their values in one order; field_positions (temporary: project_id, role, positions) says
-- which places of it play which role in a project.

DELETE FROM issues WHERE issue_id IN (SELECT issue_id FROM stale);

-- By load, too: loads are neighbours on disk, so that a day's changes are found without reading every payload.
-- Wrong types become NULL or text here, never an error: custom fields change their type, and people paste anything.
CREATE OR REPLACE TEMP TABLE typed AS
WITH transformed AS (
    SELECT
        raw_issues.* EXCLUDE (payload),
        json_transform(payload, json_merge_patch($fields_in_roles, '{"fields": {
            "summary": "VARCHAR",
            "description": "JSON",
            "issuetype": {"name": "VARCHAR", "subtask": "VARCHAR", "hierarchyLevel": "VARCHAR"},
            "status": {"id": "VARCHAR", "name": "VARCHAR", "statusCategory": {"key": "VARCHAR"}},
            "statuscategorychangedate": "VARCHAR",
            "priority": {"name": "VARCHAR"},
            "resolution": {"name": "VARCHAR"},
            "assignee": {"accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR"},
            "reporter": {"accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR"},
            "creator": {"accountId": "VARCHAR", "key": "VARCHAR", "name": "VARCHAR"},
            "parent": {"key": "VARCHAR"},
            "labels": "JSON",
            "components": "JSON",
            "fixVersions": "JSON",
            "duedate": "VARCHAR",
            "resolutiondate": "VARCHAR"
        }}')).fields AS fields
    FROM raw_issues
    SEMI JOIN stale USING (issue_id, load_id)
)
SELECT *, values_in_roles(fields) AS custom FROM transformed;

-- Descriptions in Atlassian Document Format (REST v3): the text of the nodes in document order, a line a block. Level by level
-- and not with json_tree, which repeats the whole document for each of its values: a large one would not fit into memory.
CREATE OR REPLACE TEMP TABLE adf_text AS
WITH RECURSIVE nodes AS (
    SELECT issue_id, CAST([] AS BIGINT[]) AS place, fields.description AS node
    FROM typed
    WHERE json_type(fields.description) = 'OBJECT'
    UNION ALL
    SELECT issue_id, list_append(place, generate_subscripts(children, 1)), unnest(children)
    FROM (
        SELECT issue_id, place, CAST(node -> '$.content' AS JSON[]) AS children
        FROM nodes
        WHERE json_type(node, '$.content') = 'ARRAY'
    )
),
pieces AS (
    SELECT
        issue_id,
        place,
        concat(
            CASE WHEN node ->> '$.type' IN ('paragraph', 'heading', 'codeBlock', 'blockquote', 'rule', 'hardBreak', 'tableRow', 'mediaSingle') THEN chr(10) END,
            node ->> '$.text',
            node ->> '$.attrs.text',   -- mentions, emoji, status lozenges
            node ->> '$.attrs.url'     -- cards
        ) AS piece
    FROM nodes
)
SELECT issue_id, nullif(trim(string_agg(piece, '' ORDER BY place), chr(10) || ' '), '') AS text
FROM pieces
GROUP BY issue_id;

INSERT INTO issues BY NAME
WITH roles AS (
    SELECT
        typed.issue_id,
        max(field_positions.positions) FILTER (role = 'story_points') AS story_points,
        max(field_positions.positions) FILTER (role = 'sprint') AS sprint,
        max(field_positions.positions) FILTER (role = 'flagged') AS flagged,
        max(field_positions.positions) FILTER (role = 'epic_link') AS epic_link
    FROM typed
    JOIN field_positions USING (project_id)
    GROUP BY typed.issue_id
)
SELECT
    typed.issue_id,
    issue_key,
    project_id,
    project_key,
    fields.summary,
    CASE json_type(fields.description)
        WHEN 'OBJECT' THEN adf_text.text
        WHEN 'NULL' THEN NULL
        ELSE fields.description ->> '$'
    END AS description,
    fields.issuetype."name" AS issue_type,
    coalesce(TRY_CAST(fields.issuetype.subtask AS BOOLEAN), false) AS is_subtask,
    coalesce(
        TRY_CAST(fields.issuetype.hierarchyLevel AS INTEGER),
        CASE WHEN TRY_CAST(fields.issuetype.subtask AS BOOLEAN) THEN -1 WHEN fields.issuetype."name" = 'Epic' THEN 1 ELSE 0 END
    ) AS hierarchy_level,
    fields.status.id AS status_id,
    fields.status."name" AS status,
    coalesce(jira_category(fields.status.statusCategory."key"), statuses.status_category) AS status_category,
    jira_instant(fields.statuscategorychangedate) AS status_category_changed_at,
    fields.priority."name" AS priority,
    fields.resolution."name" AS resolution,
    jira_user_id(fields.assignee) AS assignee_id,
    jira_user_id(fields.reporter) AS reporter_id,
    jira_user_id(fields.creator) AS creator_id,
    coalesce(fields.parent."key", custom[roles.epic_link[1]] ->> '$') AS parent_key,
    list_filter(list_transform(roles.story_points, lambda p: jira_number(custom[p])), lambda n: n IS NOT NULL)[1] AS story_points,
    len(json_elements(custom[roles.flagged[1]])) > 0 AS is_flagged,
    list_transform(json_elements(fields.labels), lambda label: label ->> '$') AS labels,
    list_transform(json_elements(fields.components), lambda component: component ->> '$.name') AS components,
    list_transform(json_elements(fields.fixVersions), lambda version: version ->> '$.name') AS fix_versions,
    list_transform(json_elements(custom[roles.sprint[1]]), lambda sprint: sprint_id(sprint)) AS sprint_ids,
    list_transform(json_elements(custom[roles.sprint[1]]), lambda sprint: sprint_text(sprint, 'name')) AS sprint_names,
    TRY_CAST(fields.duedate AS DATE) AS due_date,
    created_at,
    updated_at,
    jira_instant(fields.resolutiondate) AS resolved_at,
    load_id
FROM typed
LEFT JOIN roles ON roles.issue_id = typed.issue_id
LEFT JOIN adf_text ON adf_text.issue_id = typed.issue_id
LEFT JOIN statuses ON statuses.status_id = typed.fields.status.id;

-- Megabytes, and what comes next would hold its own beside them.
DROP TABLE typed;
DROP TABLE adf_text;

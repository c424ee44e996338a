-- sprints: read from the sprint field of the issue of each sprint that was loaded last. Cloud sends objects, Data Center
-- strings like com.atlassian.greenhopper.service.sprint.Sprint@1f[id=12,rapidViewId=3,state=CLOSED,name=S 12,goal=,...], the order
-- of whose keys differs. Run after macros.sql.

CREATE OR REPLACE TEMP TABLE freshest_issues AS
WITH mentioned AS (
    SELECT unnest(sprint_ids) AS sprint_id, load_id, issue_id FROM issues WHERE len(sprint_ids) > 0
),
freshest AS (
    SELECT sprint_id, max(load_id) AS load_id, arg_max(issue_id, (load_id, issue_id)) AS issue_id FROM mentioned GROUP BY sprint_id
)
SELECT f.*, s.sprint_id IS NULL OR f.load_id > s.load_id AS is_news FROM freshest f
LEFT JOIN sprints s ON s.sprint_id = f.sprint_id;

CREATE OR REPLACE TEMP TABLE sprint_values AS
WITH sprint_fields AS (
    SELECT DISTINCT '$.fields.' || field_id AS path FROM ops.field_roles WHERE role = 'sprint'
),
payloads AS (
    SELECT r.issue_id, r.payload FROM raw_issues r WHERE r.issue_id IN (SELECT issue_id FROM freshest_issues WHERE is_news)
),
found AS (
    SELECT p.issue_id, unnest(json_extract(p.payload, f.path)::JSON[]) AS sprint
    FROM payloads p CROSS JOIN sprint_fields f
    WHERE json_type(p.payload, f.path) = 'ARRAY'
)
SELECT issue_id, sprint, sprint ->> '$' AS text, json_type(sprint) = 'OBJECT' AS is_object FROM found;

CREATE OR REPLACE TEMP TABLE read_sprints AS
WITH written AS (
    SELECT issue_id,
           CASE WHEN is_object THEN sprint ->> '$.id' ELSE regexp_extract(text, '[\[,]id=(\d+)', 1) END AS sprint_id,
           sprint_text(sprint, 'name') AS name,
           lower(CASE WHEN is_object THEN sprint ->> '$.state' ELSE regexp_extract(text, '[\[,]state=(\w+)', 1) END) AS state,
           CASE WHEN is_object THEN coalesce(sprint ->> '$.boardId', sprint ->> '$.originBoardId')
                ELSE regexp_extract(text, '[\[,]rapidViewId=(\d+)', 1) END AS board_id,
           sprint_text(sprint, 'goal') AS goal,
           CASE WHEN is_object THEN sprint ->> '$.activatedDate' ELSE regexp_extract(text, '[\[,]activatedDate=([^,\]]+)', 1) END AS activated_at,
           CASE WHEN is_object THEN sprint ->> '$.startDate' ELSE regexp_extract(text, '[\[,]startDate=([^,\]]+)', 1) END AS start_at,
           CASE WHEN is_object THEN sprint ->> '$.endDate' ELSE regexp_extract(text, '[\[,]endDate=([^,\]]+)', 1) END AS end_at,
           CASE WHEN is_object THEN sprint ->> '$.completeDate' ELSE regexp_extract(text, '[\[,]completeDate=([^,\]]+)', 1) END AS completed_at
    FROM sprint_values
)
SELECT issue_id, try_cast(sprint_id AS BIGINT) AS sprint_id, name, state, try_cast(board_id AS BIGINT) AS board_id,
       nullif(nullif(goal, ''), '<null>') AS goal,
       try_cast(start_at AS TIMESTAMPTZ) AS start_at, try_cast(end_at AS TIMESTAMPTZ) AS end_at,
       try_cast(completed_at AS TIMESTAMPTZ) AS completed_at, try_cast(activated_at AS TIMESTAMPTZ) AS activated_at
FROM written;

DELETE FROM sprints WHERE sprint_id NOT IN (SELECT sprint_id FROM freshest_issues WHERE NOT is_news);

INSERT INTO sprints BY NAME
SELECT r.sprint_id, any_value(r.name) AS name, any_value(r.state) AS state, any_value(r.board_id) AS board_id, any_value(r.goal) AS goal,
       -- A planned start is none: a future sprint may be dated.
       any_value(CASE WHEN r.state <> 'future' THEN coalesce(r.activated_at, r.start_at) END) AS activated_at,
       any_value(r.start_at) AS start_at, any_value(r.end_at) AS end_at, any_value(r.completed_at) AS completed_at,
       any_value(f.load_id) AS load_id
FROM read_sprints r
JOIN freshest_issues f ON f.sprint_id = r.sprint_id AND f.issue_id = r.issue_id AND f.is_news
GROUP BY r.sprint_id;

DROP TABLE read_sprints;
DROP TABLE sprint_values;
DROP TABLE freshest_issues;

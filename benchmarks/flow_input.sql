-- The input of flow_metrics.py, made from hashes: the same numbers every time. $issues, $projects, $days (of history), $as_of.

INSERT INTO statuses (status_id, name, status_category, is_listed) VALUES
    ('1', 'Backlog', 'new', true), ('2', 'To Do', 'new', true), ('3', 'In Progress', 'indeterminate', true),
    ('4', 'Code Review', 'indeterminate', true), ('5', 'Waiting for QA', 'indeterminate', true),
    ('6', 'QA', 'indeterminate', true), ('7', 'Done', 'done', true), ('8', 'Closed', 'done', true), ('9', 'Blocked', 'indeterminate', true);

INSERT INTO ops.field_roles (role, field_id, rank) VALUES ('sprint', 'customfield_10020', 1),
    ('story_points', 'customfield_10016', 1), ('flagged', 'customfield_10021', 1);

INSERT INTO matched_assignees (user_id, team)
SELECT 'user-' || n, 'team-' || n % 40 FROM range(2000) r(n);

-- The ways issues go: reopenings, detours, skipped work.
CREATE TEMP TABLE paths AS
SELECT path, list_transform(string_split(steps, ''), lambda s: s) AS steps
FROM (VALUES (0, '2367'), (1, '23467'), (2, '234567'), (3, '1234567'), (4, '27'), (5, '23237'), (6, '2346367'),
             (7, '234567378'), (8, '23978'), (9, '2345643467')) v(path, steps);

CREATE TEMP TABLE born AS
SELECT n AS issue_id, hash(n, 1) % $projects AS project,
       $as_of::TIMESTAMPTZ - to_seconds(((n::DOUBLE / $issues) * $days * 86400)::BIGINT + (hash(n, 2) % 86400)::BIGINT) AS created_at,
       hash(n, 3) % 10 AS path,
       (3600 * pow(2, (hash(n, 4) % 1000) / 100.0))::BIGINT AS seconds
FROM range($issues) r(n);

CREATE TEMP TABLE moves AS
SELECT b.issue_id, step, created_at + to_microseconds(((seconds * 1e6 * (step + (hash(issue_id, step, 5) % 100) / 101.0)) / 3)::BIGINT) AS changed_at,
       p.steps[step] AS from_id, p.steps[step + 1] AS to_id
FROM born b JOIN paths p ON p.path = b.path, unnest(range(1, len(p.steps))) u(step)
WHERE changed_at < $as_of;

CREATE TEMP TABLE ended AS
SELECT b.issue_id, coalesce(max(m.changed_at), any_value(b.created_at)) AS ended_at, arg_max(m.to_id, m.step) AS status_id
FROM born b LEFT JOIN moves m ON m.issue_id = b.issue_id GROUP BY b.issue_id;

INSERT INTO issue_changes BY NAME
WITH others AS (
    SELECT b.issue_id, 100 + k AS history_number, b.created_at + (e.ended_at - b.created_at) * ((hash(b.issue_id, k, 6) % 1000) / 1000.0) AS changed_at,
           CASE WHEN h < 15 THEN 'assignee' WHEN h < 22 THEN 'customfield_10020' WHEN h < 25 THEN 'customfield_10021'
                WHEN h < 29 THEN 'customfield_10016' WHEN h < 60 THEN 'Rank' WHEN h < 80 THEN 'labels' ELSE 'description' END AS field_id,
           hash(b.issue_id, k, 7) AS v
    FROM (SELECT *, unnest(range(9)) AS k FROM born) b
    JOIN ended e ON e.issue_id = b.issue_id, LATERAL (SELECT hash(b.issue_id, k, 8) % 100 AS h) l
),
everything AS (
    SELECT issue_id, step AS history_number, changed_at, 'status' AS field_id, from_id AS from_value, s.name AS from_string, to_id AS to_value, t.name AS to_string
    FROM moves m JOIN statuses s ON s.status_id = m.from_id JOIN statuses t ON t.status_id = m.to_id
    UNION ALL
    SELECT issue_id, history_number, changed_at, field_id, NULL, NULL,
           CASE field_id WHEN 'assignee' THEN 'user-' || v % 2000 WHEN 'customfield_10020' THEN ((issue_id * 20) // $issues * 10 + v % 10 + 1)::VARCHAR
                WHEN 'customfield_10021' THEN CASE WHEN v % 2 = 0 THEN '[10019]' END END,
           CASE field_id WHEN 'assignee' THEN 'User ' || v % 2000 WHEN 'customfield_10020' THEN 'Sprint'
                WHEN 'customfield_10021' THEN CASE WHEN v % 2 = 0 THEN 'Impediment' END WHEN 'customfield_10016' THEN (v % 8)::VARCHAR
                ELSE 'text of some length that nobody reads here' END
    FROM others
)
SELECT issue_id, issue_id * 1000 + history_number AS history_id, 0 AS item_index, changed_at, 'user-' || hash(issue_id, 9) % 2000 AS author_id,
       field_id AS field, field_id, from_value, from_string, to_value, to_string, 1 AS load_id
FROM everything ORDER BY issue_id, history_id;

-- A third of the issues is in one of the sprints of its time, sub-tasks have the issue before them as parent.
INSERT INTO issues BY NAME
SELECT b.issue_id, 'P' || project || '-' || b.issue_id AS issue_key, (10000 + project)::VARCHAR AS project_id, 'P' || project AS project_key,
       CASE hash(b.issue_id, 10) % 10 WHEN 0 THEN 'Sub-task' WHEN 1 THEN 'Epic' WHEN 2 THEN 'Bug' WHEN 3 THEN 'Bug' ELSE 'Story' END AS issue_type,
       issue_type = 'Sub-task' AS is_subtask, CASE issue_type WHEN 'Sub-task' THEN -1 WHEN 'Epic' THEN 1 ELSE 0 END AS hierarchy_level,
       coalesce(e.status_id, p.steps[1]) AS status_id, s.name AS status, s.status_category,
       CASE issue_type WHEN 'Sub-task' THEN 'P' || hash(b.issue_id - 1, 1) % $projects || '-' || (b.issue_id - 1) END AS parent_key,
       CASE WHEN hash(b.issue_id, 14) % 3 = 0 THEN [(b.issue_id * 20) // $issues * 10 + hash(b.issue_id, 15) % 10 + 1] END AS sprint_ids,
       'Medium' AS priority, CASE WHEN s.status_category = 'done' THEN CASE WHEN hash(b.issue_id, 11) % 12 = 0 THEN 'Won''t Do' ELSE 'Done' END END AS resolution,
       'user-' || hash(b.issue_id, 12) % 2000 AS assignee_id, (hash(b.issue_id, 13) % 8)::DOUBLE AS story_points,
       created_at, e.ended_at AS updated_at, CASE WHEN s.status_category = 'done' THEN date_trunc('second', e.ended_at) END AS resolved_at, 1 AS load_id
FROM born b JOIN ended e ON e.issue_id = b.issue_id JOIN paths p ON p.path = b.path
JOIN statuses s ON s.status_id = coalesce(e.status_id, p.steps[1]);

CREATE TEMP TABLE sprints_of_all AS
SELECT n + 1 AS id, timezone('UTC', $as_of::TIMESTAMPTZ) - to_days((n // 10 + 1) * $days // 20) + to_days((n % 10) * 14) AS start_at
FROM range(200) r(n);

-- One history in a thousand has not been fetched to its end.
INSERT INTO raw_issues BY NAME
SELECT issue_id, issue_key, project_id, project_key, created_at, updated_at, 1 AS load_id, hash(issue_id, 16) % 1000 > 0 AS history_complete,
       '{"fields":{"customfield_10020":[{"id":' || s.id || ',"name":"Sprint","state":"closed","startDate":"' || strftime(s.start_at, '%Y-%m-%dT%H:%M:%SZ')
           || '","completeDate":"' || strftime(s.start_at + INTERVAL 14 DAY, '%Y-%m-%dT%H:%M:%SZ') || '"}]}}' AS payload
FROM issues
LEFT JOIN sprints_of_all s ON s.id = sprint_ids[1];

INSERT INTO projects (project_id, project_key) SELECT DISTINCT project_id, project_key FROM issues;

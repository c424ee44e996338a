-- One day later: 1 % of the issues got a change of status, old ones as often as new ones, which is dearer than in life.
-- All of a changed issue is written anew, behind what is there, as the pipeline does (load_issue_changes.sql, issues.sql).

CREATE TEMP TABLE touched AS
SELECT issue_id, i.status_id, i.status, CASE i.status_category WHEN 'done' THEN '3' WHEN 'new' THEN '3' ELSE '7' END AS to_id,
       $as_of::TIMESTAMPTZ + to_seconds((hash(issue_id, 20) % 80000)::BIGINT) AS changed_at
FROM issues i WHERE hash(issue_id, 21) % 100 = 0;

CREATE TEMP TABLE landed_changes AS
SELECT * REPLACE (2 AS load_id) FROM issue_changes WHERE issue_id IN (SELECT issue_id FROM touched)
UNION ALL BY NAME
SELECT issue_id, issue_id * 1000 + 900 AS history_id, 0 AS item_index, changed_at, 'user-1' AS author_id, 'status' AS field, 'status' AS field_id,
       t.status_id AS from_value, t.status AS from_string, to_id AS to_value, s.name AS to_string, 2 AS load_id
FROM touched t JOIN statuses s ON s.status_id = t.to_id;

CREATE TEMP TABLE typed AS
SELECT i.* REPLACE (t.to_id AS status_id, s.name AS status, s.status_category AS status_category, t.changed_at AS updated_at, 2 AS load_id,
                    CASE WHEN s.status_category = 'done' THEN date_trunc('second', t.changed_at) END AS resolved_at)
FROM issues i
JOIN touched t ON t.issue_id = i.issue_id
JOIN statuses s ON s.status_id = t.to_id;

CREATE TEMP TABLE landed AS
SELECT r.* REPLACE (2 AS load_id, t.changed_at AS updated_at) FROM raw_issues r JOIN touched t ON t.issue_id = r.issue_id;

DELETE FROM issue_changes WHERE issue_id IN (SELECT issue_id FROM touched);
INSERT INTO issue_changes BY NAME FROM landed_changes ORDER BY issue_id, history_id;

DELETE FROM issues WHERE issue_id IN (SELECT issue_id FROM touched);
INSERT INTO issues BY NAME FROM typed ORDER BY issue_id;

DELETE FROM raw_issues WHERE issue_id IN (SELECT issue_id FROM touched);
INSERT INTO raw_issues BY NAME FROM landed ORDER BY issue_id;

-- One day later: 1 % of the issues got a change of status, old ones as often as new ones, which is dearer than in life.

CREATE TEMP TABLE touched AS
SELECT issue_id, i.status_id, i.status, CASE i.status_category WHEN 'done' THEN '3' WHEN 'new' THEN '3' ELSE '7' END AS to_id,
       $as_of::TIMESTAMPTZ + to_seconds((hash(issue_id, 20) % 80000)::BIGINT) AS changed_at
FROM issues i WHERE hash(issue_id, 21) % 100 = 0;

INSERT INTO issue_changes BY NAME
SELECT issue_id, issue_id * 1000 + 900 AS history_id, 0 AS item_index, changed_at, 'user-1' AS author_id, 'status' AS field, 'status' AS field_id,
       t.status_id AS from_value, t.status AS from_string, to_id AS to_value, s.name AS to_string
FROM touched t JOIN statuses s ON s.status_id = t.to_id;

UPDATE issues i SET status_id = t.to_id, status = s.name, status_category = s.status_category, updated_at = t.changed_at, load_id = 2,
    resolved_at = CASE WHEN s.status_category = 'done' THEN date_trunc('second', t.changed_at) END
FROM touched t JOIN statuses s ON s.status_id = t.to_id WHERE i.issue_id = t.issue_id;

UPDATE raw_issues r SET load_id = 2, updated_at = t.changed_at FROM touched t WHERE r.issue_id = t.issue_id;

-- outdated_issues by comparing every row of present_loads and derived_loads (temporary views: issue_id, load_id).

CREATE OR REPLACE TEMP TABLE outdated_issues AS
SELECT coalesce(p.issue_id, d.issue_id) AS issue_id, p.load_id
FROM present_loads p
FULL JOIN derived_loads d ON d.issue_id = p.issue_id
WHERE d.issue_id IS NULL OR p.issue_id IS NULL OR d.load_id IS DISTINCT FROM p.load_id;

-- time_in_status: the stays of every changed issue, added up by status. Run after flow_macros.sql.

CREATE OR REPLACE TEMP TABLE outdated_issues AS
SELECT coalesce(s.issue_id, d.issue_id) AS issue_id
FROM (SELECT issue_id, load_id FROM status_intervals WHERE stay_number = 1) s
FULL JOIN (SELECT issue_id, load_id FROM time_in_status WHERE is_current) d ON d.issue_id = s.issue_id
WHERE d.issue_id IS NULL OR s.issue_id IS NULL OR d.load_id IS DISTINCT FROM s.load_id;

DELETE FROM time_in_status WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

INSERT INTO time_in_status BY NAME
SELECT issue_id, status_id, status, phase,
       in_hours(coalesce(sum(epoch_us(left_at) - epoch_us(entered_at)), 0)) AS hours,
       count(*) AS visits,
       bool_or(left_at IS NULL) AS is_current,
       min(entered_at) AS first_entered_at,
       max(entered_at) AS last_entered_at,
       any_value(load_id) AS load_id
FROM status_intervals
WHERE issue_id IN (SELECT issue_id FROM outdated_issues)
GROUP BY issue_id, status_id, status, phase;

DROP TABLE outdated_issues;

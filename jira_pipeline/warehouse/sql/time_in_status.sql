-- time_in_status: the stays of every changed issue, added up by status.
-- Run after flow_macros.sql and one of newer_issues.sql and outdated_issues.sql; changed_stays is the query of that file.

DELETE FROM time_in_status WHERE issue_id IN (SELECT issue_id FROM outdated_issues);

-- Numbered, so that the grouping below goes by two integers.
CREATE OR REPLACE TEMP TABLE numbered_statuses AS
SELECT row_number() OVER ()::INTEGER AS number, * FROM (SELECT DISTINCT status_id, status, phase FROM changed_stays);

INSERT INTO time_in_status BY NAME
WITH stays AS (
    SELECT s.issue_id, n.number, s.entered_at, s.left_at, s.load_id
    FROM changed_stays s
    JOIN numbered_statuses n
      ON n.status_id IS NOT DISTINCT FROM s.status_id AND n.status IS NOT DISTINCT FROM s.status AND n.phase = s.phase
),
-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.
added AS (
    SELECT issue_id, number,
           coalesce(sum((epoch_us(left_at) - epoch_us(entered_at))::DOUBLE), 0) AS microseconds,
           count(*) AS visits,
           count(left_at) < count(*) AS is_current,
           min(entered_at) AS first_entered_at,
           max(entered_at) AS last_entered_at,
           max(load_id) AS load_id
    FROM stays
    GROUP BY issue_id, number
)
SELECT a.issue_id, n.status_id, n.status, n.phase, in_hours(a.microseconds) AS hours, a.visits, a.is_current, a.first_entered_at,
       a.last_entered_at, a.load_id
FROM added a
JOIN numbered_statuses n ON n.number = a.number;

DROP TABLE numbered_statuses;
DROP TABLE outdated_issues;

-- sprint_issues: who was in a sprint when, from the history of the sprint field. Open sprints are measured to $as_of.
-- Told anew are the issues that changed in cycle_times since (untaken_changes), and the sprints that are open or were
-- measured between other instants than now (ops.measured_sprints); all of them when the table is empty ($is_rebuild).

CREATE OR REPLACE TEMP TABLE changed_issues AS
SELECT DISTINCT issue_id FROM untaken_changes;

CREATE OR REPLACE TEMP TABLE measured_sprints AS
SELECT s.sprint_id, s.activated_at, s.completed_at, coalesce(s.completed_at, greatest($as_of, s.activated_at)) AS ends_at,
       $is_rebuild OR m.sprint_id IS NULL AS is_renewed
FROM sprints s
LEFT JOIN ops.measured_sprints m
       ON m.sprint_id = s.sprint_id AND m.activated_at = s.activated_at AND m.completed_at = s.completed_at  -- never of open ones
WHERE s.activated_at IS NOT NULL;

DELETE FROM sprint_issues
WHERE sprint_id NOT IN (SELECT sprint_id FROM measured_sprints WHERE NOT is_renewed)
   OR issue_id IN (SELECT issue_id FROM changed_issues);

CREATE OR REPLACE TEMP TABLE members AS
WITH renewed AS (
    SELECT min(activated_at) AS first_at, max(ends_at) AS last_at FROM measured_sprints WHERE is_renewed
),
memberships AS (
    SELECT f.issue_id, f.from_at, f.until_at, c.issue_id IS NOT NULL AS is_changed,
           try_cast(trim(unnest(string_split(f.value, ','))) AS BIGINT) AS sprint_id
    FROM field_intervals f
    CROSS JOIN renewed r
    LEFT JOIN changed_issues c ON c.issue_id = f.issue_id
    WHERE f.field = 'sprint'
      AND (c.issue_id IS NOT NULL OR (f.from_at <= r.last_at AND (f.until_at IS NULL OR f.until_at > r.first_at)))
)
-- A sprint that stays in the list while another is added next to it is one membership in two rows: so only instants count.
SELECT m.sprint_id, m.issue_id, s.activated_at, s.ends_at,
       bool_or(m.from_at <= s.activated_at AND (m.until_at IS NULL OR m.until_at > s.activated_at)) AS is_committed,
       bool_or(m.from_at <= s.ends_at AND (m.until_at IS NULL OR m.until_at > s.ends_at)) AS is_in_at_end,
       min(m.from_at) FILTER (m.from_at > s.activated_at) AS added_at
FROM memberships m
JOIN measured_sprints s ON s.sprint_id = m.sprint_id AND (s.is_renewed OR m.is_changed)
WHERE m.from_at <= s.ends_at AND (m.until_at IS NULL OR m.until_at > s.activated_at)
GROUP BY ALL;

INSERT INTO sprint_issues BY NAME
WITH done AS (
    SELECT issue_id, entered_at, left_at FROM status_intervals WHERE phase = 'done' AND issue_id IN (SELECT issue_id FROM members)
),
undone AS (
    SELECT m.*, c.project_key
    FROM members m
    JOIN cycle_times c ON c.issue_id = m.issue_id AND c.counts_in_flow
    ANTI JOIN done d
           ON d.issue_id = m.issue_id AND d.entered_at < m.activated_at AND (d.left_at IS NULL OR d.left_at > m.activated_at)
),
-- At one instant an issue is in one stay, so this joins at most one row.
looked_up AS (
    SELECT u.*, d.issue_id IS NOT NULL AS is_done_at_end
    FROM undone u
    LEFT JOIN done d ON d.issue_id = u.issue_id AND d.entered_at <= u.ends_at AND (d.left_at IS NULL OR d.left_at > u.ends_at)
),
estimates AS (
    SELECT issue_id, try_cast(value AS DOUBLE) AS points, from_at, until_at
    FROM field_intervals
    WHERE field = 'story_points' AND issue_id IN (SELECT issue_id FROM members)
)
SELECT m.sprint_id, m.issue_id, m.project_key, m.is_committed, NOT m.is_committed AS is_added, NOT m.is_in_at_end AS is_removed,
       m.is_in_at_end AND m.is_done_at_end AS is_completed,
       max(e.points) FILTER (e.from_at <= begins_at AND (e.until_at IS NULL OR e.until_at > begins_at)) AS points_at_start,
       max(e.points) FILTER (e.from_at <= m.ends_at AND (e.until_at IS NULL OR e.until_at > m.ends_at)) AS points_at_end,
       points_at_start IS DISTINCT FROM points_at_end AS is_re_estimated
FROM (SELECT *, CASE WHEN is_committed THEN activated_at ELSE added_at END AS begins_at FROM looked_up) m
LEFT JOIN estimates e ON e.issue_id = m.issue_id
GROUP BY ALL;

DELETE FROM ops.measured_sprints;
INSERT INTO ops.measured_sprints BY NAME SELECT sprint_id, activated_at, completed_at FROM measured_sprints;

DROP TABLE members;
DROP TABLE measured_sprints;
DROP TABLE changed_issues;

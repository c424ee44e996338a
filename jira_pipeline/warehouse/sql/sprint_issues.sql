-- sprint_issues: who was in a sprint when, from the history of the sprint field. Open sprints are measured to $as_of.

DELETE FROM sprint_issues;

INSERT INTO sprint_issues BY NAME
WITH measured AS (
    SELECT sprint_id, activated_at, coalesce(completed_at, greatest($as_of, activated_at)) AS ends_at
    FROM sprints WHERE activated_at IS NOT NULL
),
memberships AS (
    SELECT issue_id, from_at, until_at, try_cast(trim(unnest(string_split(value, ','))) AS BIGINT) AS sprint_id
    FROM field_intervals WHERE field = 'sprint'
),
-- A sprint that stays in the list while another is added next to it is one membership in two rows: so only instants count.
members AS (
    SELECT m.sprint_id, m.issue_id, s.activated_at, s.ends_at,
           bool_or(m.from_at <= s.activated_at AND (m.until_at IS NULL OR m.until_at > s.activated_at)) AS is_committed,
           bool_or(m.from_at <= s.ends_at AND (m.until_at IS NULL OR m.until_at > s.ends_at)) AS is_in_at_end,
           min(m.from_at) FILTER (m.from_at > s.activated_at) AS added_at
    FROM memberships m
    JOIN measured s ON s.sprint_id = m.sprint_id
    WHERE m.from_at <= s.ends_at AND (m.until_at IS NULL OR m.until_at > s.activated_at)
    GROUP BY ALL
),
done AS (
    SELECT issue_id, entered_at, left_at FROM status_intervals WHERE phase = 'done'
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
    SELECT issue_id, try_cast(value AS DOUBLE) AS points, from_at, until_at FROM field_intervals WHERE field = 'story_points'
)
SELECT m.sprint_id, m.issue_id, m.project_key, m.is_committed, NOT m.is_committed AS is_added, NOT m.is_in_at_end AS is_removed,
       m.is_in_at_end AND m.is_done_at_end AS is_completed,
       max(e.points) FILTER (e.from_at <= begins_at AND (e.until_at IS NULL OR e.until_at > begins_at)) AS points_at_start,
       max(e.points) FILTER (e.from_at <= m.ends_at AND (e.until_at IS NULL OR e.until_at > m.ends_at)) AS points_at_end,
       points_at_start IS DISTINCT FROM points_at_end AS is_re_estimated
FROM (SELECT *, CASE WHEN is_committed THEN activated_at ELSE added_at END AS begins_at FROM looked_up) m
LEFT JOIN estimates e ON e.issue_id = m.issue_id
GROUP BY ALL;

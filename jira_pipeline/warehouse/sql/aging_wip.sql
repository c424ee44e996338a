-- aging_wip: every started and unfinished issue as of $as_of. Run after aging_wip_spans.sql and time_buckets.sql.
-- $time_zone; $last_day; $sle_days and $sle_percentile: the expectation; $stale_days.

DELETE FROM aging_wip;

INSERT INTO aging_wip BY NAME
WITH expectation AS (
    SELECT project_key_at_done AS project_key,
           CASE WHEN count(*) >= 10 THEN quantile_disc(started_to_done_days, $sle_percentile) END AS usual_days
    FROM cycle_times
    WHERE counts_in_flow AND cycle_quality = 'ok' AND done_date BETWEEN $last_day - 364 AND $last_day
    GROUP BY ALL
),
present AS (
    SELECT issue_id, status_id, status, phase, entered_date FROM status_intervals
    WHERE left_at IS NULL AND issue_id IN (SELECT issue_id FROM bucket_spans)
),
flagged AS (
    SELECT DISTINCT issue_id FROM field_intervals
    WHERE field = 'flagged' AND until_at IS NULL AND issue_id IN (SELECT issue_id FROM bucket_spans)
),
-- Numbers of issues are never NULL. But for an = between them DuckDB lays the few of the one side out as an array from the least
-- to the greatest number, which takes longer here than all the rest.
aged AS (
    SELECT c.issue_id, c.issue_key, c.project_key, c.issue_type, c.assignee_id, c.team, s.status_id, s.status, s.phase::VARCHAR AS phase,
           s.phase = 'to_do' AS is_parked, c.started_at,
           days_inclusive(c.started_date, greatest(local_date($as_of, $time_zone), c.started_date)) AS age_days,
           hours_between(b.from_at, b.until_at) AS age_hours,
           days_inclusive(s.entered_date, greatest(local_date($as_of, $time_zone), s.entered_date)) AS days_in_status,
           coalesce(t.active_hours, 0) AS active_hours, coalesce(t.waiting_hours, 0) AS waiting_hours,
           coalesce(t.blocked_hours, 0) AS blocked_hours, coalesce(t.backlog_hours, 0) AS backlog_hours,
           coalesce(t.done_gap_hours, 0) AS done_gap_hours,
           f.issue_id IS NOT NULL AS is_blocked,
           i.updated_at AS last_activity_at,
           hours_between(i.updated_at, $as_of) >= 24 * $stale_days AS is_stale,
           coalesce($sle_days, e.usual_days) AS sle_days
    FROM bucket_spans b
    JOIN cycle_times c ON c.issue_id IS NOT DISTINCT FROM b.issue_id
    JOIN issues i ON i.issue_id IS NOT DISTINCT FROM b.issue_id
    JOIN present s ON s.issue_id IS NOT DISTINCT FROM b.issue_id
    LEFT JOIN time_buckets t ON t.issue_id = b.issue_id
    LEFT JOIN flagged f ON f.issue_id = b.issue_id
    LEFT JOIN expectation e ON e.project_key = c.project_key
)
SELECT a.*,
       CASE WHEN p.age_days_p50 IS NULL THEN NULL
            WHEN a.age_days <= p.age_days_p50 THEN 'up_to_p50'
            WHEN a.age_days <= p.age_days_p70 THEN 'p50_to_p70'
            WHEN a.age_days <= p.age_days_p85 THEN 'p70_to_p85'
            WHEN a.age_days <= p.age_days_p95 THEN 'p85_to_p95'
            ELSE 'over_p95' END AS pace_band,
       CASE WHEN a.sle_days IS NULL THEN NULL
            WHEN a.age_days > a.sle_days THEN 'past'
            WHEN a.age_days = a.sle_days THEN 'at'
            WHEN a.age_days >= 0.8 * a.sle_days THEN 'near'
            ELSE 'inside' END AS sle_state,
       $as_of AS as_of
FROM aged a
LEFT JOIN status_pace p
       ON p.project_key = a.project_key AND p.status_id IS NOT DISTINCT FROM a.status_id AND p.status IS NOT DISTINCT FROM a.status;

DROP TABLE time_buckets;
DROP TABLE bucket_spans;

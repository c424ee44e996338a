-- time_buckets: where the time of each span in the temporary table bucket_spans (issue_id, from_at, until_at) went.
-- Every microsecond of a span is in exactly one of the five.

CREATE OR REPLACE TEMP TABLE time_buckets AS
WITH pieces AS (
    SELECT s.issue_id,
           CASE WHEN s.phase = 'done' THEN 'done_gap' WHEN s.is_waiting THEN 'waiting'
                WHEN s.phase = 'to_do' THEN 'backlog' ELSE 'active' END AS bucket,
           epoch_us(greatest(s.entered_at, b.from_at)) AS begins,
           epoch_us(least(coalesce(s.left_at, b.until_at), b.until_at)) AS ends
    FROM bucket_spans b
    JOIN status_intervals s ON s.issue_id = b.issue_id
    WHERE s.entered_at < b.until_at AND (s.left_at IS NULL OR s.left_at > b.from_at)
),
-- A flag counts while there is work to be blocked: not in the backlog, not in Done.
flagged AS (
    SELECT p.issue_id, p.bucket,
           sum(least(p.ends, coalesce(epoch_us(f.until_at), p.ends)) - greatest(p.begins, epoch_us(f.from_at))) AS blocked
    FROM (SELECT issue_id, from_at, until_at FROM field_intervals WHERE field = 'flagged') f
    JOIN pieces p ON p.issue_id = f.issue_id
    WHERE p.bucket IN ('active', 'waiting')
      AND epoch_us(f.from_at) < p.ends AND (f.until_at IS NULL OR epoch_us(f.until_at) > p.begins)
    GROUP BY p.issue_id, p.bucket
),
parts AS (
    SELECT issue_id, bucket, ends - begins AS elapsed, 0 AS blocked FROM pieces
    UNION ALL
    SELECT issue_id, bucket, -blocked, blocked FROM flagged
)
SELECT issue_id,
       coalesce(sum(elapsed) FILTER (bucket = 'active'), 0) / 3600000000.0::DOUBLE AS active_hours,
       coalesce(sum(elapsed) FILTER (bucket = 'waiting'), 0) / 3600000000.0::DOUBLE AS waiting_hours,
       sum(blocked) / 3600000000.0::DOUBLE AS blocked_hours,
       coalesce(sum(elapsed) FILTER (bucket = 'backlog'), 0) / 3600000000.0::DOUBLE AS backlog_hours,
       coalesce(sum(elapsed) FILTER (bucket = 'done_gap'), 0) / 3600000000.0::DOUBLE AS done_gap_hours
FROM parts
GROUP BY issue_id;

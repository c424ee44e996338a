-- time_buckets: where the time of each span in the temporary table bucket_spans (issue_id, from_at, until_at) went.
-- Every microsecond of a span is in exactly one of the five.
-- Added up as DOUBLE, exact for whole numbers: sum() over integers reckons with 128 bits, at twice the price.

CREATE OR REPLACE TEMP TABLE time_buckets AS
WITH pieces AS (
    SELECT b.issue_id, s.phase, s.is_waiting,
           (epoch_us(least(coalesce(s.left_at, b.until_at), b.until_at)) - epoch_us(greatest(s.entered_at, b.from_at)))::DOUBLE AS elapsed
    FROM status_intervals s
    JOIN bucket_spans b ON b.issue_id = s.issue_id
    WHERE s.entered_at < b.until_at AND (s.left_at IS NULL OR s.left_at > b.from_at)
),
spent AS (
    SELECT issue_id,
           coalesce(sum(elapsed) FILTER (phase = 'in_progress' AND NOT is_waiting), 0) AS active,
           coalesce(sum(elapsed) FILTER (phase <> 'done' AND is_waiting), 0) AS waiting,
           coalesce(sum(elapsed) FILTER (phase = 'to_do' AND NOT is_waiting), 0) AS backlog,
           coalesce(sum(elapsed) FILTER (phase = 'done'), 0) AS done_gap
    FROM pieces
    GROUP BY issue_id
),
-- A flag counts while there is work to be blocked: not in the backlog, not in Done.
flags AS (
    SELECT f.issue_id, greatest(f.from_at, b.from_at) AS from_at, least(coalesce(f.until_at, b.until_at), b.until_at) AS until_at
    FROM field_intervals f
    JOIN bucket_spans b ON b.issue_id = f.issue_id
    WHERE f.field = 'flagged' AND f.from_at < b.until_at AND (f.until_at IS NULL OR f.until_at > b.from_at)
),
flagged_pieces AS (
    SELECT f.issue_id, s.is_waiting,
           (epoch_us(least(coalesce(s.left_at, f.until_at), f.until_at)) - epoch_us(greatest(s.entered_at, f.from_at)))::DOUBLE AS elapsed
    FROM status_intervals s
    JOIN flags f ON f.issue_id = s.issue_id
    WHERE s.phase <> 'done' AND (s.phase = 'in_progress' OR s.is_waiting)
      AND s.entered_at < f.until_at AND (s.left_at IS NULL OR s.left_at > f.from_at)
),
flagged AS (
    SELECT issue_id,
           coalesce(sum(elapsed) FILTER (NOT is_waiting), 0) AS active,
           coalesce(sum(elapsed) FILTER (is_waiting), 0) AS waiting
    FROM flagged_pieces
    GROUP BY issue_id
)
SELECT s.issue_id,
       in_hours(s.active - coalesce(f.active, 0)) AS active_hours,
       in_hours(s.waiting - coalesce(f.waiting, 0)) AS waiting_hours,
       in_hours(coalesce(f.active + f.waiting, 0)) AS blocked_hours,
       in_hours(s.backlog) AS backlog_hours,
       in_hours(s.done_gap) AS done_gap_hours
FROM spent s
LEFT JOIN flagged f ON f.issue_id = s.issue_id;

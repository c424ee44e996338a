-- The spans from start to now of all open work, for time_buckets.sql.

CREATE OR REPLACE TEMP TABLE bucket_spans AS
SELECT issue_id, started_at AS from_at, greatest($as_of, started_at) AS until_at
FROM cycle_times
WHERE counts_in_flow AND started_at IS NOT NULL AND done_at IS NULL;

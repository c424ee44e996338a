-- flow_efficiency: where the time between start and done went, by month of completion and project.
-- $last_day: the last complete local day.

DELETE FROM flow_efficiency;

INSERT INTO flow_efficiency BY NAME
SELECT date_trunc('month', done_date)::DATE AS month_start, project_key_at_done AS project_key, count(*) AS issues,
       in_hours(sum(in_microseconds(c.active_hours))) AS active_hours,
       in_hours(sum(in_microseconds(c.waiting_hours))) AS waiting_hours,
       in_hours(sum(in_microseconds(c.blocked_hours))) AS blocked_hours,
       in_hours(sum(in_microseconds(c.backlog_hours))) AS backlog_hours,
       in_hours(sum(in_microseconds(c.done_gap_hours))) AS done_gap_hours,
       -- NULL with the issues' own: without queues and flags nobody knows what waiting was.
       sum(in_microseconds(c.active_hours)) FILTER (c.flow_efficiency IS NOT NULL)
           / nullif(sum(in_microseconds(c.started_to_done_hours)) FILTER (c.flow_efficiency IS NOT NULL), 0) AS flow_efficiency
FROM cycle_times c
WHERE counts_in_flow AND cycle_quality = 'ok' AND done_date <= $last_day
GROUP BY ALL;

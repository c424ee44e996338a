-- Issues of all projects in each phase at the end of each of the last days that are counted, oldest first.
SELECT
    metric_date,
    coalesce(sum(issues) FILTER (WHERE phase = 'done'), 0)::BIGINT        AS done,
    coalesce(sum(issues) FILTER (WHERE phase = 'in_progress'), 0)::BIGINT AS in_progress,
    coalesce(sum(issues) FILTER (WHERE phase = 'to_do'), 0)::BIGINT       AS to_do
FROM cumulative_flow
WHERE metric_date > (SELECT max(metric_date) FROM cumulative_flow) - $days::INTEGER
GROUP BY metric_date
ORDER BY metric_date;

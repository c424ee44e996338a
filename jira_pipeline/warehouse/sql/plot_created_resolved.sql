-- Issues created and resolved in all projects on each of the last days that are counted, oldest first.
SELECT metric_date, sum(created_issues)::BIGINT AS created, sum(resolved_issues)::BIGINT AS resolved
FROM cycle_time_metrics
WHERE metric_date > (SELECT max(metric_date) FROM cycle_time_metrics) - $days::INTEGER
GROUP BY metric_date
ORDER BY metric_date;

SELECT
    project_key AS project,
    issue_type AS "issue type",
    count(*) AS issues,
    count(*) FILTER (cycle_quality = 'ok') AS finished,
    quantile_disc(started_to_done_days, 0.5) FILTER (cycle_quality = 'ok') AS "50 %",
    quantile_disc(started_to_done_days, 0.85) FILTER (cycle_quality = 'ok') AS "85 %",
    count(*) FILTER (reopen_count > 0) AS reopened
FROM cycle_times
GROUP BY ALL
HAVING count(*) FILTER (cycle_quality = 'ok') >= 5
ORDER BY project, issues DESC;

-- Issues whose history has not been fetched to its end, by the partition that stored them last.
SELECT partition_date, issue_key
FROM raw_issues
WHERE NOT history_complete
  AND removed_at IS NULL
ORDER BY issue_id;

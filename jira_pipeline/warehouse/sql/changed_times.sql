-- The rows of outdated_issues in time_in_status. The lowest load of those issues is the variable least_load.
SELECT t.* FROM time_in_status t JOIN outdated_issues o ON o.issue_id = t.issue_id
WHERE t.load_id >= getvariable('least_load')

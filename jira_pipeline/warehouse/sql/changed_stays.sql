-- The stays of outdated_issues, whose lowest load is the variable least_load.
-- A join on the number of an issue, not IN: DuckDB looks a number up in a plain array when the row it finds is joined, and
-- in a hash table when it only has to exist.
SELECT s.* FROM status_intervals s JOIN outdated_issues o ON o.issue_id = s.issue_id
WHERE s.load_id >= getvariable('least_load')

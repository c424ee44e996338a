-- Since version 2 a change tells with which load it came.
ALTER TABLE issue_changes ADD COLUMN load_id BIGINT;

UPDATE issue_changes SET load_id = raw_issues.load_id FROM raw_issues WHERE raw_issues.issue_id = issue_changes.issue_id;

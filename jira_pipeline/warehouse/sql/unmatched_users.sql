-- The users that no member of the roster could be found for, with the issues that hang on each: the most first.
SELECT user_id, display_name, email_address, unmatched_reason, assigned_issues, open_issues
FROM matched_assignees
WHERE NOT is_matched
ORDER BY assigned_issues DESC, open_issues DESC, user_id;

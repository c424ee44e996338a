-- Issues assigned to a person, and how many of them to a member of the roster.
SELECT
    coalesce(sum(assigned_issues), 0)::BIGINT AS assigned,
    coalesce(sum(assigned_issues) FILTER (is_matched), 0)::BIGINT AS matched
FROM matched_assignees
WHERE unmatched_reason IS DISTINCT FROM 'not_a_person';

-- matched_assignees: which member of the roster each Jira user is, one row a user.
-- $members: the roster, a JSON list of {name, email, team, jira_account_id, aliases}.
--
-- Account id, then e-mail, then alias; display names are never compared, two people may share one. The strongest
-- way that finds anybody decides: if it finds one member that is the match, if it finds two the user stays unmatched.

-- Case, white space, invisible format characters and the two ways to write an accent make no difference.
CREATE OR REPLACE TEMP MACRO folded_identity(identity) AS
    nullif(nfc_normalize(lower(regexp_replace(identity, '[\s\p{Z}\p{Cf}]+', '', 'g'))), '');

DELETE FROM matched_assignees;

INSERT INTO matched_assignees BY NAME
WITH roster AS (
    SELECT unnest(
        from_json(
            $members::JSON,
            '[{"name": "VARCHAR", "email": "VARCHAR", "team": "VARCHAR", "jira_account_id": "VARCHAR", "aliases": ["VARCHAR"]}]'
        ),
        recursive := true
    )
),
claims AS (
    SELECT 1 AS rank, 'account_id' AS match_method, folded_identity(jira_account_id) AS identity, name, email, team FROM roster
    UNION
    SELECT 2, 'email', folded_identity(email), name, email, team FROM roster
    UNION
    SELECT 3, 'alias', folded_identity(alias), name, email, team
    FROM (SELECT unnest(aliases) AS alias, name, email, team FROM roster)
),
identities AS (
    SELECT user_id, 'account_id' AS match_method, folded_identity(user_id) AS identity FROM users
    UNION ALL
    SELECT user_id, 'email', folded_identity(email_address) FROM users
    UNION ALL
    SELECT user_id, 'alias', folded_identity(user_id) FROM users
    UNION ALL
    SELECT user_id, 'alias', folded_identity(email_address) FROM users
),
candidates AS (   -- distinct, because a roster row given twice, or two aliases of one member, are no ambiguity
    SELECT DISTINCT user_id, rank, match_method, name, email, team
    FROM identities
    JOIN claims USING (match_method, identity)
),
found AS (
    SELECT user_id,
           count(*) > 1 AS is_ambiguous,
           any_value(match_method) AS match_method,
           any_value(name) AS name,
           any_value(email) AS email,
           any_value(team) AS team
    FROM candidates
    GROUP BY user_id, rank
    QUALIFY row_number() OVER (PARTITION BY user_id ORDER BY rank) = 1
),
assigned AS (
    SELECT assignee_id AS user_id,
           count(*) AS assigned_issues,
           count(*) FILTER (status_category IS DISTINCT FROM 'done') AS open_issues
    FROM issues
    GROUP BY assignee_id
)
SELECT u.user_id,
       u.display_name,
       u.email_address,
       CASE WHEN NOT is_ambiguous THEN f.name END AS member_name,
       CASE WHEN NOT is_ambiguous THEN f.email END AS member_email,
       CASE WHEN NOT is_ambiguous THEN f.team END AS team,
       CASE WHEN NOT is_ambiguous THEN f.match_method END AS match_method,
       coalesce(NOT is_ambiguous, false) AS is_matched,
       CASE
           WHEN is_ambiguous THEN 'ambiguous'
           WHEN f.user_id IS NOT NULL THEN NULL
           WHEN u.account_type IN ('app', 'unknown') THEN 'not_a_person'
           WHEN u.account_type = 'customer' THEN 'no_team_member'   -- a person outside the team, with an address or without
           WHEN folded_identity(u.email_address) IS NULL THEN 'no_email'
           ELSE 'no_team_member'
       END AS unmatched_reason,
       coalesce(a.assigned_issues, 0) AS assigned_issues,
       coalesce(a.open_issues, 0) AS open_issues
FROM users u
LEFT JOIN found f USING (user_id)
LEFT JOIN assigned a USING (user_id);

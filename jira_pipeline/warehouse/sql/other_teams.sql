-- The teams in cycle_times after a change of the roster, which changes no issue.
-- $batch: under which number that is kept in ops.cycle_time_changes; NULL: nobody takes it in.

CREATE OR REPLACE TEMP TABLE other_teams AS
SELECT c.issue_id, m.team, d.team AS team_at_done
FROM cycle_times c
LEFT JOIN matched_assignees m ON m.user_id = c.assignee_id
LEFT JOIN matched_assignees d ON d.user_id = c.assignee_id_at_done
WHERE c.team IS DISTINCT FROM m.team OR c.team_at_done IS DISTINCT FROM d.team;

UPDATE cycle_times AS c
SET team = t.team, team_at_done = t.team_at_done
FROM other_teams t
WHERE t.issue_id = c.issue_id;

INSERT INTO ops.cycle_time_changes BY NAME
SELECT $batch::BIGINT AS batch, 0 AS sign, issue_id FROM other_teams WHERE $batch IS NOT NULL;

DROP TABLE other_teams;

-- sprint_report: sprint_issues counted, and weighed in story points.

DELETE FROM sprint_report;

INSERT INTO sprint_report BY NAME
SELECT s.sprint_id, s.name, s.state, s.activated_at, s.completed_at,
       count(*) FILTER (i.is_committed) AS committed_issues,
       count(*) FILTER (i.is_added) AS added_issues,
       count(*) FILTER (i.is_removed) AS removed_issues,
       count(*) FILTER (i.is_re_estimated) AS re_estimated_issues,
       count(*) FILTER (i.is_completed) AS completed_issues,
       count(*) FILTER (i.is_completed AND i.is_committed) AS completed_of_committed,
       count(*) FILTER (NOT i.is_removed AND NOT i.is_completed) AS carry_over_issues,
       completed_of_committed / nullif(committed_issues, 0) AS say_do,
       coalesce(sum(exact(i.points_at_start)) FILTER (i.is_committed), 0) AS committed_points,
       coalesce(sum(exact(i.points_at_start)) FILTER (i.is_added), 0) AS added_points,
       coalesce(sum(exact(i.points_at_start)) FILTER (i.is_removed), 0) AS removed_points,
       coalesce(sum(exact(i.points_at_end)) FILTER (i.is_completed), 0) AS completed_points,
       coalesce(sum(exact(i.points_at_start)) FILTER (i.is_completed AND i.is_committed), 0) AS completed_of_committed_points,
       coalesce(sum(exact(i.points_at_end)) FILTER (NOT i.is_removed AND NOT i.is_completed), 0) AS carry_over_points
FROM sprints s
LEFT JOIN sprint_issues i ON i.sprint_id = s.sprint_id
WHERE s.activated_at IS NOT NULL
GROUP BY ALL;

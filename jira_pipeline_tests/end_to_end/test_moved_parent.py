"""A parent that moves takes another key, and Jira does not touch its children for it."""

from __future__ import annotations

from pathlib import Path

from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.soak.follower import Follower


def test_its_children_name_it_by_its_present_key(tmp_path: Path) -> None:
    with Sandbox(generate_site(4, issues=120, projects=2, max_histories=5)) as sandbox:
        follower = Follower(sandbox, tmp_path, ["APP", "OPS"])
        newest = follower.newest_partition
        follower.sync(newest, newest)
        ((parent, children),) = follower.rows(
            "SELECT parent_key, list(issue_id) FROM issues WHERE parent_key LIKE 'APP-%' "
            "AND parent_key IN (SELECT issue_key FROM issues) GROUP BY parent_key ORDER BY count(*) DESC LIMIT 1"
        )

        moved = sandbox.move_issue(parent, "OPS")
        moved_again = sandbox.move_issue(moved, "APP")
        follower.sync(newest, newest)

        assert len({parent, moved, moved_again}) == 3
        ids = ", ".join(map(str, children))
        assert follower.rows(f"SELECT DISTINCT parent_key FROM issues WHERE issue_id IN ({ids})") == [(moved_again,)]

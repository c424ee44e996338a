"""Data Center: a page without issues is not the end where the site counts more."""

from __future__ import annotations

from jira_pipeline.jira.jql import IssueWindow
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.jira.connecting import issues_of, sign_in, walked


def test_a_page_that_is_empty_for_once_is_asked_for_again() -> None:
    with Sandbox(generate_site(4, issues=20, projects=1, max_histories=5), "datacenter") as sandbox:
        site = sign_in(sandbox)
        sandbox.faults.add("empty_page", path="/search", times=2)

        found = issues_of(walked(site, IssueWindow("10000")))

        assert {issue.issue_id for issue in found} == {int(issue["id"]) for issue in sandbox.issues()}
        assert len(sandbox.requests) == 3


def test_an_index_that_goes_on_counting_what_it_does_not_send_does_not_hold_up_the_walk() -> None:
    with Sandbox(generate_site(4, issues=20, projects=1, max_histories=5), "datacenter") as sandbox:
        site = sign_in(sandbox)
        sandbox.faults.add("empty_page", path="/search", times=None)

        assert issues_of(walked(site, IssueWindow("10000"))) == []
        assert len(sandbox.requests) == 4

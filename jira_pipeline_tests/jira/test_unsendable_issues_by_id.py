"""Among issues that are asked for by id, one that Jira cannot send costs that one."""

from __future__ import annotations

from typing import Literal

import pytest

from jira_pipeline.jira.errors import SiteUnavailable
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Sandbox, generate_site
from jira_pipeline_tests.jira.connecting import issues_of, sign_in


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
@pytest.mark.parametrize("blemish", ["malformed", "server_error"])
def test_it_comes_among_the_unreadable_and_the_others_come_whole(
    flavour: Literal["cloud", "datacenter"], blemish: Literal["malformed", "server_error"]
) -> None:
    with Sandbox(generate_site(6, issues=30, projects=1, max_histories=5), flavour) as sandbox:
        ids = [int(issue["id"]) for issue in sandbox.issues()]
        sandbox.spoil_issue(str(ids[17]), blemish)

        pages = list(sign_in(sandbox).fetch_issues(ids, meter=Meter()))

        assert {issue.issue_id for issue in issues_of(pages)} == set(ids) - {ids[17]}
        assert {issue.issue_id for page in pages for issue in page.unreadable} == {ids[17]}


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_a_site_that_answers_nothing_is_not_taken_for_one_with_unreadable_issues(
    flavour: Literal["cloud", "datacenter"],
) -> None:
    with Sandbox(generate_site(6, issues=30, projects=1, max_histories=5), flavour) as sandbox:
        ids = [int(issue["id"]) for issue in sandbox.issues()]
        site = sign_in(sandbox)
        sandbox.faults.add("server_error", times=None)

        with pytest.raises(SiteUnavailable):
            list(site.fetch_issues(ids, meter=Meter()))

        assert len(sandbox.requests) <= 7 * site.transport.policy.attempts

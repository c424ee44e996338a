"""A site that does not understand epoch milliseconds is found out, and asked in the account's own time instead."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from jira_pipeline.jira.jql import IssueWindow, date_bound
from jira_pipeline.jira.transport import Meter
from jira_pipeline.sandbox import Sandbox, generate_site, query
from jira_pipeline_tests.jira.connecting import sign_in

ZONES = ("Pacific/Pago_Pago", "America/New_York", "UTC", "Asia/Kolkata", "Pacific/Kiritimati")
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def without_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site refuses a number where it expects a date."""
    understood = query._instant

    def refuse_numbers(operand: query.Operand, field: str, site: query.Surroundings) -> int:
        if operand.kind == "number":
            raise query.JqlError(f"Date value '{operand.text}' for field '{field}' is invalid.")
        return understood(operand, field, site)

    monkeypatch.setattr(query, "_instant", refuse_numbers)


def found(sandbox: Sandbox, since: datetime) -> set[int]:
    site = sign_in(sandbox)
    site.verify_bounds("10000")
    window = IssueWindow("10000", updated_from=since)
    return {issue.issue_id for page in site.walk(window, meter=Meter()) for issue in page.issues}


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
@pytest.mark.parametrize("zone", ZONES)
def test_windows_hold_the_same_issues_in_every_zone(flavour: str, zone: str, without_milliseconds: None) -> None:
    with Sandbox(
        generate_site(seed=4, issues=30, projects=1, max_histories=5), flavour=flavour, account_time_zone=zone
    ) as sandbox:
        updates = {int(i["id"]): datetime.fromisoformat(i["fields"]["updated"]) for i in sandbox.issues()}
        since = sorted(updates.values())[15].replace(second=0, microsecond=0)

        assert found(sandbox, since) == {issue_id for issue_id, updated in updates.items() if updated >= since}
        assert any('updated >= "' in str(request.params or request.body) for request in sandbox.requests)


def test_milliseconds_are_kept_where_they_are_understood() -> None:
    with Sandbox(generate_site(seed=4, issues=10, projects=1, max_histories=5), flavour="cloud") as sandbox:
        found(sandbox, datetime(2026, 1, 1, tzinfo=UTC))

        assert not any('"20' in request.body["jql"] for request in sandbox.requests if request.body)


def test_nothing_is_concluded_from_an_index_that_lags(caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(generate_site(seed=4, issues=10, projects=1, max_histories=5), flavour="cloud") as sandbox:
        newest = max(sandbox.issues(), key=lambda issue: issue["fields"]["updated"])
        sandbox.update_issue(newest["key"], summary="changed")
        for issue in sandbox.issues():
            sandbox.forget_issue(issue["key"], 3600)
        site = sign_in(sandbox)
        site.verify_bounds("10000")

        assert "index may be behind" in caplog.text
        assert site._quoted_in is None


@pytest.mark.parametrize("minutes", range(0, 240, 15))
def test_an_hour_that_comes_twice_makes_a_window_wider_and_never_narrower(minutes: int) -> None:
    instant = datetime(2026, 10, 24, 23, 0, tzinfo=UTC) + timedelta(minutes=minutes)
    for fold in (0, 1):
        lower = datetime.strptime(date_bound(instant, BERLIN), '"%Y-%m-%d %H:%M"').replace(tzinfo=BERLIN, fold=fold)
        upper = datetime.strptime(date_bound(instant, BERLIN, is_upper=True), '"%Y-%m-%d %H:%M"')
        assert lower.astimezone(UTC) <= instant <= upper.replace(tzinfo=BERLIN, fold=fold).astimezone(UTC)

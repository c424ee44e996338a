"""A pipeline that runs unattended beside a busy site, every night for weeks, with everything going wrong that may."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from jira_pipeline.errors import PipelineError
from jira_pipeline.sandbox import Fault, Sandbox, generate_site
from jira_pipeline.sandbox.http_server import Request
from jira_pipeline_tests.soak.comparison import differences, untruths
from jira_pipeline_tests.soak.follower import Follower
from jira_pipeline_tests.soak.life import PROJECTS, UNTRACKED, SiteLife
from jira_pipeline_tests.soak.scenario import Scenario

_TRACKED = tuple(project for project in PROJECTS if project != UNTRACKED)
_CHANGES_A_DAY = 8
_NIGHT = time(2)
_LAGS = tuple(timedelta(minutes=minutes) for minutes in (1, 20, 120, 300))
_CENSUS_EVERY = 7


def simulate(scenario: Scenario, directory: Path) -> list[str]:
    """Live through a scenario; returns what was wrong in the end, nothing when all is well. Stops at the first run
    after which something that had been stored was missing."""
    start = datetime.combine(scenario.first_day, _NIGHT, ZoneInfo(scenario.time_zone))
    site = generate_site(
        scenario.seed,
        issues=40,
        projects=len(PROJECTS),
        max_histories=60,
        start=start - timedelta(days=200),
        end=start - timedelta(hours=1),
    )
    with Sandbox(site, scenario.flavour, account_time_zone=scenario.time_zone) as sandbox:
        sandbox.now = start
        simulation = _Simulation(scenario, sandbox, directory)
        for day in range(1, scenario.days + 1):
            problems = simulation.live_through(day)
            if problems:
                return problems
        return simulation.end()


class _Simulation:
    """One site and its follower. State guarded: what has been stored so far, when runs went well, and which project's
    searches fail until which day."""

    def __init__(self, scenario: Scenario, sandbox: Sandbox, directory: Path) -> None:
        self._scenario = scenario
        self._sandbox = sandbox
        self._directory = directory
        self._dice = random.Random(scenario.seed)
        self._life = SiteLife(sandbox, self._dice)
        self._follower = Follower(sandbox, directory / "followed", _tracked_keys(sandbox))
        self._stored: set[int] = set()
        self._good_runs: list[datetime] = []
        self._broken = (UNTRACKED, 0)

    def live_through(self, day: int) -> list[str]:
        """A day on the site and the night's run after it."""
        zone = ZoneInfo(self._scenario.time_zone)
        night = datetime.combine(self._scenario.first_day + timedelta(days=day), _NIGHT, zone)
        self._life.pass_time(night, self._dice.randint(2, _CHANGES_A_DAY))
        if self._dice.random() < 0.3:
            return []  # nobody was there to run it
        self._make_trouble(day)
        try:
            self._run()
            if day % _CENSUS_EVERY == 0:
                self._follower.census()
            if self._dice.random() < 0.2:
                self._follower.derive_flow()
        except PipelineError:
            pass  # the run has failed as a whole: tomorrow's makes up for it
        self._sandbox.faults.clear()
        return self._losses()

    def end(self) -> list[str]:
        """Peace at last: what is still to be synced is synced, and everything compared."""
        self._sandbox.faults.clear()
        self._life.put_in_order()
        failed = []
        for _ in range(2):  # what was changed while the index was behind comes with the second
            self._sandbox.advance(timedelta(hours=24))
            failed += self._sync_newest()
            failed += [outcome.error for outcome in self._follower.census() if outcome.error is not None]
        self._sandbox.index_lag_seconds = 60
        self._sandbox.now = self._sandbox.now.replace(hour=1) + timedelta(days=1)  # in UTC: of a day not yet complete
        for _ in range(_CHANGES_A_DAY):
            self._life.something_harmless_happens()
        self._sandbox.advance(timedelta(minutes=5))
        failed += self._sync_newest()
        self._follower.derive_flow()
        fresh = Follower(self._sandbox, self._directory / "fresh", _tracked_keys(self._sandbox))
        newest = fresh.newest_partition
        failed += [outcome.error for outcome in fresh.sync(newest, newest) if outcome.error is not None]
        fresh.derive_flow()
        different = differences(self._follower, fresh)
        return [*map(str, failed), *different, *untruths(self._follower, self._sandbox, _TRACKED)]

    def _sync_newest(self) -> list[BaseException]:
        newest = self._follower.newest_partition
        return [outcome.error for outcome in self._follower.sync(newest, newest) if outcome.error is not None]

    def _run(self) -> None:
        newest = self._follower.newest_partition
        outcomes = self._follower.sync(newest, newest)
        if all(outcome.error is None for outcome in outcomes):
            self._good_runs.append(self._sandbox.now)
        if self._dice.random() < 0.25:  # somebody runs partitions again: this night's, or old ones
            first = newest - timedelta(days=self._dice.choice((0, self._dice.randint(1, 14))))
            self._follower.sync(first, min(newest, first + timedelta(days=self._dice.randint(0, 5))))

    def _make_trouble(self, day: int) -> None:
        self._life.blur_the_index(self._dice.choice(_LAGS))
        faults = self._sandbox.faults
        if self._dice.random() < 0.7:
            faults.randomly(self._scenario.seed * 1000 + day, 0.15)
        if self._dice.random() < 0.1:  # for longer than anybody's patience, from some page on
            faults.add("server_error", path="search", nth=self._dice.randint(3, 14), times=self._dice.choice((8, None)))
        if day > self._broken[1] and self._dice.random() < 0.2:  # one project's searches fail, for some nights
            self._broken = (self._dice.choice(_TRACKED), day + self._dice.randint(0, 5))
        project, last_day = self._broken
        if day <= last_day:
            faults.add("server_error", path="search", times=None, when=lambda request: _is_about(project, request))
        for _ in range(self._dice.randint(0, 2)):
            faults.add(
                Fault("site_change", action=self._life.something_happens), path="search", nth=self._dice.randint(1, 15)
            )

    def _losses(self) -> list[str]:
        stored = {
            row[0]: row[1] for row in self._follower.rows("SELECT issue_id, removed_at IS NOT NULL FROM raw_issues")
        }
        lost = self._stored - stored.keys()
        self._stored = set(stored)
        # An issue that has been where it is for two good runs is not to be missed.
        settled = self._good_runs[-2] if len(self._good_runs) > 1 else self._sandbox.now - timedelta(days=10_000)
        there = {
            int(issue["id"])
            for issue in self._sandbox.issues()
            if issue["fields"]["project"]["id"] in _TRACKED
            and self._life.relocated.get(int(issue["id"]), settled) <= settled
        }
        # One that came back into sight and cannot be read stays what it was, and is told among those set aside.
        aside = {issue_id for (issue_id,) in self._follower.rows("SELECT issue_id FROM ops.quarantined_issues")}
        there -= self._life.spoiled & aside
        wrongly = sorted(issue_id for issue_id, removed in stored.items() if removed and issue_id in there)
        return [
            *([f"no longer stored: {sorted(lost)}"] if lost else []),
            *([f"marked as removed, though there all the time: {wrongly}"] if wrongly else []),
        ]


def _is_about(project: str, request: Request) -> bool:
    clause = f"project = {project}"
    return clause.encode() in request.body or clause in (request.parameter("jql") or "")


def _tracked_keys(sandbox: Sandbox) -> list[str]:
    found = {issue["fields"]["project"]["id"]: issue["fields"]["project"]["key"] for issue in sandbox.issues()}
    return [found[project] for project in _TRACKED]

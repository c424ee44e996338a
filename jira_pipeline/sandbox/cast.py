"""The people, projects, workflows and sprints of a generated site.

Chosen for what trips a reader of Jira: names in several scripts, two people of one name, people without e-mail,
deactivated, app, customer and deleted accounts; a project key that is a reserved JQL word; localised statuses, team-
managed projects with statuses of the same name, several done statuses, queues; sprint names that hold , [ ] and =.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from .fields import STORY_POINT_ESTIMATE, STORY_POINTS
from .model import Project, Sprint, Status, User
from .times import to_milliseconds

_FIRST = (
    "Ana", "Björn", "Chiara", "Dmytro", "Élodie", "Fatima", "Gábor", "Hana", "Igor", "Jürgen", "Kavya", "Łukasz",
    "Mei", "Nguyễn", "Oluwaseun", "Priya", "Quentin", "Renée", "Søren", "Tomáš", "Ulla", "Valentina", "Wei", "Ximena",
    "Yuki", "Zoë",
)  # fmt: skip
_LAST = (
    "Ruiz", "Ångström", "Bianchi", "Kovalenko", "Dupont", "al-Amin", "Nagy", "Nováková", "Petrov", "Müller", "Rao",
    "Wiśniewski", "Zhang", "Thị Hoa", "Adebayo", "Sharma", "Lefèvre", "O'Neill", "Kjær", "Dvořák", "Virtanen", "Rossi",
    "Chen", "Hernández", "Tanaka", "de Vries",
)  # fmt: skip
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Etc/UTC", "Pacific/Auckland")
_PROJECT_NAMES = (
    ("APP", "Mobile App"), ("OPS", "Betrieb & Störungen"), ("ORDER", "Order Management"), ("WEB", "Web Shop 🛒"),
    ("DATA", "Data Platform"), ("CORE", "Core Services"), ("SEC", "Security"), ("FIN", "Finance Systems"),
)  # fmt: skip
_SPRINT_NAMES = (
    "{key} Sprint {n}", "{key} Sprint {n}: search, filters", "{key} [hardening] {n}", "{key} goal=stability {n}",
    "Спринт {n} {key}",
)  # fmt: skip

# Each workflow: whether it is a team-managed project's, whether done sets a resolution, its story-point fields, and
# its statuses as (name, category). Classic projects share statuses by name.
_WORKFLOWS: tuple[tuple[bool, bool, tuple[str, ...], tuple[tuple[str, str], ...]], ...] = (
    (False, True, (STORY_POINTS,), (
        ("To Do", "new"), ("In Progress", "indeterminate"), ("Code Review", "indeterminate"),
        ("Waiting for release", "indeterminate"), ("Done", "done"), ("Won't Do", "done"))),
    (False, True, (), (
        ("Offen", "new"), ("In Arbeit", "indeterminate"), ("Wartet auf Kunde", "indeterminate"),
        ("Erledigt", "done"), ("Geschlossen", "done"))),
    (True, False, (STORY_POINT_ESTIMATE,), (
        ("To Do", "new"), ("In Progress", "indeterminate"), ("Done", "done"))),
    (False, True, (STORY_POINTS, STORY_POINT_ESTIMATE), (
        ("Backlog", "new"), ("Selected for Development", "new"), ("In Progress", "indeterminate"),
        ("In Review", "indeterminate"), ("Done", "done"), ("Released", "done"), ("Abandonné", "done"))),
)  # fmt: skip
DELETED_STATUS = Status("9990", "Triage (old)", "indeterminate")
"""A status that was deleted: histories name it, and no list of statuses does."""
FORMER_STATUS_NAMES = {"Code Review": "Peer Review", "In Arbeit": "In Bearbeitung"}
"""Statuses that were renamed half-way: earlier histories show the former name beside the same id."""

SPRINT_LENGTH = timedelta(days=14)


@dataclass(frozen=True)
class Cast:
    """Who and what a generated site consists of besides issues."""

    users: list[User]
    workers: list[int]
    projects: list[Project]
    statuses: list[Status]
    sprints: list[Sprint]


def assemble(generator: random.Random, projects: int, people: int, start: datetime, end: datetime) -> Cast:
    """The cast of a site with so many projects and people. `workers` are places in `users` that issues go to."""
    users = _people(generator, people)
    workers = [place for place, user in enumerate(users) if user.account_type == "atlassian"]
    statuses: dict[tuple[str, int | None], Status] = {}
    made = [_project(number, users, statuses) for number in range(projects)]
    sprints = [sprint for project in made if project.story_points_fields for sprint in _sprints(project, start, end)]
    return Cast(users, workers, made, list(statuses.values()), sorted(sprints, key=lambda each: each.id))


def _people(generator: random.Random, count: int) -> list[User]:
    users: list[User] = []
    for number in range(count):
        first = _FIRST[number % len(_FIRST)]
        last = _LAST[(number * 7 + number // len(_FIRST)) % len(_LAST)]
        if number == 5:
            first, last = users[2].display_name.split(" ", 1)
        mail = f"user{number}@example.com" if number % 5 != 3 else None
        users.append(_user(generator, number, f"{first} {last}", mail, active=number % 9 != 7))
    users += [
        _user(generator, count, "Automation for Jira", None, kind="app"),
        _user(generator, count + 1, "Deploy Bot", None, kind="app"),
        _user(generator, count + 2, "A Customer", "customer@example.org", kind="customer"),
        _user(generator, count + 3, "Former user", None, active=False),
    ]
    return users


def _user(
    generator: random.Random, number: int, name: str, mail: str | None, active: bool = True, kind: str = "atlassian"
) -> User:
    return User(
        account_id=f"{generator.randrange(500_000, 800_000)}:{generator.getrandbits(128):032x}",
        key=f"JIRAUSER{10_100 + number}",
        name=f"user{number}" if number % 4 else f"user.{number}@example.com",
        display_name=name,
        email=mail,
        active=active,
        account_type=kind,
        time_zone=_ZONES[number % len(_ZONES)],
    )


def _project(number: int, users: list[User], statuses: dict[tuple[str, int | None], Status]) -> Project:
    key, name = _PROJECT_NAMES[number] if number < len(_PROJECT_NAMES) else (f"P{number}", f"Project {number}")
    team_managed, sets_resolution, points, steps = _WORKFLOWS[number % len(_WORKFLOWS)]
    project_id = 10_000 + number
    owner = project_id if team_managed else None
    workflow = []
    for status_name, category in steps:
        status = statuses.setdefault(
            (status_name, owner), Status(str(10_001 + len(statuses)), status_name, category, owner)
        )
        workflow.append(status.id)
    return Project(
        id=project_id,
        key=key,
        name=name,
        style="next-gen" if team_managed else "classic",
        lead=users[number % len(users)].account_id,
        workflow=tuple(workflow),
        sets_resolution=sets_resolution,
        story_points_fields=points,
    )


def _sprints(project: Project, start: datetime, end: datetime) -> list[Sprint]:
    """One after the other from `start`; the last that has begun is active, and one is planned."""
    sprints = []
    count = max(1, int((end - start) / SPRINT_LENGTH))
    for number in range(count + 1):
        begins = start + number * SPRINT_LENGTH
        name = _SPRINT_NAMES[number % len(_SPRINT_NAMES)].format(key=project.key, n=number + 1)
        sprint_id = (project.id - 9_999) * 1_000 + number
        if number == count:
            sprints.append(Sprint(sprint_id, name, "future", project.id))
            continue
        state = "active" if number == count - 1 else "closed"
        ends = begins + SPRINT_LENGTH
        complete = to_milliseconds(ends) if state == "closed" else None
        sprints.append(
            Sprint(
                sprint_id,
                name,
                state,  # type: ignore[arg-type]
                project.id,
                to_milliseconds(begins),
                to_milliseconds(ends),
                complete,
                goal="ship it, then measure" if number % 3 == 0 else "",
            )
        )
    return sprints

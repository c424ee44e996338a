"""Sites made up from a seed: the same arguments give the same bytes, on every machine."""

from __future__ import annotations

import random
from bisect import bisect
from datetime import UTC, datetime
from itertools import accumulate

from .cast import Cast, assemble
from .fields import standard_catalogue
from .generated_issue import GeneratedIssue, World
from .lives import DAY, Biographer
from .model import SiteData
from .times import to_milliseconds

DEFAULT_START = datetime(2025, 6, 1, tzinfo=UTC)
DEFAULT_END = datetime(2026, 11, 20, tzinfo=UTC)

_FIRST_ISSUE_ID = 10_100
_MAX_PARENTS = 200


def generate_site(
    seed: int = 1,
    issues: int = 500,
    projects: int = 4,
    max_histories: int = 60,
    start: datetime = DEFAULT_START,
    end: datetime = DEFAULT_END,
    payload_bytes: int = 0,
) -> SiteData:
    """A site with so many issues, whose lives lie between `start` and `end` (aware datetimes).

    The first issue of each project has about `max_histories` histories, some others come near it, most have about a
    dozen. Issues are padded to about `payload_bytes` (0: not at all) of JSON, histories included; 24,000 is usual on
    real sites. A site of 200,000 issues takes a few hundred megabytes.
    """
    generator = random.Random(seed)
    first, last = to_milliseconds(start), to_milliseconds(end)
    cast = assemble(generator, projects, min(400, max(12, issues // 40)), start, end)
    births = _births(generator, issues, first, last)
    owners = _owners(generator, cast, issues)
    biographer = Biographer(generator, cast, (first + last) // 2, last, max_histories)
    made: list[GeneratedIssue] = []
    world = World(cast, first, (first + last) // 2, made)
    numbers = dict.fromkeys(range(projects), 0)
    parents: list[dict[str, list[int]]] = [{"epic": [], "story": []} for _ in range(projects)]
    issue_id = _FIRST_ISSUE_ID
    for place, (created, owner) in enumerate(zip(births, owners, strict=True)):
        numbers[owner] += 1 if generator.random() > 0.03 else 2
        issue_id += 1 + int(generator.random() * 3)
        project = cast.projects[owner]
        life = biographer.life(project, created, parents[owner], longest=numbers[owner] <= 2)
        target = int(payload_bytes * (0.6 + 0.8 * generator.random()))
        made.append(GeneratedIssue(world, place, issue_id, project.id, numbers[owner], created, life, target))
        family = parents[owner].get({0: "epic", 1: "story"}.get(life.type, ""))
        if family is not None and len(family) < _MAX_PARENTS:
            family.append(place)
    return SiteData(
        projects=cast.projects,
        users=cast.users,
        statuses=cast.statuses,
        fields=standard_catalogue(),
        issues=made,
        sprints=cast.sprints,
        last_history_id=10_000 + ((last - first) // 1000 + 1) * max(1, issues),
    )


def _births(generator: random.Random, issues: int, first: int, last: int) -> list[int]:
    """When the issues are created, in order: more as the site grows, few at weekends, in waves, in working hours."""
    days = max(1, (last - first) // DAY)
    weights = [
        (1 + day / days) * (0.08 if (first // DAY + day + 3) % 7 >= 5 else 1.0) * (2.5 if day % 14 == 0 else 1.0)
        for day in range(days)
    ]
    total = list(accumulate(weights))
    births = []
    for _ in range(issues):
        day = bisect(total, generator.random() * total[-1])
        births.append(first + day * DAY + int(generator.triangular(7.0, 19.0, 9.5) * DAY / 24))
    births.sort()
    return births


def _owners(generator: random.Random, cast: Cast, issues: int) -> list[int]:
    """To which project each issue belongs: the first has most, each has at least one if there are enough."""
    places = range(len(cast.projects))
    first = list(places)[:issues]
    weights = [1 / (place + 1) for place in places]
    return first + generator.choices(places, weights, k=issues - len(first))

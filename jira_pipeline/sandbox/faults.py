"""What goes wrong on purpose: at an exact request, or at random with a seed, switchable while the sandbox runs."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from .http_server import Request

FaultKind = Literal[
    "too_many_requests", "server_error", "reset_before_headers", "reset_after_headers", "cut_body", "hang",
    "html_page", "redirect", "near_limit", "empty_body", "malformed_json", "unauthorized", "captcha", "forbidden",
    "anonymous", "expired_token", "repeated_token", "missing_token", "empty_page", "short_page", "truncated_result",
    "split_histories", "iso_created", "site_change",
]  # fmt: skip

_SEARCH = ("/search/jql", "/rest/api/2/search", "/rest/api/latest/search")
_SCOPES: dict[str, tuple[str, ...]] = {
    "expired_token": ("/search/jql", "/changelog/bulkfetch"),
    "repeated_token": ("/search/jql",),
    "missing_token": ("/search/jql",),
    "empty_page": _SEARCH,
    "short_page": _SEARCH,
    "truncated_result": _SEARCH,
    "split_histories": ("/changelog/bulkfetch",),
    "iso_created": ("/changelog/bulkfetch",),
}
"""Where a kind makes sense; requests elsewhere neither get it nor count for it."""
_WITH_TOKEN = ("expired_token", "repeated_token")
"""Kinds that only requests with a page token can meet, so not the one for a first page."""

RANDOM_KINDS: tuple[FaultKind, ...] = (
    "too_many_requests", "server_error", "reset_before_headers", "reset_after_headers", "cut_body", "html_page",
    "hang", "near_limit", "empty_body", "malformed_json", "short_page", "empty_page", "split_histories", "iso_created",
)  # fmt: skip
"""The kinds of random mode by default: those that a client can get over by asking again."""

_STATUSES = (500, 502, 503, 504)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    `status` and `retry_after` (seconds, "date" for an HTTP date 2 seconds ahead, or None for no header) belong to
    server_error and too_many_requests, and `status` 400 or 404 (else 401) to anonymous on Data Center; `seconds` to
    hang; `size` (issues or histories) to short_page and split_histories; `location` to redirect; `action` is called
    before the request is answered, for site_change.
    """

    kind: FaultKind
    status: int = 500
    retry_after: int | Literal["date"] | None = None
    seconds: float = 3600.0
    size: int = 1
    location: str = ""
    action: Callable[[], object] | None = None


@dataclass
class Rule:
    """A fault and the requests it meets: of those that match, from the `nth` on, `times` of them (None: all)."""

    fault: Fault
    path: str = ""
    method: str | None = None
    when: Callable[[Request], bool] | None = None
    nth: int = 1
    times: int | None = 1
    matched: int = 0
    fired: int = 0

    def meets(self, request: Request) -> bool:
        """Whether this request gets the fault. Counts the request if it matches."""
        if self.path not in request.path or self.method not in (None, request.method):
            return False
        if not _in_scope(self.fault.kind, request) or (self.when is not None and not self.when(request)):
            return False
        self.matched += 1
        if self.matched < self.nth or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True


@dataclass(frozen=True)
class Incident:
    """A fault that happened, for counting in tests."""

    kind: FaultKind
    method: str
    path: str


@dataclass
class _Chance:
    generator: random.Random
    rate: float
    kinds: Sequence[FaultKind]
    path: str
    in_a_row: dict[str, int] = field(default_factory=dict)


@dataclass
class Faults:
    """The faults of one sandbox."""

    incidents: list[Incident] = field(default_factory=list)
    _rules: list[Rule] = field(default_factory=list)
    _chance: _Chance | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        fault: Fault | FaultKind,
        *,
        path: str = "",
        method: str | None = None,
        when: Callable[[Request], bool] | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Rule:
        """Let a fault meet the nth request whose path contains `path`, and `times` - 1 more after it.

        Returns the rule: `fired` counts, and `remove` takes it back. ValueError for an unknown kind.
        """
        chosen = Fault(fault) if isinstance(fault, str) else fault
        if chosen.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault {chosen.kind!r}; choose one of {', '.join(get_args(FaultKind))}")
        rule = Rule(chosen, path, method, when, nth, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def remove(self, rule: Rule) -> None:
        """Take one rule back."""
        with self._lock:
            self._rules.remove(rule)

    def randomly(self, seed: int, rate: float, kinds: Sequence[FaultKind] = RANDOM_KINDS, path: str = "/rest/") -> None:
        """Let a random fault meet a share `rate` of the requests, but the same request at most twice in a row."""
        with self._lock:
            self._chance = _Chance(random.Random(seed), rate, tuple(kinds), path)

    def clear(self) -> None:
        """No faults any more. What happened stays in `incidents`."""
        with self._lock:
            self._rules.clear()
            self._chance = None

    def choose(self, request: Request) -> Fault | None:
        """The fault that this request meets, if any. The first rule that is due wins, then chance."""
        with self._lock:
            due = [rule.fault for rule in self._rules if rule.meets(request)]
            fault = due[0] if due else self._by_chance(request)
            if fault is not None:
                self.incidents.append(Incident(fault.kind, request.method, request.path))
            return fault

    def _by_chance(self, request: Request) -> Fault | None:
        chance = self._chance
        if chance is None or chance.path not in request.path:
            return None
        draw, kind = chance.generator.random(), chance.generator.choice(list(chance.kinds))
        status = chance.generator.choice(_STATUSES)
        same = f"{request.method} {request.path} {request.query} {request.body!r}"
        if draw >= chance.rate or chance.in_a_row.get(same, 0) >= 2 or not _in_scope(kind, request):
            chance.in_a_row.pop(same, None)
            return None
        chance.in_a_row[same] = chance.in_a_row.get(same, 0) + 1
        return Fault(kind, status=status, retry_after=0, seconds=0.2)


def _in_scope(kind: FaultKind, request: Request) -> bool:
    if kind in _WITH_TOKEN and not (request.parameter("nextPageToken") or b'"nextPageToken"' in request.body):
        return False
    scope = _SCOPES.get(kind)
    return scope is None or request.path.endswith(scope)

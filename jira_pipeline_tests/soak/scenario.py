"""Which site is simulated: everything that follows from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Self

from jira_pipeline.sandbox import Flavour

_FLAVOURS: tuple[Flavour, ...] = ("cloud", "datacenter")
_ZONES = ("America/New_York", "Pacific/Kiritimati", "UTC", "Asia/Kolkata", "Pacific/Pago_Pago")
# New York's clocks change on the eighth day of the first period and on the seventh of the second.
_FIRST_DAYS = (date(2026, 3, 1), date(2025, 10, 27))


@dataclass(frozen=True)
class Scenario:
    """A site to be lived through. `time_zone` is the account's; nights are its nights."""

    seed: int
    days: int
    flavour: Flavour
    time_zone: str
    first_day: date

    @classmethod
    def of(cls, seed: int, days: int) -> Self:
        """Twenty seeds in a row have every combination of flavour, zone and season."""
        return cls(seed, days, _FLAVOURS[seed % 2], _ZONES[seed // 2 % 5], _FIRST_DAYS[seed // 10 % 2])

    def __str__(self) -> str:
        return f"seed{self.seed}-{self.flavour}-{self.time_zone.rpartition('/')[2]}-{self.days}days"

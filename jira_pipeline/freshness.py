"""Until when the tables of a day are expected."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from jira_pipeline.settings import ScheduleSettings
from jira_pipeline.settings.cron import daily_time

_HOURS_FOR_A_RUN = 4
# An hour more than the run has, because there may be one more before the deadline when clocks change.
_LOWER_BOUND = timedelta(hours=_HOURS_FOR_A_RUN + 1)


def daily_freshness(schedule: ScheduleSettings) -> dg.FreshnessPolicy | None:
    """Yesterday is there four hours after `daily_sync` begins, so by 06:00 with the default, in the schedule's time
    zone. None where it does not run once a day: Dagster's policies know no other rhythm."""
    begins = daily_time(schedule.daily_sync)
    if begins is None:
        return None
    hour, minute = begins
    return dg.FreshnessPolicy.cron(
        deadline_cron=f"{minute} {(hour + _HOURS_FOR_A_RUN) % 24} * * *",
        lower_bound_delta=_LOWER_BOUND,
        timezone=schedule.time_zone,
    )

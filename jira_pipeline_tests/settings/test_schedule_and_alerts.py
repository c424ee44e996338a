"""The settings of schedules, alerts and owners: what they mean, and what is told about wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import Alerts, EmailAlerts, ScheduleSettings, load_alerts, load_config
from jira_pipeline.settings.cron import daily_time
from jira_pipeline_tests.settings.reading import SMALLEST, Write, complaint

SECRET = "https://hooks.example.com/services/T0/B0/s3cr3t"


def test_without_settings_the_jobs_run_at_two_and_four_in_utc_and_nobody_is_alerted(write: Write) -> None:
    config = load_config(write(SMALLEST))
    assert config.schedule == ScheduleSettings(daily_sync="0 2 * * *", reconcile="0 4 * * *", time_zone="UTC")
    assert config.alerts == Alerts(webhook=None, webhook_env=None, email=None, command=())
    assert (config.matching_coverage, config.owners) == (80, ())


def test_schedule_alerts_and_owners_are_read(write: Write) -> None:
    config = load_config(
        write(
            f"""{SMALLEST}
schedule: {{daily_sync: 30  2 * * mon-fri, reconcile: "0 5 * * SUN", time_zone: Europe/Berlin}}
alerts:
  webhook: {SECRET}
  email:
    {{smtp_host: mail, smtp_port: 465, from: a@b.c, to: [x@y.z, u@v.w], username: me, password_env: SMTP_PASSWORD}}
  command: [logger, -t, jira]
matching_coverage: 95
owners: [team:data, ana@example.com]
"""
        )
    )
    assert config.schedule == ScheduleSettings("30 2 * * mon-fri", "0 5 * * SUN", "Europe/Berlin")
    assert config.alerts == Alerts(
        webhook=SECRET,
        email=EmailAlerts("mail", "a@b.c", ("x@y.z", "u@v.w"), 465, "me", "SMTP_PASSWORD"),
        command=("logger", "-t", "jira"),
    )
    assert (config.matching_coverage, config.owners) == (95, ("team:data", "ana@example.com"))
    assert load_config(write(f"{SMALLEST}alerts: {{webhook_env: SLACK}}")).alerts == Alerts(webhook_env="SLACK")


WRONG = [
    ("schedule: {daily: 0 2 * * *}", "schedule.daily", "did you mean 'daily_sync'?"),
    ("schedule: {daily_sync: '@daily'}", "schedule.daily_sync", "is not a cron expression; write five fields"),
    ("schedule: {daily_sync: 0 0 2 * * *}", "schedule.daily_sync", "is not a cron expression"),
    ("schedule: {daily_sync: '02:00'}", "schedule.daily_sync", "is not a cron expression"),
    ("schedule: {daily_sync: 60 2 * * *}", "schedule.daily_sync", "'60' is no minute of a cron expression"),
    ("schedule: {daily_sync: 0 24 * * *}", "schedule.daily_sync", "'24' is no hour of a cron expression"),
    ("schedule: {reconcile: 0 4 0 * *}", "schedule.reconcile", "'0' is no day of the month"),
    ("schedule: {reconcile: 0 4 * foo *}", "schedule.reconcile", "'foo' is no month"),
    ("schedule: {reconcile: 0 4 * * 8}", "schedule.reconcile", "'8' is no day of the week"),
    ("schedule: {reconcile: 0 4 * * 5-1}", "schedule.reconcile", "'5-1' is no day of the week"),
    ("schedule: {reconcile: '*/0 4 * * *'}", "schedule.reconcile", "'*/0' is no minute"),
    ("schedule: {reconcile: '0 4 31 2,4 *'}", "schedule.reconcile", "is a day that never comes"),
    ("schedule: {time_zone: Berlin}", "schedule.time_zone", "is not an IANA time zone"),
    ("schedule: hourly", "schedule", "must be a mapping (of daily_sync, reconcile, time_zone)"),
    ("alerts: {slack: x}", "alerts.slack", "the known keys are webhook, webhook_env, email, command"),
    ("alerts: {webhook: hooks.example.com}", "alerts.webhook", "is not a web address"),
    ("alerts: {webhook: 'file:///etc/passwd'}", "alerts.webhook", "is not a web address"),
    ("alerts: {webhook_env: 'https://x.y/z'}", "alerts.webhook_env", "not the name of an environment variable"),
    ("alerts: {webhook: 'https://x.y', webhook_env: A}", "alerts.webhook_env", "keep one of the two"),
    ("alerts: {command: notify-send}", "alerts.command", "must be a list"),
    ("alerts: {command: []}", "alerts.command", "is empty; write the program"),
    ("alerts: {email: {from: a@b, to: [c@d]}}", "alerts.email.smtp_host", "is missing"),
    ("alerts: {email: {smtp_host: m, from: a, to: [c@d]}}", "alerts.email.from", "'a' is not an e-mail address"),
    ("alerts: {email: {smtp_host: m, from: a@b, to: [c]}}", "alerts.email.to[0]", "'c' is not an e-mail address"),
    ("alerts: {email: {smtp_host: m, from: a@b, to: []}}", "alerts.email.to", "names nobody"),
    ("alerts: {email: {smtp_host: m, from: a@b, to: [c@d], smtp_port: 0}}", "alerts.email.smtp_port", "from 1 to"),
    ("alerts: {email: {smtp_host: m, from: a@b, to: [c@d], username: u}}", "alerts.email", "password_env together"),
    ("alerts: {email: {smtp_host: m, from: a@b, to: [c@d], password: p}}", "alerts.email.password", "'password_env'?"),
    ("matching_coverage: 0.8", "matching_coverage", "must be a whole number of per cent from 0 to 100"),
    ("owners: [data]", "owners[0]", "'data' is no owner; write team: and a name"),
    ("owners: team:data", "owners", "must be a list"),
]


@pytest.mark.parametrize(("text", "key", "told"), WRONG)
def test_a_wrong_value_is_told_with_its_line_and_key(write: Write, text: str, key: str, told: str) -> None:
    path = write(SMALLEST + text)
    message = complaint(path)
    assert message.startswith(f"{path}, line 3, {key}: ")
    assert told in message


def test_no_secret_of_an_alert_is_shown(write: Write) -> None:
    config = load_config(write(f"{SMALLEST}alerts: {{webhook: '{SECRET}'}}"))
    assert "s3cr3t" not in repr(config)
    for wrong in ("webhook_env: 'x y s3cr3t'", "webhook: 'hooks.example.com/s3cr3t'", "webhook: 'https://[s3cr3t'"):
        assert "s3cr3t" not in complaint(write(f"{SMALLEST}alerts: {{{wrong}}}"))


def test_alerts_are_read_also_where_the_rest_of_the_file_is_wrong(write: Write) -> None:
    path = write("start_date: soon\ncolour: red\nalerts: {command: [tell]}\n")
    assert load_alerts(path) == Alerts(command=("tell",))
    with pytest.raises(SettingsError, match=r"line 2, alerts\.command: is empty"):
        load_alerts(write("start_date: soon\nalerts: {command: []}\n"))


def one_field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.integers(1, high).map(lambda n: f"/{n}")
    part = st.one_of(number.map(str), span, st.builds("{}{}".format, st.one_of(st.just("*"), span), step))
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=3).map(",".join))


@given(st.tuples(*(one_field(*ends) for ends in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)))).map(" ".join))
def test_dagster_takes_every_expression_that_is_taken_here(tmp_path_factory: pytest.TempPathFactory, cron: str) -> None:
    path: Path = tmp_path_factory.getbasetemp() / "cron.yaml"
    path.write_text(f'{SMALLEST}schedule: {{daily_sync: "{cron}"}}\n', encoding="utf-8")
    try:
        taken = load_config(path).schedule.daily_sync
    except SettingsError as error:
        assert "a day that never comes" in str(error)  # noqa: PT017 (the only reason for which these are refused)
        return
    days = dg.TimeWindowPartitionsDefinition(
        start=datetime(2026, 1, 1, tzinfo=UTC), fmt="%Y-%m-%d", cron_schedule=taken, timezone="Europe/Berlin"
    )
    assert days.cron_schedule == taken


@pytest.mark.parametrize(
    ("cron", "time"),
    [("30 2 * * *", (2, 30)), ("0 0 * * *", (0, 0)), ("0 */2 * * *", None), ("0 2 * * 1", None), ("0 2,3 * * *", None)],
)
def test_only_an_expression_with_one_hour_and_minute_and_any_day_is_daily(
    cron: str, time: tuple[int, int] | None
) -> None:
    assert daily_time(cron) == time

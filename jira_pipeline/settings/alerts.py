"""The receivers of alerts in the settings file."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jira_pipeline.settings.model import Alerts, EmailAlerts
from jira_pipeline.settings.nodes import Entry, items, mapping, matching, require, take, text, texts, whole_number

# The name of an environment variable, by which the file does without the secret itself. What is written may be the
# secret, so it is not repeated.
variable = matching(
    "[A-Za-z_][A-Za-z0-9_]*",
    "is not the name of an environment variable; write a name such as SLACK_WEBHOOK, not the secret",
)
address = matching(r"[^@\s]+@[^@\s]+", "'{}' is not an e-mail address; correct it")


def alerts(entry: Entry) -> Alerts | None:
    """`alerts: {webhook_env: SLACK_WEBHOOK, email: {...}, command: [notify-send]}`, any of them."""
    keys = mapping(entry, ("webhook", "webhook_env", "email", "command"))
    if keys is None:
        return None
    if "webhook" in keys and "webhook_env" in keys:
        keys["webhook_env"].report("is given beside webhook; keep one of the two")
    return Alerts(
        webhook=take(keys, "webhook", _url, None),
        webhook_env=take(keys, "webhook_env", variable, None),
        email=take(keys, "email", _email, None),
        command=take(keys, "command", _command, ()),
    )


def is_web_address(written: str) -> bool:
    """Whether a message can be posted there."""
    try:
        parts = urlsplit(written)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", written)


def _url(entry: Entry) -> str | None:
    written = text(entry)
    if written is None or is_web_address(written):
        return written
    entry.report("is not a web address; write it like https://hooks.example.com/services/…")
    return None


def _email(entry: Entry) -> EmailAlerts | None:
    keys = mapping(entry, ("smtp_host", "smtp_port", "from", "to", "username", "password_env"))
    if keys is None:
        return None
    host = require(entry, keys, "smtp_host", text, "smtp_host: mail.example.com")
    sender = require(entry, keys, "from", address, "from: jira-pipeline@example.com")
    recipients = require(entry, keys, "to", _recipients, "to: [ops@example.com]")
    if ("username" in keys) != ("password_env" in keys):
        entry.report("needs username and password_env together; add the other one, or leave both out")
    return EmailAlerts(
        smtp_host=host or "",
        sender=sender or "",
        recipients=recipients or (),
        smtp_port=take(keys, "smtp_port", whole_number(1, 65535, "port"), EmailAlerts.smtp_port),
        username=take(keys, "username", text, None),
        password_env=take(keys, "password_env", variable, None),
    )


def _recipients(entry: Entry) -> tuple[str, ...]:
    if not entry.node.value:
        entry.report("names nobody; write at least one address, such as [ops@example.com]")
    return tuple(found for item in items(entry) if (found := address(item)) is not None)


def _command(entry: Entry) -> tuple[str, ...]:
    if not entry.node.value:
        entry.report("is empty; write the program and its arguments, such as [notify-send, Jira]")
    return texts(entry)

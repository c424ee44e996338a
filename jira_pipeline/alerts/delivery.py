"""Getting a message out: a webhook, mail, a program. An address of a webhook is a secret and never part of an error."""

from __future__ import annotations

import http.client
import json
import smtplib
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import partial
from typing import IO

from jira_pipeline.alerts.messages import Message
from jira_pipeline.errors import PipelineError
from jira_pipeline.settings import Alerts, EmailAlerts
from jira_pipeline.settings.alerts import is_web_address

_TIMEOUT_SECONDS = 10.0
_COMMAND_SECONDS = 30.0
_SMTP_OVER_TLS = 465

Receiver = Callable[[Message], None]


class NotDelivered(PipelineError):
    """A message did not reach one receiver."""


def receivers(alerts: Alerts, environ: Mapping[str, str]) -> dict[str, Receiver]:
    """The receivers that the settings name. Each raises `NotDelivered`, also for a variable that is not set."""
    found: dict[str, Receiver] = {}
    if alerts.webhook or alerts.webhook_env:
        found["webhook"] = partial(_post, alerts, environ)
    if alerts.email:
        found["email"] = partial(_mail, alerts.email, environ)
    if alerts.command:
        found["command"] = partial(_run, alerts.command)
    return found


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The address is as good as a password: it is not taken elsewhere."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        url: str,
    ) -> None:
        return None


def _post(alerts: Alerts, environ: Mapping[str, str], message: Message) -> None:
    url = alerts.webhook or _value(environ, alerts.webhook_env or "", "alerts.webhook_env")
    if not is_web_address(url):
        raise NotDelivered(f"{alerts.webhook_env} holds no web address: set it to that of the webhook.")
    request = urllib.request.Request(
        url,
        data=json.dumps({"text": _escaped(message.text)}).encode(),
        headers={"Content-Type": "application/json", "User-Agent": "jira_pipeline"},
    )
    try:
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=_TIMEOUT_SECONDS):
            return
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
        hint = "its redirects are not followed, " if 300 <= status < 400 else ""
        reason = f"The webhook of the alerts answered {status}: {hint}check the address, or make a new one."
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = getattr(error, "reason", error)
        reason = (
            f"The webhook of the alerts could not be reached ({type(cause).__name__}): "
            "it is tried again at the next look; check the address and the network if this lasts."
        )
    # Outside of the handlers, because the errors of the library name the address.
    raise NotDelivered(reason)


def _escaped(text: str) -> str:
    """The three characters that have a meaning in Slack's texts: without this, a project's name could call everybody
    (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _mail(settings: EmailAlerts, environ: Mapping[str, str], message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, settings.sender, ", ".join(settings.recipients)
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=settings.sender.rpartition("@")[2])
    mail.set_content(message.text)
    password = _value(environ, settings.password_env, "alerts.email.password_env") if settings.password_env else ""
    over_tls = settings.smtp_port == _SMTP_OVER_TLS
    try:
        with (
            smtplib.SMTP_SSL(
                settings.smtp_host, _SMTP_OVER_TLS, timeout=_TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
            if over_tls
            else smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=_TIMEOUT_SECONDS)
        ) as server:
            if settings.username:
                if not over_tls:
                    server.starttls(context=ssl.create_default_context())
                server.login(settings.username, password)
            elif not over_tls and server.ehlo() and server.has_extn("starttls"):
                # Without a password there is nothing to protect: as mail servers do among each other (RFC 7435).
                server.starttls()
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        code = getattr(error, "smtp_code", "")
        raise NotDelivered(
            f"The alert could not be mailed through {settings.smtp_host}:{settings.smtp_port} "
            f"({type(error).__name__}{f' {code}' if code else ''}): it is tried again at the next look; "
            "check alerts.email if this lasts."
        ) from None


def _run(command: tuple[str, ...], message: Message) -> None:
    try:
        ended = subprocess.run(
            command,
            input=message.text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
    except OSError as error:
        raise NotDelivered(f"{command[0]} of alerts.command cannot be run ({error.strerror}): correct it.") from error
    except subprocess.TimeoutExpired:
        raise NotDelivered(
            f"{command[0]} of alerts.command has not ended within {_COMMAND_SECONDS:.0f} seconds and was stopped: "
            "let it end sooner."
        ) from None
    if ended.returncode:
        raise NotDelivered(f"{command[0]} of alerts.command ended with exit code {ended.returncode}: mend it.")


def _value(environ: Mapping[str, str], name: str, key: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise NotDelivered(f"{key} names {name}, which is not set: set it where the Dagster daemon's code runs.")
    return value

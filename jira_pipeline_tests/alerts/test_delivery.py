"""How a message reaches a webhook, a mailbox, a program; and what is said when it does not."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from jira_pipeline.alerts import NotDelivered, receivers
from jira_pipeline.alerts.messages import Message
from jira_pipeline.settings import Alerts, EmailAlerts
from jira_pipeline_tests.alerts.listening import mail_server, webhook

MESSAGE = Message(
    "jira_pipeline: daily_sync failed", "jira_pipeline: daily_sync failed.\nOPS: the site was down, über."
)


def send(alerts: Alerts, environ: dict[str, str] | None = None, message: Message = MESSAGE) -> None:
    (deliver,) = receivers(alerts, environ or {}).values()
    deliver(message)


def refusal(alerts: Alerts, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(NotDelivered) as raised:
        send(alerts, environ)
    chained = repr(raised.value.__cause__) + repr(raised.value.__context__)
    assert "s3cr3t" not in str(raised.value) + chained
    return str(raised.value)


def test_a_webhook_gets_the_text_as_slack_wants_it() -> None:
    with webhook() as hook:
        send(Alerts(webhook=hook.url))
        send(Alerts(webhook_env="HOOK"), {"HOOK": hook.url})
        assert hook.bodies == [{"text": MESSAGE.text}] * 2


def test_a_text_calls_nobody_in_slack() -> None:
    with webhook() as hook:
        send(Alerts(webhook=hook.url), message=Message("x", "<!channel> & <https://evil.example|click>"))
        assert hook.texts == ["&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"]


def test_a_redirect_is_not_followed() -> None:
    with webhook() as hook:
        hook.status = 302
        assert "answered 302: its redirects are not followed" in refusal(Alerts(webhook=hook.url))
        assert hook.bodies == []


@pytest.mark.parametrize("status", [404, 500])
def test_an_answer_that_is_no_success_is_told_without_the_address(status: int) -> None:
    with webhook() as hook:
        hook.status = status
        assert refusal(Alerts(webhook=hook.url)) == (
            f"The webhook of the alerts answered {status}: check the address, or make a new one."
        )


def test_a_webhook_that_is_down_or_silent_is_told_without_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jira_pipeline.alerts.delivery._TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/s3cr3t"
        assert "could not be reached (TimeoutError)" in refusal(Alerts(webhook=address))
    assert "could not be reached (ConnectionRefusedError)" in refusal(Alerts(webhook=address))


def test_a_variable_that_is_not_set_or_holds_no_address_is_named() -> None:
    assert refusal(Alerts(webhook_env="HOOK")).startswith("alerts.webhook_env names HOOK, which is not set: ")
    assert refusal(Alerts(webhook_env="HOOK"), {"HOOK": "s3cr3t"}).startswith("HOOK holds no web address: ")


def test_mail_goes_to_everybody_named() -> None:
    with mail_server() as sink:
        send(Alerts(email=EmailAlerts("127.0.0.1", "jira@example.com", ("a@example.com", "b@example.com"), sink.port)))
        (mail,) = sink.mails
    assert "Subject: jira_pipeline: daily_sync failed" in mail
    assert "From: jira@example.com" in mail
    assert "To: a@example.com, b@example.com" in mail
    assert [line for line in sink.lines if line.startswith("rcpt")] == [
        "rcpt TO:<a@example.com>",
        "rcpt TO:<b@example.com>",
    ]


def test_no_password_is_sent_without_tls() -> None:
    with mail_server() as sink:
        settings = EmailAlerts("127.0.0.1", "a@b.c", ("d@e.f",), sink.port, username="me", password_env="PASSWORD")
        assert "could not be mailed through 127.0.0.1" in refusal(Alerts(email=settings), {"PASSWORD": "s3cr3t"})
        assert sink.mails == []
        assert not [line for line in sink.lines if line.upper().startswith("AUTH")]
        assert refusal(Alerts(email=settings)).startswith("alerts.email.password_env names PASSWORD, which is not set")


def test_a_mail_server_that_is_down_is_named() -> None:
    with mail_server() as sink:
        pass
    settings = EmailAlerts("127.0.0.1", "a@b.c", ("d@e.f",), sink.port)
    assert f"could not be mailed through 127.0.0.1:{sink.port} (" in refusal(Alerts(email=settings))


def test_a_command_reads_the_text_and_is_run_without_a_shell(tmp_path: Path) -> None:
    program = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(sys.stdin.buffer.read())"
    target = tmp_path / "a; rm -rf $HOME"
    send(Alerts(command=(sys.executable, "-c", program, str(target))))
    assert target.read_text(encoding="utf-8") == MESSAGE.text


def test_a_command_that_cannot_be_run_fails_or_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no-such-program of alerts.command cannot be run" in refusal(Alerts(command=("no-such-program",)))
    assert "ended with exit code 3" in refusal(Alerts(command=(sys.executable, "-c", "raise SystemExit(3)")))
    monkeypatch.setattr("jira_pipeline.alerts.delivery._COMMAND_SECONDS", 0.2)
    assert "has not ended within" in refusal(Alerts(command=(sys.executable, "-c", "import time; time.sleep(60)")))


def test_without_alerts_there_are_no_receivers() -> None:
    assert receivers(Alerts(), {}) == {}

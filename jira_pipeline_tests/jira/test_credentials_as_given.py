"""Credentials as people and secret stores hand them over."""

from __future__ import annotations

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.auth import credentials_from

SERVER = {"JIRA_SERVER": "https://acme.example.com"}


def test_the_line_break_at_the_end_of_a_secret_file_is_no_part_of_it() -> None:
    basic = credentials_from({**SERVER, "JIRA_EMAIL": " ana@example.com\n", "JIRA_API_TOKEN": "token-1\r\n"})
    bearer = credentials_from({**SERVER, "JIRA_PERSONAL_ACCESS_TOKEN": "token-2\n"})

    assert basic.client_options() == {"basic_auth": ("ana@example.com", "token-1")}
    assert bearer.client_options() == {"token_auth": "token-2"}


@pytest.mark.parametrize("name", ["JIRA_API_TOKEN", "JIRA_PERSONAL_ACCESS_TOKEN"])
@pytest.mark.parametrize("token", ["hidden\nsecret", "hidden-secret\u2026"])
def test_what_cannot_be_sent_is_refused_without_being_shown(name: str, token: str) -> None:
    """http.client says `Invalid header value b'Bearer …'`, with the whole token."""
    with pytest.raises(SettingsError, match=f"^{name} holds a line break") as refused:
        credentials_from({**SERVER, "JIRA_EMAIL": "ana@example.com", name: token})

    assert "hidden" not in str(refused.value)


def test_a_variable_of_spaces_is_not_set() -> None:
    with pytest.raises(SettingsError, match=r"^JIRA_API_TOKEN is not set"):
        credentials_from({**SERVER, "JIRA_EMAIL": "ana@example.com", "JIRA_API_TOKEN": " "})

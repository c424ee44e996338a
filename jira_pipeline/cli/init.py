"""`jira-pipeline init`: from nothing to a configuration that works, by questions and answers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jira_pipeline.cli.env_file import ENV_FILE, credentials_set_elsewhere, holds_credentials, store_credentials
from jira_pipeline.errors import PipelineError, SettingsError
from jira_pipeline.jira.auth import credentials_from
from jira_pipeline.jira.client import connect
from jira_pipeline.jira.errors import CredentialsRejected
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.settings import PipelineConfig, TrackedProject, config_path_from, load_config
from jira_pipeline.settings.replacement import replacement
from jira_pipeline.settings.tracking import entry_lines

_TOKEN_PAGES = {
    "cloud": "Make an API token at https://id.atlassian.com/manage-profile/security/api-tokens.",
    "datacenter": "Make a personal access token in Jira: your picture > Profile > Personal Access Tokens.",
}


@click.command(epilog="Examples: jira-pipeline init · JIRA_PIPELINE_CONFIG=team/jira.yaml jira-pipeline init")
def init() -> None:
    """Set up a new pipeline here: asks for the site and how to sign in, checks it, and lets you choose projects.

    Writes jira_pipeline.yaml and .env, which only you may read. Nothing that is there is overwritten without asking.
    For OAuth, which needs an app of your own, see docs/configuration.md.
    """
    if not sys.stdin.isatty():
        raise SettingsError(
            "`jira-pipeline init` asks questions and its input is no terminal: run it in one, or set the variables and "
            "write jira_pipeline.yaml as docs/configuration.md says."
        )
    path = config_path_from(os.environ)
    if not _may_write(path):
        click.echo("Nothing was changed.")
        sys.exit(1)
    site, credentials = _sign_in()
    identity = site.identity
    click.echo(f"Connected to {identity.server} as {identity.account_name}.")
    listed = sorted((p for p in site.projects() if not p.archived), key=lambda project: project.key)
    tracked = _choose_projects(listed)
    _write_config(path, tracked, identity.time_zone)
    shadowing = credentials_set_elsewhere(os.environ)
    store_credentials(credentials)
    click.echo(f"\nWrote {path} and {ENV_FILE}, which holds the token: keep it to yourself and out of version control.")
    if shadowing:
        click.echo(f"What is set in this shell wins over {ENV_FILE}, so first: unset {' '.join(shadowing)}")
    click.echo("Next: jira-pipeline sync" if tracked else "Next: jira-pipeline projects track KEY")


def _may_write(path: Path) -> bool:
    if path.exists() and not click.confirm(f"{path} is there already. Overwrite it?"):
        return False
    return not holds_credentials() or click.confirm(
        f"{ENV_FILE} has credentials for Jira already. Replace them (its other lines stay)?"
    )


def _sign_in() -> tuple[JiraSite, dict[str, str]]:
    """Ask until the site accepts the answers; returns the site, and the variables by which it is reached."""
    server: str | None = None
    while True:
        if server is None:
            server = _ask_server()
            is_cloud = _ask_whether_cloud(server)
            click.echo(_TOKEN_PAGES["cloud" if is_cloud else "datacenter"])
        credentials = {"JIRA_SERVER": server, **_ask_token(is_cloud)}
        try:
            return connect(credentials_from(credentials)), credentials
        except PipelineError as error:
            click.echo(f"{error}\n", err=True)
            # A rejected token may have been mistyped; anything else is more likely the address.
            if not isinstance(error, CredentialsRejected):
                server = None


def _ask_server() -> str:
    answer = str(click.prompt("Address of your Jira, such as https://acme.atlassian.net")).strip().rstrip("/")
    return answer if "://" in answer else f"https://{answer}"


def _ask_whether_cloud(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    if host.endswith(".atlassian.net") or host == "api.atlassian.com":
        return True
    kind = click.prompt("Which kind of Jira is it?", type=click.Choice(["cloud", "datacenter"]), default="datacenter")
    return bool(kind == "cloud")


def _ask_token(is_cloud: bool) -> dict[str, str]:
    if is_cloud:
        email = str(click.prompt("E-mail address of your account")).strip()
        return {"JIRA_EMAIL": email, "JIRA_API_TOKEN": _ask_secret("API token")}
    return {"JIRA_PERSONAL_ACCESS_TOKEN": _ask_secret("Personal access token")}


def _ask_secret(name: str) -> str:
    return str(click.prompt(f"{name} (not shown)", hide_input=True)).strip()


def _choose_projects(listed: Sequence[Project]) -> list[Project]:
    if not listed:
        click.echo("The account can browse no project: have its administrator grant Browse Projects, then track some.")
        return []
    table = Table(title=f"{len(listed)} projects", title_justify="left")
    for name in ("project", "name"):
        table.add_column(name)
    for project in listed:
        table.add_row(project.key, escape(project.name))
    Console().print(table)
    by_key = {project.key: project for project in listed}
    while True:
        answer = str(click.prompt("Projects to track: keys with spaces between, or all"))
        keys = list(dict.fromkeys(answer.upper().replace(",", " ").split()))
        if keys == ["ALL"] and "ALL" not in by_key:
            return list(listed)
        unknown = [key for key in keys if key not in by_key]
        if keys and not unknown:
            return [by_key[key] for key in keys]
        click.echo(f"There is no project {', '.join(unknown)} in the list above.", err=True)


def _write_config(path: Path, projects: Sequence[Project], time_zone: str) -> None:
    entries = ["  - " + "\n    ".join(entry_lines(TrackedProject(key=p.key, id=p.id))) + "\n" for p in projects]
    template = (files("jira_pipeline.cli") / "init.yaml").read_text(encoding="utf-8")
    text = template.format(
        start_date=datetime.now(UTC).date(),
        # Jira names some zones as no other system does.
        time_zone=time_zone if time_zone in available_timezones() else PipelineConfig.time_zone,
        tracked_projects="\n" + "".join(entries) if entries else " []\n",
    )
    try:
        path.resolve().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"{path.parent} cannot be made ({error.strerror}): make it, then run this again."
        ) from error
    with replacement(path, text.encode(), mode=0o644) as written:
        load_config(written)

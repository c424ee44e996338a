"""The command group, and what happens to errors: one sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys

import click

from jira_pipeline.cli.demo import demo
from jira_pipeline.cli.env_file import load_env_file
from jira_pipeline.cli.init import init
from jira_pipeline.cli.projects import projects
from jira_pipeline.cli.reconcile import reconcile
from jira_pipeline.cli.sandbox import sandbox
from jira_pipeline.cli.status import status
from jira_pipeline.cli.sync import sync
from jira_pipeline.cli.users import users
from jira_pipeline.errors import PipelineError


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 all well; 1 a project failed or an issue was set aside, the rest is stored; "
    "2 wrong settings, credentials or usage.",
)
def cli() -> None:
    """Jira into DuckDB, and how work flows out of it.

    `jira-pipeline init` sets everything up. Settings come from environment variables (JIRA_SERVER, JIRA_EMAIL,
    JIRA_API_TOKEN or JIRA_PERSONAL_ACCESS_TOKEN), which may stand in the file .env, and from jira_pipeline.yaml; see
    docs/configuration.md.
    """
    load_env_file(os.environ)


for command in (demo, init, sandbox, sync, reconcile, status, projects, users):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        cli()
    except PipelineError as error:
        click.echo(f"jira-pipeline: {error}", err=True)
        sys.exit(error.exit_code)

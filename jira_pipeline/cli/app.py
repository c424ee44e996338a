"""The command group, and what happens to errors: one sentence on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from jira_pipeline.cli.env_file import load_env_file
from jira_pipeline.errors import PipelineError

# Each is the command of that name in the module of that name.
_COMMANDS = ("demo", "init", "sandbox", "sync", "reconcile", "status", "projects", "users")


class _Commands(click.Group):
    """Commands that are imported when somebody asks for them: each would pay for what only the others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as the help text lists them."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, if there is one of this name; if not, click looks for one of a similar name among all."""
        for name in (cmd_name,) if cmd_name in _COMMANDS else _COMMANDS:
            self.add_command(getattr(import_module(f"jira_pipeline.cli.{name}"), name))
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=_Commands,
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


def main() -> None:
    """Run the command line."""
    try:
        cli()
    except PipelineError as error:
        click.echo(f"jira-pipeline: {error}", err=True)
        sys.exit(error.exit_code)

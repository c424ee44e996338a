"""The `jira-pipeline` command: what a person or a cron job runs. Everything it does, Dagster can do as well."""

from jira_pipeline.cli.app import main

__all__ = ["main"]

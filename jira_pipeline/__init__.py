"""Jira -> DuckDB -> flow metrics, as a Dagster pipeline. The code location is `jira_pipeline.definitions`."""

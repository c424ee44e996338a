"""Imported by the process that runs are forked from (see `sitecustomize`)."""

from jira_pipeline_tests.before_forking import prepare

prepare()

"""The errors a person is meant to read.

Every error that this project raises on purpose is a `PipelineError`: one sentence that says what happened, to what,
and what to do. The command line prints it and exits with `exit_code`; Dagster shows it as the step's failure.
Anything else that escapes is a bug and keeps its traceback.
"""

from __future__ import annotations


class PipelineError(Exception):
    """Something went wrong that the reader of the message can act on. `exit_code` is the command's exit status."""

    exit_code = 1


class SettingsError(PipelineError):
    """A setting, file or option is missing or wrong. Nothing was read from Jira and nothing was written."""

    exit_code = 2

"""What somebody who waits for a sync gets to see."""

from __future__ import annotations

import logging
from typing import Protocol

log = logging.getLogger("jira_pipeline.sync")


class Progress(Protocol):
    """Told about every page and the end of every project, from several threads."""

    shows_totals: bool

    def started(self, project_key: str, mode: str) -> None:
        """The fetch of a project begins."""

    def expects(self, project_key: str, total: int) -> None:
        """About so many issues are to come."""

    def landed(self, project_key: str, issues: int) -> None:
        """So many more issues are on disk."""

    def finished(self, project_key: str, issues: int, error: str | None) -> None:
        """The fetch of a project has ended, well or not."""


class LoggedProgress:
    """Progress as log lines, for runs that nobody watches: one when a project starts, one when it ends."""

    shows_totals = False

    def started(self, project_key: str, mode: str) -> None:
        """Log the start."""
        log.info("%s: %s sync started", project_key, mode)

    def expects(self, project_key: str, total: int) -> None:
        """Nothing to show."""

    def landed(self, project_key: str, issues: int) -> None:
        """Nothing to show: a line a page would bury the rest of the log."""

    def finished(self, project_key: str, issues: int, error: str | None) -> None:
        """Log the outcome."""
        if error is None:
            log.info("%s: %d issues fetched", project_key, issues)
        else:
            log.error("%s: failed after %d issues: %s", project_key, issues, error)

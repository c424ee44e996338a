"""Progress of a sync on a terminal: a bar a project."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class TerminalProgress:
    """A bar for each project that is being fetched, kept on the screen when it is done.

    State guarded: which bar belongs to which project. Called from the threads that fetch.
    """

    shows_totals = True

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("issues {task.fields[note]}"),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> TerminalProgress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, project_key: str, mode: str) -> None:
        """Show an empty bar."""
        with self._lock:
            self._tasks[project_key] = self._bars.add_task(project_key, total=None, note=f"[dim]{mode}")

    def expects(self, project_key: str, total: int) -> None:
        """Give the bar its length."""
        self._bars.update(self._task(project_key), total=total)

    def landed(self, project_key: str, issues: int) -> None:
        """Move the bar."""
        self._bars.advance(self._task(project_key), issues)

    def finished(self, project_key: str, issues: int, error: str | None) -> None:
        """Fill the bar, or mark it as failed."""
        task = self._task(project_key)
        if error is None:
            self._bars.update(task, total=issues, completed=issues)
        else:
            self._bars.update(task, note="[red]failed")
            self._bars.stop_task(task)

    def _task(self, project_key: str) -> TaskID:
        with self._lock:
            if project_key not in self._tasks:
                self._tasks[project_key] = self._bars.add_task(project_key, total=None, note="")
            return self._tasks[project_key]

"""How far a command is: a bar where somebody watches, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_EVERY_S = 5.0


class Progress:
    """Progress on standard error, so that standard output holds results only. A `total` of 0 is not known."""

    def __init__(self, what: str, total: int = 0) -> None:
        self._what, self._total = what, total
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._told_at = time.monotonic()

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import Progress as Bar

        console = Console(stderr=True)
        if console.is_terminal:
            self._bar = Bar(*Bar.get_default_columns(), console=console, transient=True)
            self._task = self._bar.add_task(self._what, total=self._total or None)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def reached(self, done: int, total: int | None = None) -> None:
        """Tell how much is done, if it is time to."""
        self._total = total or self._total
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=self._total or None)
            return
        now = time.monotonic()
        if now - self._told_at >= _EVERY_S:
            self._told_at = now
            typer.echo(f"{self._what}: {done:,}" + (f" of {self._total:,}" if self._total else ""), err=True)

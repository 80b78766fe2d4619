"""Shows the progress of a load: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from emr_serverless import Load

# Minimum interval between two updates of a terminal and between two lines of a log.
DRAW_SECONDS: Final = 0.1
LOG_SECONDS: Final = 10.0


class Display(Protocol):
    """Receives the progress of a load."""

    def __call__(self, load: Load) -> None:
        """Show the load's progress, if the interval has passed."""


def remaining_seconds(load: Load, elapsed: float) -> float | None:
    """Return the estimated time left, or None while it is unknown."""
    expected, rows = load.stats.expected_rows, load.stats.rows
    if not expected or not rows or elapsed <= 0:
        return None
    return max(0.0, (expected - rows) * elapsed / rows)


def describe(load: Load, elapsed: float) -> str:
    """Return the state of a load as one line."""
    report = load.stats
    flow = load.client.throttle if load.client else None
    left = remaining_seconds(load, elapsed)
    return (
        f"{sum(report.windows.values())} windows, {report.rows:,} rows, {report.rows / max(elapsed, 0.001):,.0f} rows/s, "
        f"{flow.in_flight if flow else 0} in flight, {flow.throttlings if flow else 0} throttled, "
        + (f"about {left:,.0f} s left" if left is not None else "time left unknown")
    )


@contextmanager
def live_display(console: Console, what: str) -> Iterator[Display]:
    """Show a load on a terminal as a bar, elsewhere as a line every few seconds."""
    started = time.monotonic()
    if not console.is_terminal:
        yield _LogLines(console, what, started)
        return
    with _Board(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as board:
        yield _Bar(board, board.add_task(what, total=None), started)


class _Board(Progress):
    """A bar with the state of the load below it, which would not fit beside it on a terminal of 80 columns."""

    line = "connecting"

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text(self.line)


class _LogLines:
    def __init__(self, console: Console, what: str, started: float) -> None:
        self._console = console
        self._what = what
        self._started = started
        self._next = started + LOG_SECONDS

    def __call__(self, load: Load) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + LOG_SECONDS
            self._console.print(f"{self._what}: {describe(load, now - self._started)}", highlight=False, soft_wrap=True)


class _Bar:
    def __init__(self, board: _Board, task: TaskID, started: float) -> None:
        self._board = board
        self._task = task
        self._started = started
        self._next = started

    def __call__(self, load: Load) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + DRAW_SECONDS
            self._board.line = describe(load, now - self._started)
            self._board.update(self._task, total=load.stats.expected_rows, completed=load.stats.rows)

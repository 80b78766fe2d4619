"""What a worker is given and what it returns: a window to read, its pages, and how the reading ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..api.client import RequestStats
from ..api.errors import EmrServerlessError
from ..arrow.decode import Records
from ..resources.workspaces import WORKSPACES
from .windows import COUNTED_AXES, Status, Window


@dataclass(frozen=True)
class Task:
    """One window to read.

    Attributes:
        window: what to request.
        known_runs: number of runs of this window that the load has already read, where an equal count by the API certifies it.
        range_count: the API's count of the whole range of start times, if known; a count below it is not a limit of the API.
        splits_short: whether to split the window when it comes out short, instead of reading it again.
        is_whole: whether the window counts only if one page holds all of it; it is then neither split nor read again.
    """

    window: Window
    known_runs: int | None = None
    range_count: int | None = None
    splits_short: bool = True
    is_whole: bool = False


@dataclass(frozen=True)
class Rows:
    """One page's rows of a window."""

    task: Task
    records: Records
    observed_at: datetime


@dataclass
class WindowResult:
    """How the reading of a window ended: one row of `extraction_windows`.

    Attributes:
        task: what was read.
        started_at: when the first request was sent, UTC; None before it.
        finished_at: when the reading ended, UTC.
        status: complete, short or failed; None when the window was split instead of read.
        parts: the windows to read instead, when it was split.
        is_short_split: whether it was split because rows were missing.
        certified_by: `pages` when its rows were read, `count` when the API's count equals the runs known already.
        total_count: the API's own count on the last page that gave one.
        rows_received: rows of all pages, duplicates included.
        rows_distinct: distinct runs received, or known where certified by count.
        pages: pages received.
        attempts: times the window was read from its beginning.
        error: why the last read failed.
    """

    task: Task
    started_at: datetime | None = None
    finished_at: datetime | None = None
    status: Status | None = None
    parts: list[Window] = field(default_factory=list)
    is_short_split: bool = False
    certified_by: str | None = None
    total_count: int | None = None
    rows_received: int = 0
    rows_distinct: int = 0
    pages: int = 0
    attempts: int = 0
    request_stats: RequestStats = field(default_factory=RequestStats)
    error: EmrServerlessError | None = None

    @property
    def audited_axis(self) -> str:
        """How the audit names the axis: a count of no run at all is the certificate of its range."""
        window = self.task.window
        return COUNTED_AXES[window.axis] if window.axis in COUNTED_AXES and self.certified_by else window.audited_axis

    def __str__(self) -> str:
        """What is incomplete, and why."""
        if self.error:
            # The error of a workspace that is not visible names it.
            is_named_there = self.task.window.resource == WORKSPACES.table and self.task.window.workspace_id != "*"
            return str(self.error) if is_named_there else f"{self.task.window}: {self.error}"
        counted = "the API gives no count" if self.total_count is None else f"the API counts {self.total_count:,}"
        return f"{self.task.window}: {self.rows_distinct:,} received, {counted}"

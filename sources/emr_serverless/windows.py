"""Which time ranges to ask for, how to split them, and when one is certified. Pure: no clock, no network.

Times are integer epoch milliseconds. A window holds both its ends: [start_ms, end_ms] names every millisecond in between. What
is asked is one millisecond wider on both sides, so that it makes no difference whether the API's bounds are inclusive or
exclusive; the run's key removes the doubles.
"""

from __future__ import annotations

import hashlib
import heapq
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from .settings import OPEN_STATES

Axis = Literal["start", "end", "open", "run", "workspaces"]
Status = Literal["complete", "short", "failed"]
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
# The API's filter of each time axis. The names inside a range are the API's too.
FILTER_OF_AXIS: Final = {"start": "startTime", "end": "endTime"}


@dataclass(frozen=True)
class Window:
    """One thing to ask the API about one workspace.

    Attributes:
        region_id: where the workspace is.
        workspace_id: whose runs.
        axis: `start` and `end` are time ranges; `open` asks for the open states; `run` for one run by its id; `workspaces` lists
            the region's workspaces.
        start_ms: first millisecond of a time range, else None.
        end_ms: last millisecond of a time range, else None.
        job_run_id: the run of axis `run`, else None.
    """

    region_id: str
    workspace_id: str
    axis: Axis
    start_ms: int | None = None
    end_ms: int | None = None
    job_run_id: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """The API's filter for this window."""
        if self.axis == "open":
            return {"states": list(OPEN_STATES)}
        if self.axis == "run":
            return {"jobRunId": self.job_run_id}
        if self.axis == "workspaces":
            return {}
        start_ms, end_ms = self.bounds
        return {FILTER_OF_AXIS[self.axis]: {"startTime": start_ms - 1, "endTime": end_ms + 1}}

    @property
    def bounds(self) -> tuple[int, int]:
        """First and last millisecond; only time ranges have them."""
        if self.start_ms is None or self.end_ms is None:
            raise ValueError(f"axis {self.axis} has no bounds")
        return self.start_ms, self.end_ms

    @property
    def window_id(self) -> str:
        """A short name of what is asked, the same in every load that asks it."""
        named = json.dumps([self.region_id, self.workspace_id, self.axis, self.asked], sort_keys=True)
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        if self.axis == "workspaces":
            is_list = self.workspace_id == "*"
            return f"the list of workspaces in {self.region_id}" if is_list else f"workspace {self.workspace_id}"
        if self.axis == "open":
            return f"the open runs of {self.workspace_id}"
        if self.axis == "run":
            return f"run {self.job_run_id} of {self.workspace_id}"
        what = "submitted" if self.axis == "start" else "that ended"
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in self.bounds)
        return f"the runs of {self.workspace_id} {what} from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def plan_windows(
    region_id: str, workspace_id: str, axis: Literal["start", "end"], start_ms: int, end_ms: int
) -> Iterator[Window]:
    """Cut [start_ms, end_ms] into calendar days (UTC), oldest first; an empty range gives nothing."""
    while start_ms <= end_ms:
        last_ms = min(end_ms, start_ms - start_ms % DAY_MS + DAY_MS - 1)
        yield Window(region_id, workspace_id, axis, start_ms, last_ms)
        start_ms = last_ms + 1


def is_divisible(window: Window) -> bool:
    """Tell whether a window is a time range wider than one millisecond."""
    return window.axis in FILTER_OF_AXIS and window.bounds[0] < window.bounds[1]


def split_window(window: Window, parts: int) -> list[Window]:
    """Cut a divisible window into at most `parts` (at least 2) equal ranges, none empty, that join to the whole."""
    start_ms, end_ms = window.bounds
    width = end_ms - start_ms + 1
    parts = max(2, min(parts, width))
    edges = [start_ms + width * part // parts for part in range(parts + 1)]
    return [
        Window(window.region_id, window.workspace_id, window.axis, first, after - 1) for first, after in itertools.pairwise(edges)
    ]


def parts_needed(total_count: int, window_rows: int) -> int:
    """Return how many equal parts a window of `total_count` rows needs so that an even spread fits."""
    return -(-total_count // window_rows)


class Frontier:
    """How far one axis of one workspace is certified: the windows still expected, and those that failed.

    Args:
        start_ms: first millisecond of the range that this load reads.
        end_ms: its last millisecond.
    """

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._heap: list[int] = []
        self._pending: set[int] = set()
        self._uncertified_ms = end_ms + 1

    def expect(self, window: Window) -> None:
        """Count on a window of this range being read."""
        self._pending.add(window.bounds[0])
        heapq.heappush(self._heap, window.bounds[0])

    def replace(self, window: Window, parts: list[Window]) -> None:
        """Expect a window's parts in its place."""
        self._pending.discard(window.bounds[0])
        for part in parts:
            self.expect(part)

    def settle(self, window: Window, *, certified: bool) -> None:
        """Take note that a window has been read, with or without success."""
        self._pending.discard(window.bounds[0])
        if not certified:
            self._uncertified_ms = min(self._uncertified_ms, window.bounds[0])

    @property
    def pending_ms(self) -> int:
        """First millisecond of the oldest window that is not settled; past the end when all are."""
        while self._heap and self._heap[0] not in self._pending:
            heapq.heappop(self._heap)
        return self._heap[0] if self._heap else self._end_ms + 1

    @property
    def is_settled(self) -> bool:
        """Whether nothing is expected any more."""
        return not self._pending

    @property
    def through_ms(self) -> int:
        """Last millisecond up to which all is certified; one before the start when nothing is."""
        return max(self._start_ms - 1, min(self.pending_ms, self._uncertified_ms) - 1)


def is_certified(rows_distinct: int, total_count: int | None) -> bool:
    """Tell whether the distinct runs received account for the API's own count; without a count nothing is certified."""
    return total_count is not None and rows_distinct >= total_count

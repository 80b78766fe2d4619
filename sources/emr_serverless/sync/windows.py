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
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from ..resources.job_runs import JOB_RUNS, OPEN_STATES
from ..resources.workspaces import WORKSPACES
from ..settings import PAGE_ROWS, ROUND_COUNT

TimeAxis = Literal["start", "end"]
Axis = Literal["start", "end", "open", "all", "run", "count", "count_ends", "list"]
# Names of the API's filters and their values: a text, several texts, or the bounds of a time range in epoch milliseconds.
Filters = tuple[tuple[str, str | tuple[str, ...] | tuple[int, int]], ...]
Status = Literal["complete", "short", "failed"]
DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
# The axes that are read by time range.
TIME_AXES: Final[tuple[TimeAxis, ...]] = ("start", "end")
# The axes that only count a range of one of them.
COUNTED_AXES: Final[Mapping[str, TimeAxis]] = {"count": "start", "count_ends": "end"}
# The API's filter of each time axis. The names inside a range are the API's too.
FILTER_OF_AXIS: Final = {"start": "startTime", "end": "endTime", "count": "startTime", "count_ends": "endTime"}


@dataclass(frozen=True)
class Window:
    """One thing to ask the API about one workspace.

    Attributes:
        region_id: where the workspace is.
        workspace_id: whose runs.
        axis: `start` and `end` are time ranges; `open` asks for the open states; `all` for all runs; `run` for one run by its
            id; `count` and `count_ends` only count the runs of a range; `list` asks for all rows.
        start_ms: first millisecond of a time range, else None.
        end_ms: last millisecond of a time range, else None.
        job_run_id: the run of axis `run`, else None.
        filters: further filters of the API, name and value, for what it may apply by itself where they are left out.
        resource: the table of what is asked for.
    """

    region_id: str
    workspace_id: str
    axis: Axis
    start_ms: int | None = None
    end_ms: int | None = None
    job_run_id: str | None = None
    filters: Filters = ()
    resource: str = JOB_RUNS.table

    @property
    def asked(self) -> dict[str, Any]:
        """The API's filter for this window."""
        return self._axis_filter | {name: _asked_value(value) for name, value in self.filters}

    @property
    def _axis_filter(self) -> dict[str, Any]:
        if self.axis == "open":
            return {"states": list(OPEN_STATES)}
        if self.axis == "run":
            return {"jobRunId": self.job_run_id}
        if self.axis in {"all", "list"}:
            return {}
        start_ms, end_ms = self.bounds
        return {FILTER_OF_AXIS[self.axis]: time_range(start_ms, end_ms)}

    @property
    def audited_axis(self) -> str:
        """How the audit names the axis: a range asked with further filters proves nothing of the range without them.

        A filter of the axis' own is a wider range, which proves this one too.
        """
        if self.axis not in TIME_AXES or all(name == FILTER_OF_AXIS[self.axis] for name, _ in self.filters):
            return self.axis
        return f"{self.axis}_filtered"

    @property
    def bounds(self) -> tuple[int, int]:
        """First and last millisecond; only time ranges have them."""
        if self.start_ms is None or self.end_ms is None:
            raise ValueError(f"axis {self.axis} has no bounds")
        return self.start_ms, self.end_ms

    @property
    def window_id(self) -> str:
        """A short name of what is asked, the same in every load that asks it."""
        named = json.dumps([self.resource, self.region_id, self.workspace_id, self.axis, self.asked], sort_keys=True)
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        names = [name for name, _ in self.filters if self.axis not in TIME_AXES or name != FILTER_OF_AXIS[self.axis]]
        return f"{self._described} (asked with {', '.join(names)})" if names else self._described

    @property
    def _described(self) -> str:
        match self.axis:
            case "list" if self.resource != WORKSPACES.table:
                return f"the {self.resource} of {self.workspace_id}"
            case "list":
                is_list = self.workspace_id == "*"
                return f"the list of workspaces in {self.region_id}" if is_list else f"workspace {self.workspace_id}"
            case "open":
                return f"the open runs of {self.workspace_id}"
            case "all":
                return f"all runs of {self.workspace_id}"
            case "run":
                return f"run {self.job_run_id} of {self.workspace_id}"
        what = "that ended" if self.axis in {"end", "count_ends"} else "submitted"
        first, last = (datetime.fromtimestamp(ms / 1000, UTC) for ms in self.bounds)
        runs = "the count of the runs" if self.axis in COUNTED_AXES else "the runs"
        return f"{runs} of {self.workspace_id} {what} from {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def _asked_value(value: str | tuple[str, ...] | tuple[int, int]) -> Any:
    match value:
        case (int(first_ms), int(last_ms)):
            return time_range(first_ms, last_ms)
        case tuple():
            return list(value)
        case _:
            return value


def time_range(start_ms: int, end_ms: int) -> dict[str, int]:
    """Return the API's filter for [start_ms, end_ms], a millisecond wider on both sides."""
    return {"startTime": start_ms - 1, "endTime": end_ms + 1}


def is_divisible(window: Window) -> bool:
    """Return whether a window is a time range wider than one millisecond, or the open runs of several states."""
    if window.axis == "open":
        return len(window.asked["states"]) > 1
    return window.axis in TIME_AXES and window.bounds[0] < window.bounds[1]


def split_window(window: Window, parts: int) -> list[Window]:
    """Cut a divisible window into ranges that join to the whole, or the open runs into their states.

    Args:
        window: which one.
        parts: ranges wanted, of equal width and none empty; at least 2, and never more than the window has milliseconds.
    """
    if window.axis == "open":
        others = tuple(pair for pair in window.filters if pair[0] != "states")
        # In the order of a run's life: one that changes its state between two requests is in the later answer.
        return [replace(window, filters=(*others, ("states", (state,)))) for state in window.asked["states"]]
    start_ms, end_ms = window.bounds
    width = end_ms - start_ms + 1
    parts = max(2, min(parts, width))
    edges = [start_ms + width * part // parts for part in range(parts + 1)]
    return [replace(window, start_ms=first, end_ms=after - 1) for first, after in itertools.pairwise(edges)]


def parts_needed(total_count: int, window_rows: int) -> int:
    """Return how many equal parts a window of `total_count` rows needs so that an even spread fits."""
    return -(-total_count // window_rows)


def plan_windows(whole: Window, total_count: int, window_rows: int) -> list[Window]:
    """Return the windows of a range: itself where it fits, else all its parts at once, which are then read in parallel.

    Args:
        whole: the range.
        total_count: the API's count of it.
        window_rows: the most rows of a window.
    """
    parts = parts_needed(total_count, window_rows)
    return split_window(whole, parts) if parts > 1 and is_divisible(whole) else [whole]


class Coverage:
    """How far one axis of one workspace is certified: the windows still expected, and those that failed.

    Several windows may begin at one millisecond: the same range with other filters.

    Args:
        start_ms: first millisecond of the range that this load reads.
        end_ms: its last millisecond.
    """

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._heap: list[int] = []
        self._pending: Counter[int] = Counter()
        self._uncertified_ms = end_ms + 1

    def expect(self, window: Window) -> None:
        """Count on a window of this range being read."""
        self._pending[window.bounds[0]] += 1
        heapq.heappush(self._heap, window.bounds[0])

    def replace(self, window: Window, parts: list[Window]) -> None:
        """Expect a window's parts in its place."""
        self._pending[window.bounds[0]] -= 1
        for part in parts:
            self.expect(part)

    def settle(self, window: Window, *, certified: bool) -> None:
        """Take note that a window has been read, with or without success."""
        self._pending[window.bounds[0]] -= 1
        if not certified:
            self._uncertified_ms = min(self._uncertified_ms, window.bounds[0])

    @property
    def pending_ms(self) -> int:
        """First millisecond of the oldest window that is not settled; past the end when all are."""
        while self._heap and not self._pending[self._heap[0]]:
            del self._pending[heapq.heappop(self._heap)]
        return self._heap[0] if self._heap else self._end_ms + 1

    @property
    def is_settled(self) -> bool:
        """Whether nothing is expected any more."""
        return self.pending_ms > self._end_ms

    @property
    def through_ms(self) -> int:
        """Last millisecond up to which all is certified; one before the start when nothing is."""
        return max(self._start_ms - 1, min(self.pending_ms, self._uncertified_ms) - 1)


def is_certified(rows_distinct: int, total_count: int | None) -> bool:
    """Return whether the distinct runs received account for the API's own count; without a count nothing is certified."""
    return total_count is not None and rows_distinct >= total_count


def may_be_limit(count: int) -> bool:
    """Return whether a count could be the most that an API counts or returns for one filter.

    Limits such as 500, 1,000, 1,024 or 10,000 are round in base ten or two; few counts are by chance.
    """
    is_power_of_two = count & (count - 1) == 0
    return count >= PAGE_ROWS and (count % ROUND_COUNT == 0 or is_power_of_two)

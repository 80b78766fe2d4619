"""Windows: what a request is for, how it is split, and when it is certified. Pure: no clock, no network.

Times are integer epoch milliseconds. A window includes both ends: [start_ms, end_ms] is every millisecond in between. The
requested range is one millisecond wider on both sides, so that it makes no difference whether the API's bounds are inclusive or
exclusive; the key of a run removes duplicates.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, Literal

from ..resources import RESOURCES
from ..resources.declaration import Resource, Windowed
from ..resources.job_runs import JOB_RUNS
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
# The field of a run that holds its id.
RUN_ID: Final = str(JOB_RUNS.row_id.path)
_WINDOWED: Final = {resource.table: resource.strategy for resource in RESOURCES if isinstance(resource.strategy, Windowed)}


@dataclass(frozen=True)
class Window:
    """One request to the API, with all its pages.

    Attributes:
        region_id: where the workspace is.
        workspace_id: whose runs.
        axis: `start` and `end` are time ranges; `open` is the open states; `all` is all runs; `run` is one run by its id;
            `count` and `count_ends` only count the runs of a range; `list` is all rows.
        start_ms: first millisecond of a time range, else None.
        end_ms: last millisecond of a time range, else None.
        job_run_id: the run of axis `run`, else None.
        filters: further filters of the API, name and value, which it may otherwise apply by default.
        resource: the table of the requested rows.
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
        match self.axis:
            case "list" | "all":
                return {}
            case "open":
                return {self.strategy.state_filter: list(self.strategy.open_states)}
            case "run":
                return {self.strategy.id_filter: self.job_run_id}
            case _:
                return {self._time_filter: time_range(*self.bounds)}

    @property
    def strategy(self) -> Windowed:
        """How the resource is read by time range."""
        return _WINDOWED[self.resource]

    @property
    def _time_filter(self) -> str:
        return self.strategy.start_filter if self.axis in {"start", "count"} else self.strategy.end_filter

    @property
    def audited_axis(self) -> str:
        """How the audit names the axis: a range that is read with further filters proves nothing about the range without them.

        A filter of the axis' own is a wider range, which proves this one too.
        """
        if self.axis not in TIME_AXES or all(name == self._time_filter for name, _ in self.filters):
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
        """A digest of the request, the same in every load."""
        named = json.dumps([self.resource, self.region_id, self.workspace_id, self.axis, self.asked], sort_keys=True)
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def __str__(self) -> str:
        names = [name for name, _ in self.filters if self.axis not in TIME_AXES or name != self._time_filter]
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
    """Return the API's filter for [start_ms, end_ms], a millisecond wider on both sides; the names inside are the API's."""
    return {"startTime": start_ms - 1, "endTime": end_ms + 1}


def is_divisible(window: Window) -> bool:
    """Return whether a window is a time range wider than one millisecond, or the open runs of several states."""
    if window.axis == "open":
        return len(window.asked[window.strategy.state_filter]) > 1
    return window.axis in TIME_AXES and window.bounds[0] < window.bounds[1]


def split_window(window: Window, parts: int) -> list[Window]:
    """Cut a divisible window into ranges that join to the whole, or the open runs into their states.

    Args:
        window: which one.
        parts: ranges wanted, of equal width and none empty; at least 2, and never more than the window has milliseconds.
    """
    if window.axis == "open":
        by_state = window.strategy.state_filter
        others = tuple(pair for pair in window.filters if pair[0] != by_state)
        # In the order in which a run passes through them: one that changes its state between two requests is in the later answer.
        return [replace(window, filters=(*others, (by_state, (state,)))) for state in window.asked[by_state]]
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


def list_window(resource: Resource, region_id: str, workspace_id: str = "*") -> Window:
    """Return the window of a whole list."""
    return Window(region_id, workspace_id, "list", resource=resource.table)


def is_certified(rows_distinct: int, total_count: int | None) -> bool:
    """Return whether the distinct runs received account for the API's own count; without a count nothing is certified."""
    return total_count is not None and rows_distinct >= total_count


def may_be_limit(count: int) -> bool:
    """Return whether a count could be the most that an API counts or returns for one filter.

    Limits such as 500, 1,000, 1,024 or 10,000 are round in base ten or two; few counts are by chance.
    """
    is_power_of_two = count & (count - 1) == 0
    return count >= PAGE_ROWS and (count % ROUND_COUNT == 0 or is_power_of_two)

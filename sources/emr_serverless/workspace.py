"""One workspace in one load: which windows it asks in which order, which runs are open, how far its cursors move.

Pure: it is handed rows and outcomes, and answers with the tasks that follow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from .answers import Records
from .settings import OPEN_STATES, STRAGGLER_MISSES
from .sweep import Outcome, Task
from .windows import DAY_MS, Frontier, Window, plan_windows

TimeAxis = Literal["start", "end"]


@dataclass(frozen=True)
class Ranges:
    """What a load asks of one workspace, [first, last] in epoch milliseconds; `end` is None in a backfill."""

    start: tuple[int, int]
    end: tuple[int, int] | None


def is_open(state: str | None, end_ms: int | None) -> bool:
    """Tell whether a run may still change state: an open state, or no end time; the API may say 0 for none."""
    return state in OPEN_STATES or not end_ms


class WorkspaceSweep:
    """The four sweeps over one workspace.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        ranges: the time ranges to ask.
        open_runs: runs recorded open by earlier loads, with the loads in a row that did not see them.
    """

    def __init__(self, region_id: str, workspace_id: str, ranges: Ranges, open_runs: Mapping[str, int]) -> None:
        self.region_id: Final = region_id
        self.workspace_id: Final = workspace_id
        self.open_runs = dict(open_runs)
        self.denied = False
        self._ranges = ranges
        self._frontiers: dict[TimeAxis, Frontier] = {"start": Frontier(*ranges.start)}
        if ranges.end:
            self._frontiers["end"] = Frontier(*ranges.end)
        self._waiting: deque[Window] = deque()
        self._seen_open: set[str] = set()
        # Runs of this load by the day of their end: what the end axis may find known already.
        self._ended: dict[int, dict[str, int]] = {}
        self._count_bound = 0
        self._open_asked = ranges.end is None

    def first_tasks(self) -> list[Task]:
        """Return the windows of the start axis, after a count of it all; the end axis follows day by day, see `settle`."""
        if self._ranges.start[0] > self._ranges.start[1]:
            counting = []
        else:
            counting = [Task(Window(self.region_id, self.workspace_id, "start", *self._ranges.start), count_only=True)]
        windows = list(plan_windows(self.region_id, self.workspace_id, "start", *self._ranges.start))
        for window in windows:
            self._frontiers["start"].expect(window)
        if self._ranges.end:
            self._waiting.extend(plan_windows(self.region_id, self.workspace_id, "end", *self._ranges.end))
            for window in self._waiting:
                self._frontiers["end"].expect(window)
        return counting + [Task(window) for window in windows] + self._unlocked()

    def take(self, runs: Records) -> list[int]:
        """Take note of runs; return the positions of those to observe: every open one, and one that was open and now is final."""
        observed = []
        columns = (runs.column("jobRunId"), runs.column("state"), runs.column("endTime"))
        for position, (run_id, state, end_ms) in enumerate(zip(*columns, strict=True)):
            if is_open(state, end_ms):
                self.open_runs[run_id] = 0
                self._seen_open.add(run_id)
                observed.append(position)
                continue
            if run_id in self.open_runs:
                del self.open_runs[run_id]
                observed.append(position)
            if self._waiting and end_ms >= self._waiting[0].bounds[0]:
                self._ended.setdefault(end_ms // DAY_MS, {})[run_id] = end_ms
        return observed

    def settle(self, outcome: Outcome) -> list[Task]:
        """Take note of a window's outcome; return the tasks that it makes possible."""
        window = outcome.task.window
        if outcome.task.count_only:
            self._count_bound = outcome.total_count or 0
            return []
        if window.axis == "open":
            return self._straggler_tasks() if outcome.status != "failed" else []
        if window.axis == "run":
            return []
        frontier = self._frontiers["start" if window.axis == "start" else "end"]
        if outcome.parts:
            frontier.replace(window, outcome.parts)
            return [self._task(part) for part in outcome.parts]
        frontier.settle(window, certified=outcome.status == "complete")
        return self._unlocked()

    def misses(self, outcome: Outcome) -> str | None:
        """Return the run that the API did not answer for, if that is what the outcome of axis `run` says."""
        run_id = outcome.task.window.job_run_id
        if outcome.status != "complete" or run_id is None or run_id in self._seen_open or run_id not in self.open_runs:
            return None
        self.open_runs[run_id] += 1
        if self.open_runs[run_id] >= STRAGGLER_MISSES:
            del self.open_runs[run_id]
        return run_id

    def through_ms(self, axis: TimeAxis) -> int:
        """Return the last millisecond up to which an axis is certified."""
        return self._frontiers[axis].through_ms

    @property
    def since_ms(self) -> int:
        """The first millisecond of the start axis that this load asks for."""
        return self._ranges.start[0]

    def _task(self, window: Window) -> Task:
        """Return the task of a window, with what is known of it where a count can certify it.

        A count may be capped. One below the API's count of the whole range is not, since that one would be capped alike.
        """
        known_runs = self._known_runs(window) if window.axis == "end" else None
        return Task(window, known_runs if known_runs is not None and known_runs < self._count_bound else None)

    def _unlocked(self) -> list[Task]:
        """Return what may be asked now that more of the start axis is settled.

        A day's ends are asked when every run submitted up to that day has been read: the API's count then mostly equals what is
        known, which certifies the window without reading its rows again. When nothing is left, the open runs follow.
        """
        settled_ms = self._frontiers["start"].pending_ms
        tasks = []
        while self._waiting and self._waiting[0].bounds[1] < settled_ms:
            tasks.append(self._task(self._waiting.popleft()))
        if not tasks and not self._open_asked and all(f.is_settled for f in self._frontiers.values()):
            self._open_asked = True
            tasks.append(Task(Window(self.region_id, self.workspace_id, "open")))
        return tasks

    def _known_runs(self, window: Window) -> int:
        first, last = window.bounds
        oldest = self._frontiers["end"].pending_ms // DAY_MS
        for day in [day for day in self._ended if day < oldest]:
            del self._ended[day]
        return sum(first <= end_ms <= last for end_ms in self._ended.get(first // DAY_MS, {}).values())

    def _straggler_tasks(self) -> list[Task]:
        stragglers = [run_id for run_id in self.open_runs if run_id not in self._seen_open]
        return [Task(Window(self.region_id, self.workspace_id, "run", job_run_id=run_id)) for run_id in stragglers]


def cursor_ranges(memory: Mapping[str, Any], horizon_ms: int, initial_ms: int, lookback_ms: int) -> Ranges:
    """Return what a nightly load asks, from the cursors of earlier loads.

    Args:
        memory: `started_through` and `ended_through` in epoch milliseconds, where known.
        horizon_ms: the last millisecond to ask for.
        initial_ms: how far back to begin where there is no cursor.
        lookback_ms: how far behind a cursor to begin.
    """

    def first(cursor: int | None) -> int:
        return horizon_ms - initial_ms + 1 if cursor is None else cursor - lookback_ms + 1

    return Ranges(start=(first(memory.get("started_through")), horizon_ms), end=(first(memory.get("ended_through")), horizon_ms))

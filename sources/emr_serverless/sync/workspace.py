"""One workspace in one load: which windows it asks in which order, which runs are open, how far its cursors move.

Pure: it is handed rows and results, and answers with the tasks that follow.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..api.errors import FixRequestError
from ..arrow.decode import Records
from ..resources.job_runs import OPEN_STATES
from ..settings import END_WINDOW_ROWS, MISSING_OPEN_RUN_LOADS, PAGE_ROWS, SHORT_SPLIT_ROWS, SHORT_SPLITS, UNSETTLED_RANGES
from .census import Census
from .hidden_defaults import HiddenDefaults
from .windows import COUNTED_AXES, DAY_MS, TIME_AXES, Axis, Coverage, Filters, TimeAxis, Window, plan_windows
from .workers import Task, WindowResult


@dataclass(frozen=True)
class Ranges:
    """What a load asks of one workspace, [first, last] in epoch milliseconds.

    Attributes:
        start: start times.
        end: end times; None in a backfill.
        horizon_ms: the last millisecond of the load, epoch milliseconds; a backfill may end long before.
        unsettled: ranges of end times of final runs that had no figures when they were last seen.
        is_first: whether no load has read the workspace before.
    """

    start: tuple[int, int]
    end: tuple[int, int] | None
    horizon_ms: int
    unsettled: tuple[tuple[int, int], ...] = ()
    is_first: bool = False


def is_open(state: str | None, end_ms: int | None) -> bool:
    """Return whether a run may still change state: an open state, or no end time; the API may say 0 for none."""
    return state in OPEN_STATES or not end_ms


class WorkspaceSweep:
    """The four sweeps over one workspace.

    A census comes first. Where it certifies the workspace, only those runs are left that were open and turned up nowhere. Else
    the ranges are counted, without and with the filters that the API may apply by itself. Then the windows of both axes are read,
    then the open runs, then those that were open and turned up nowhere.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        ranges: the time ranges to ask.
        open_runs: runs recorded open by earlier loads, with the loads in a row that did not see them.
        window_rows: the most rows of a window.
        hidden_defaults: parameters whose absence hides runs, as earlier loads found out.
    """

    def __init__(
        self,
        region_id: str,
        workspace_id: str,
        ranges: Ranges,
        open_runs: Mapping[str, int],
        window_rows: int,
        hidden_defaults: Iterable[str] = (),
    ) -> None:
        self.region_id: Final = region_id
        self.workspace_id: Final = workspace_id
        self.open_runs = dict(open_runs)
        self.denied = False
        self.defaults = HiddenDefaults(ranges.start[0], ranges.horizon_ms, hidden_defaults, is_first=ranges.is_first)
        # Final runs of this load without figures, by id: their end, in epoch milliseconds.
        self.without_figures: dict[str, int] = {}
        self._ranges = ranges
        self._window_rows = window_rows
        self._coverage: dict[TimeAxis, Coverage] = {"start": Coverage(*ranges.start)}
        if ranges.end:
            self._coverage["end"] = Coverage(*ranges.end)
        # Keeps the coverage from being settled before the windows are planned.
        self._unplanned = {axis: Window(region_id, workspace_id, axis, *self._range_of(axis)) for axis in self._coverage}
        for axis, window in self._unplanned.items():
            if self._has_range(axis):
                self._coverage[axis].expect(window)
        # Defaults that are known to hide runs must be asked for in all ways, which a census does not do.
        has_ranges = ranges.end is not None and all(self._has_range(axis) for axis in TIME_AXES)
        self._census: Census | None = None
        if ranges.end is not None and has_ranges and not self.defaults.found():
            self._census = Census(region_id, workspace_id, ranges.start, ranges.end, is_first=ranges.is_first)
        # What the census certified, until it is audited.
        self.certificates: list[WindowResult] = []
        self._counts = self._survey()
        self._counts_left = 0
        self._is_survey_whole = True
        # Axes whose range has no run by the API's count, which certifies it.
        self._empty: set[TimeAxis] = set()
        self._waiting: deque[Window] = deque()
        self._seen_open: set[str] = set()
        # Runs of this load by the day of their end: what the end axis may find known already.
        self._ended: dict[int, dict[str, int]] = {}
        self._rows = 0
        self._short_splits = 0
        self._open_windows_left: int | None = 0 if ranges.end is None else None
        self._run_ways: list[Filters] = []

    def first_tasks(self) -> list[Task]:
        """Return what is asked first: the census, the counts, or the windows where there is no range of start times."""
        if self._census:
            return [self._census.first_task()]
        return self._next_counts() if self._has_range("start") else self._plan()

    def wanted(self, page: Records, task: Task) -> Records:
        """Return the runs of a page that the load is for: a census also lists those of long ago."""
        if not self._census or not task.is_whole:
            return page
        wanted = self._census.take(page, task.window, list(self._ranges.unsettled))
        return page.at(wanted)

    def take(self, runs: Records, window: Window) -> list[int]:
        """Take runs that are new to the package.

        Returns:
            The positions of those to observe: every open one, and one that was open and now is final.
        """
        observed = []
        self._rows += len(runs)
        columns = (runs.column(name) for name in ("jobRunId", "state", "endTime", "cuHours"))
        for position, (run_id, state, end_ms, cu_hours) in enumerate(zip(*columns, strict=True)):
            if is_open(state, end_ms):
                self.open_runs[run_id] = 0
                self._seen_open.add(run_id)
                observed.append(position)
                continue
            if run_id in self.open_runs:
                del self.open_runs[run_id]
                observed.append(position)
            # Where figures are late, a zero may stand for none.
            if cu_hours:
                self.without_figures.pop(run_id, None)
            else:
                self.without_figures[run_id] = end_ms
            if self._waiting and not window.filters and end_ms >= self._waiting[0].bounds[0]:
                self._ended.setdefault(end_ms // DAY_MS, {})[run_id] = end_ms
        return observed

    def compare(self, page: Records, window: Window) -> None:
        """Take all runs of a page, also those known already: does the end axis find the same with a `startTime` and without?"""
        names = [name for name, _ in window.filters]
        if window.axis != "end" or names not in ([], ["startTime"]):
            return
        first_ms = self._ranges.start[0]
        rows = zip(page.column("jobRunId"), page.column("submitTime"), strict=True)
        earlier = {run_id for run_id, submit_ms in rows if submit_ms is not None and submit_ms < first_ms}
        self.defaults.started_before(earlier, is_filtered=bool(names))

    def settle(self, result: WindowResult) -> list[Task]:
        """Take a window's result; return the tasks that it makes possible."""
        window = result.task.window
        self._short_splits += result.is_short_split
        if self._census and result.task.is_whole:
            return self._settle_census(self._census, result)
        match window.axis:
            case "count" | "count_ends":
                return self._settle_count(result, COUNTED_AXES[window.axis])
            case "open":
                return self._settle_open(result)
            case "run":
                return self._next_run_way(result)
            case "start" | "end":
                return self._settle_range(result, window, window.axis)
        raise AssertionError(window.axis)

    def misses(self, result: WindowResult) -> str | None:
        """Return the run that the API did not answer for in any way, if that is what the result of axis `run` says."""
        window = result.task.window
        run_id = window.job_run_id
        is_answered = result.status == "complete" or self.is_refused_filter(result)
        if not is_answered or run_id is None or run_id in self._seen_open or run_id not in self.open_runs:
            return None
        if window.filters != self._run_ways[-1]:
            return None
        self.open_runs[run_id] += 1
        if self.open_runs[run_id] >= MISSING_OPEN_RUN_LOADS:
            del self.open_runs[run_id]
        return run_id

    def is_refused_filter(self, result: WindowResult) -> bool:
        """Return whether the API refuses a filter that is only given to see whether it changes anything."""
        window = result.task.window
        is_needed = any(window.axis == axis and window.filters in self.defaults.ways(axis) for axis in TIME_AXES)
        return bool(window.filters) and not is_needed and isinstance(result.error, FixRequestError)

    def through_ms(self, axis: TimeAxis) -> int:
        """Return the last millisecond up to which an axis is certified."""
        return self._coverage[axis].through_ms

    @property
    def since_ms(self) -> int:
        """The first millisecond of the start axis that this load asks for."""
        return self._ranges.start[0]

    def unsettled(self, since_ms: int) -> list[tuple[int, int]]:
        """Return the ranges of end times to ask again in the next load: those of final runs without figures.

        Args:
            since_ms: runs that ended earlier are asked no more.
        """
        missing = [(end_ms, end_ms) for end_ms in self.without_figures.values() if end_ms >= since_ms]
        end = self._coverage.get("end")
        was_read = end is not None and end.through_ms == self._range_of("end")[1]
        return join_ranges([*missing, *(() if was_read else self._ranges.unsettled)], UNSETTLED_RANGES)

    def _range_of(self, axis: TimeAxis) -> tuple[int, int]:
        return self._ranges.start if axis == "start" or self._ranges.end is None else self._ranges.end

    def _has_range(self, axis: TimeAxis) -> bool:
        first, last = self._range_of(axis)
        return first <= last

    def _window(self, axis: Axis, filters: Filters = (), bounds: tuple[int, int] | None = None) -> Window:
        start_ms, end_ms = bounds or (None, None)
        return Window(self.region_id, self.workspace_id, axis, start_ms, end_ms, filters=filters)

    def _count(self, axis: TimeAxis, filters: Filters) -> Task:
        return Task(self._window("count" if axis == "start" else "count_ends", filters, self._range_of(axis)))

    def _settle_census(self, census: Census, result: WindowResult) -> list[Task]:
        tasks = census.settle(result)
        if not census.is_over:
            return tasks
        self.certificates = census.certificates
        if not self.certificates:
            return self._next_counts()
        for axis, window in self._unplanned.items():
            self._coverage[axis].settle(window, certified=True)
        return self._straggler_tasks()

    def _survey(self) -> Iterator[list[Task]]:
        """Yield what to count, each list when the one before is answered; the ranges come last, see `HiddenDefaults.probes`."""
        axes = [axis for axis in self._coverage if self._has_range(axis)]
        yield [self._count(axis, filters) for axis in axes for filters in self.defaults.probes(axis)]
        yield [self._count(axis, filters) for axis in axes for filters in self.defaults.further_probes(axis)]
        yield [self._count(axis, ()) for axis in axes]

    def _next_counts(self) -> list[Task]:
        """Return what to count next, or the windows when nothing is left to count."""
        tasks = next(filter(None, self._counts), [])
        self._counts_left = len(tasks)
        return tasks or self._plan()

    def _settle_count(self, result: WindowResult, axis: TimeAxis) -> list[Task]:
        self._is_survey_whole &= result.error is None or self.is_refused_filter(result)
        self.defaults.take(axis, result.task.window.filters, None if result.error else result.total_count)
        if result.certified_by:
            self._empty.add(axis)
        self._counts_left -= 1
        return [] if self._counts_left else self._next_counts()

    def _plan(self) -> list[Task]:
        """Return the windows of the start axis, and what of the end axis depends on none of them; the rest follows."""
        start = self._cut("start", self._window_rows) if self._has_range("start") else []
        for window in start:
            self._coverage["start"].expect(window)
        earlier = self._plan_end() if self._ranges.end else []
        # Without all counts it is not known whether the windows show everything: the cursors stay.
        for axis, window in self._unplanned.items():
            if self._has_range(axis):
                self._coverage[axis].settle(window, certified=self._is_survey_whole)
        return [self._task(window) for window in [*start, *earlier]] + self._unlocked()

    def _cut(self, axis: TimeAxis, window_rows: int) -> list[Window]:
        """Return the windows of an axis' whole range, oldest first, each with every way to ask for it."""
        whole = self._window(axis, bounds=self._range_of(axis))
        ways = [*([] if axis in self._empty else [()]), *self.defaults.ways(axis)]
        windows = plan_windows(whole, self.defaults.range_count(axis) or 0, window_rows)
        return [replace(window, filters=filters) for window in windows for filters in ways]

    def _plan_end(self) -> list[Window]:
        """Queue the windows of the end axis; return those of runs that started before the start range."""
        bounds = self._range_of("end")
        unsettled = [
            Window(self.region_id, self.workspace_id, "end", first, min(last, bounds[0] - 1), filters=filters)
            for first, last in self._ranges.unsettled
            if first < bounds[0]
            for filters in [(), *self.defaults.ways("end")]
        ]
        has_range = self._has_range("end")
        # A count that equals that of the whole range may be a limit; those of two halves are below it.
        rows = min(END_WINDOW_ROWS, max(PAGE_ROWS, (self.defaults.range_count("end") or 0) - 1))
        self._waiting.extend([*unsettled, *(self._cut("end", rows) if has_range else [])])
        earlier = [self._window("end", filters, bounds) for filters in self.defaults.earlier_ways()] if has_range else []
        for window in [*self._waiting, *earlier]:
            self._coverage["end"].expect(window)
        return earlier

    def _settle_range(self, result: WindowResult, window: Window, axis: TimeAxis) -> list[Task]:
        coverage = self._coverage[axis]
        if result.parts:
            coverage.replace(window, result.parts)
            return [self._task(part) for part in result.parts]
        coverage.settle(window, certified=result.status == "complete" or self.is_refused_filter(result))
        return self._unlocked()

    def _task(self, window: Window) -> Task:
        """Return the task of a window, with what is known of it where a count can certify it.

        A count may be limited. One below the API's count of the whole range is not, since that one would be limited alike. And
        where the API hides runs, its count is of others than those that are known.
        """
        range_count = self.defaults.range_count("start")
        splits_short = self._short_splits < SHORT_SPLITS + self._rows // SHORT_SPLIT_ROWS
        known_runs = None
        if window.axis == "end" and not window.filters and not self.defaults.found() and range_count is not None:
            known_runs = self._known_runs(window)
            known_runs = known_runs if known_runs < range_count else None
        return Task(window, known_runs, range_count, splits_short)

    def _unlocked(self) -> list[Task]:
        """Return what may be asked now that more of the start axis is settled.

        A window of ends is asked for when every run submitted up to its end has been read: the API's count then mostly equals
        what is known, which certifies the window without reading its rows again. When nothing is left, the open runs follow.
        """
        settled_ms = self._coverage["start"].pending_ms
        tasks = []
        while self._waiting and self._waiting[0].bounds[1] < settled_ms:
            tasks.append(self._task(self._waiting.popleft()))
        if not tasks and self._open_windows_left is None and all(f.is_settled for f in self._coverage.values()):
            if self.through_ms("end") == self._range_of("end")[1]:
                self.defaults.end_is_read()
            windows = [self._window("open", filters) for filters in self.defaults.open_ways(is_first=self._ranges.is_first)]
            self._open_windows_left = len(windows)
            tasks = [Task(window) for window in windows]
        return tasks

    def _known_runs(self, window: Window) -> int:
        first, last = window.bounds
        oldest = self._coverage["end"].pending_ms // DAY_MS
        for day in [day for day in self._ended if day < oldest]:
            del self._ended[day]
        days = [ends for day, ends in self._ended.items() if first // DAY_MS <= day <= last // DAY_MS]
        return sum(first <= end_ms <= last for ends in days for end_ms in ends.values())

    def _settle_open(self, result: WindowResult) -> list[Task]:
        left = (self._open_windows_left or 0) - 1 + len(result.parts)
        self._open_windows_left = left
        if result.parts:
            return [Task(part) for part in result.parts]
        if result.status == "failed" and not result.task.window.filters:
            # Nothing is known of the open runs now: asking for each would take as many requests, and fail like this one.
            self._open_windows_left = -1
            return []
        return self._straggler_tasks() if not left else []

    def _straggler_tasks(self) -> list[Task]:
        self._run_ways = self.defaults.run_ways()
        stragglers = [run_id for run_id in self.open_runs if run_id not in self._seen_open]
        return [self._run_task(run_id, self._run_ways[0]) for run_id in stragglers]

    def _run_task(self, run_id: str, filters: Filters) -> Task:
        return Task(Window(self.region_id, self.workspace_id, "run", job_run_id=run_id, filters=filters))

    def _next_run_way(self, result: WindowResult) -> list[Task]:
        """Return the next way to ask for a run that was not found."""
        window = result.task.window
        run_id = window.job_run_id
        is_refused = self.is_refused_filter(result)
        if run_id is None or result.rows_distinct or (result.error and not is_refused):
            return []
        ways = self._run_ways[self._run_ways.index(window.filters) + 1 :]
        return [self._run_task(run_id, ways[0])] if ways else []


def cursor_ranges(memory: Mapping[str, Any], horizon_ms: int, initial_ms: int, lookback_ms: int) -> Ranges:
    """Return what a nightly load asks, from the cursors of earlier loads.

    Args:
        memory: `started_through` and `ended_through` in epoch milliseconds, and `unsettled` ranges, where known.
        horizon_ms: the last millisecond to ask for.
        initial_ms: how far back to begin where there is no cursor.
        lookback_ms: how far behind a cursor to begin.
    """

    def first(cursor: int | None) -> int:
        return horizon_ms - initial_ms + 1 if cursor is None else cursor - lookback_ms + 1

    return Ranges(
        start=(first(memory.get("started_through")), horizon_ms),
        end=(first(memory.get("ended_through")), horizon_ms),
        horizon_ms=horizon_ms,
        unsettled=tuple((begin, last) for begin, last in memory.get("unsettled", ())),
        is_first="started_through" not in memory,
    )


def join_ranges(ranges: Iterable[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Join ranges into at most `most` disjoint ones, oldest first, over the smallest gaps between them."""
    disjoint: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if disjoint and first <= disjoint[-1][1] + 1:
            disjoint[-1] = (disjoint[-1][0], max(last, disjoint[-1][1]))
        else:
            disjoint.append((first, last))
    gaps = sorted(range(1, len(disjoint)), key=lambda position: disjoint[position - 1][1] - disjoint[position][0])
    edges = [0, *sorted(gaps[: most - 1]), len(disjoint)]
    return [(disjoint[low][0], disjoint[high - 1][1]) for low, high in itertools.pairwise(edges) if low < high]

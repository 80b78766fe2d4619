"""One workspace in one load: which windows are read in which order, and how far its cursors move.

Pure: it takes rows and results, and returns the tasks that follow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from ..api.errors import FixRequestError
from ..arrow.decode import Records
from ..resources.job_runs import ALL_STATES, JOB_RUNS
from ..settings import END_WINDOW_ROWS, PAGE_ROWS, SHORT_SPLIT_ROWS, SHORT_SPLITS, UNSETTLED_RANGES
from .census import Census
from .coverage import Coverage
from .hidden_defaults import HiddenDefaults
from .known_runs import KnownRuns
from .open_runs import OpenRuns, is_open
from .ranges import Ranges, join_ranges
from .survey import Survey
from .tasks import Task, WindowResult
from .windows import RUN_ID, TIME_AXES, Axis, Filters, TimeAxis, Window, plan_windows

_RUNS: Final = JOB_RUNS.windowed
_STATES: Final = frozenset(ALL_STATES)


class WorkspaceSync:
    """Decides what to request from one workspace.

    A census comes first. Where it certifies the workspace, only the runs that were open and were not found remain. Otherwise
    the ranges are counted, with and without the filters that the API may apply by default. Then the windows of both axes are
    read, then the open runs, then those that were open and were not found.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        ranges: the time ranges to read.
        open_runs: runs that were open in earlier loads, each with the number of consecutive loads that did not find it.
        window_rows: the most rows of a window.
        hidden_defaults: parameters whose absence hides runs, as earlier loads found.
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
        self.denied = False
        self.defaults = HiddenDefaults(ranges.start[0], ranges.horizon_ms, hidden_defaults, is_first=ranges.is_first)
        self.open_runs = OpenRuns(region_id, workspace_id, open_runs, self.defaults)
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
        counted = {axis: self._range_of(axis) for axis in self._coverage if self._has_range(axis)}
        self._survey = Survey(region_id, workspace_id, counted, self.defaults)
        self._planned: set[Window] = set()
        # The defaults for which they are planned.
        self._planned_for: set[str] = set()
        self._waiting: deque[Window] = deque()
        self._known_runs = KnownRuns()
        self._rows = 0
        self._short_splits = 0

    def first_tasks(self) -> list[Task]:
        """Return the first tasks: the census, the counts, or the windows where there is no range of start times."""
        if self._census:
            return [self._census.first_task()]
        return self._next_counts() if self._has_range("start") else self._plan()

    def wanted(self, page: Records, task: Task) -> Records:
        """Return the runs of a page that belong to the load: a census also lists older ones."""
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
        fields = (RUN_ID, _RUNS.state_field, _RUNS.end_field, _RUNS.figures_field)
        columns = (runs.column(name) for name in fields)
        for position, (run_id, state, end_ms, cu_hours) in enumerate(zip(*columns, strict=True)):
            run_is_open = is_open(state, end_ms)
            if self.open_runs.take(run_id, is_open=run_is_open):
                observed.append(position)
            if run_is_open:
                continue
            # Where figures are late, a zero may stand for none.
            if cu_hours:
                self.without_figures.pop(run_id, None)
            else:
                self.without_figures[run_id] = end_ms
            if self._waiting and not window.filters and end_ms >= self._waiting[0].bounds[0]:
                self._known_runs.add(run_id, end_ms)
        return observed

    def compare(self, page: Records, window: Window) -> None:
        """Take all runs of a page, also known ones, which show whether the API hides some where a filter is absent.

        Does the end axis find the same with a filter of start times and without, and which runs are in no count by states?
        """
        if window.axis == "start" and not window.filters:
            self._compare_states(page)
        names = [name for name, _ in window.filters]
        is_unsettled = window.axis == "end" and window.bounds[0] < self._range_of("end")[0]
        if window.axis != "end" or is_unsettled or names not in ([], [_RUNS.start_filter]):
            return
        first_ms = self._ranges.start[0]
        rows = zip(page.column(RUN_ID), page.column(_RUNS.start_field), strict=True)
        earlier = {run_id for run_id, submit_ms in rows if submit_ms is not None and submit_ms < first_ms}
        self.defaults.started_before(earlier, is_filtered=bool(names))

    def _compare_states(self, page: Records) -> None:
        states = page.column(_RUNS.state_field)
        if not _STATES.issuperset(states):
            rows = zip(page.column(RUN_ID), states, page.column(_RUNS.end_field), strict=True)
            found = [(run_id, end_ms) for run_id, state, end_ms in rows if state not in _STATES]
            self.defaults.take_undocumented(*zip(*found, strict=True))

    def settle(self, result: WindowResult) -> list[Task]:
        """Take a window's result; return the tasks that it makes possible."""
        window = result.task.window
        self._short_splits += result.is_short_split
        if self._census and result.task.is_whole:
            return self._settle_census(self._census, result)
        match window.axis:
            case "count" | "count_ends":
                is_counted = self._survey.settle(result, is_refused=self.is_refused_filter(result))
                return self._next_counts() if is_counted else []
            case "open":
                return self.open_runs.settle_list(result)
            case "run":
                return self.open_runs.next_task(result, is_refused=self.is_refused_filter(result))
            case "start" | "end":
                return self._settle_range(result, window, window.axis)
        raise AssertionError(window.axis)

    def take_missing(self, result: WindowResult) -> str | None:
        """Return the run that the API did not return in any way, if this result of axis `run` is the last one to show that."""
        return self.open_runs.take_missing(result, is_refused=self.is_refused_filter(result))

    def is_refused_filter(self, result: WindowResult) -> bool:
        """Return whether the API refuses a filter that was only sent to test whether it makes a difference."""
        window = result.task.window
        needed = {"start": self.defaults.ways("start"), "end": [*self.defaults.ways("end"), *self.defaults.unsettled_ways()]}
        is_needed = window.filters in needed.get(window.axis, [])
        return bool(window.filters) and not is_needed and isinstance(result.error, FixRequestError)

    def through_ms(self, axis: TimeAxis) -> int:
        """Return the last millisecond up to which an axis is certified."""
        return self._coverage[axis].through_ms

    @property
    def since_ms(self) -> int:
        """The first millisecond of the start axis that this load reads."""
        return self._ranges.start[0]

    def unsettled(self, since_ms: int) -> list[tuple[int, int]]:
        """Return the ranges of end times to read again in the next load: those of final runs without figures.

        Args:
            since_ms: runs that ended earlier are not requested again.
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

    def _settle_census(self, census: Census, result: WindowResult) -> list[Task]:
        tasks = census.settle(result)
        if not census.is_over:
            return tasks
        self.certificates = census.certificates
        if not self.certificates:
            return self._next_counts()
        for axis, window in self._unplanned.items():
            self._coverage[axis].settle(window, certified=True)
        return self.open_runs.missing_tasks()

    def _next_counts(self) -> list[Task]:
        """Return what to count next, or the windows when everything is counted."""
        return self._survey.next_tasks() or self._plan()

    def _plan(self) -> list[Task]:
        """Return the windows of the start axis, and those of the end axis that depend on none of them."""
        tasks = self._expect_windows()
        # Without all counts it is not known whether the windows show everything: the cursors stay.
        for axis, window in self._unplanned.items():
            if self._has_range(axis):
                self._coverage[axis].settle(window, certified=self._survey.is_whole)
        return tasks + self._unlocked()

    def _expect_windows(self) -> list[Task]:
        """Expect the windows of both axes that are not planned yet; return the tasks of those that need not wait.

        More are needed once rows have shown that the API hides runs where a filter is absent.
        """
        self._planned_for = self.defaults.found()
        start = self._new(self._cut("start", self._window_rows)) if self._has_range("start") else []
        for window in start:
            self._coverage["start"].expect(window)
        earlier = self._plan_end() if self._ranges.end else []
        return [self._task(window) for window in [*start, *earlier]]

    def _new(self, windows: list[Window]) -> list[Window]:
        new = [window for window in windows if window not in self._planned]
        self._planned.update(new)
        return new

    def _cut(self, axis: TimeAxis, window_rows: int) -> list[Window]:
        """Return the windows of an axis' whole range, oldest first, each once for every set of filters."""
        whole = self._window(axis, bounds=self._range_of(axis))
        ways = [*([] if axis in self._survey.empty else [()]), *self.defaults.ways(axis)]
        windows = plan_windows(whole, self.defaults.range_count(axis) or 0, window_rows)
        return [replace(window, filters=filters) for window in windows for filters in ways]

    def _plan_end(self) -> list[Window]:
        """Queue the windows of the end axis; return those of runs that started before the start range."""
        bounds = self._range_of("end")
        unsettled = [
            Window(self.region_id, self.workspace_id, "end", first, min(last, bounds[0] - 1), filters=filters)
            for first, last in self._ranges.unsettled
            if first < bounds[0]
            for filters in self.defaults.unsettled_ways()
        ]
        has_range = self._has_range("end")
        # A count that equals that of the whole range may be a limit; those of two halves are below it.
        rows = min(END_WINDOW_ROWS, max(PAGE_ROWS, (self.defaults.range_count("end") or 0) - 1))
        waiting = self._new([*unsettled, *(self._cut("end", rows) if has_range else [])])
        ways = self.defaults.earlier_ways() if has_range else []
        earlier = self._new([self._window("end", filters, bounds) for filters in ways])
        for window in [*waiting, *earlier]:
            self._coverage["end"].expect(window)
        self._waiting.extend(waiting)
        return earlier

    def _settle_range(self, result: WindowResult, window: Window, axis: TimeAxis) -> list[Task]:
        coverage = self._coverage[axis]
        if result.parts:
            coverage.replace(window, result.parts)
            return [self._task(part) for part in result.parts]
        coverage.settle(window, certified=result.status == "complete" or self.is_refused_filter(result))
        return self._unlocked()

    def _task(self, window: Window) -> Task:
        """Return the task of a window, with the number of known runs where a count can certify it.

        A count may be limited by the API. One below the API's count of the whole range is not: that count would be limited too.
        Where the API hides runs, its count does not cover the known runs.
        """
        range_count = self.defaults.range_count("start")
        splits_short = self._short_splits < SHORT_SPLITS + self._rows // SHORT_SPLIT_ROWS
        known_runs = None
        if window.axis == "end" and not window.filters and not self.defaults.found() and range_count is not None:
            self._known_runs.forget_before(self._coverage["end"].pending_ms)
            known_runs = self._known_runs.count(*window.bounds)
            known_runs = known_runs if known_runs < range_count else None
        return Task(window, known_runs, range_count, splits_short)

    def _unlocked(self) -> list[Task]:
        """Return the windows that can be read now that more of the start axis is settled.

        A window of ends is read once every run submitted up to its end has been read: the API's count then mostly equals the
        number of known runs, which certifies the window without reading its rows again. At the end, the open runs follow.
        """
        # All rows of the start axis are known, and no cursor has passed them yet.
        is_planned = not self._coverage["start"].is_settled or self.defaults.found() == self._planned_for
        tasks = [] if is_planned else self._expect_windows()
        settled_ms = self._coverage["start"].pending_ms
        while self._waiting and self._waiting[0].bounds[1] < settled_ms:
            tasks.append(self._task(self._waiting.popleft()))
        is_backfill = self._ranges.end is None
        if not tasks and not is_backfill and not self.open_runs.is_listed and all(f.is_settled for f in self._coverage.values()):
            if self.through_ms("end") == self._range_of("end")[1]:
                self.defaults.end_is_read()
            tasks = self.open_runs.list_tasks()
        return tasks

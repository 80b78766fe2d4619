"""The open runs of a workspace, and the requests for those that no window has shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..resources.job_runs import JOB_RUNS
from ..settings import MISSING_OPEN_RUN_LOADS
from .hidden_defaults import HiddenDefaults
from .tasks import Task, WindowResult
from .windows import Filters, Window

_RUNS: Final = JOB_RUNS.windowed


def is_open(state: str | None, end_ms: int | None) -> bool:
    """Return whether a run may still change state: an open state, or no end time; the API may say 0 for none."""
    return state in _RUNS.open_states or not end_ms


class OpenRuns:
    """Keeps track of the open runs of one workspace.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        known: runs that were open in earlier loads, each with the number of consecutive loads that did not find it.
        defaults: the filters that must be given.
    """

    def __init__(self, region_id: str, workspace_id: str, known: Mapping[str, int], defaults: HiddenDefaults) -> None:
        self._region_id = region_id
        self._workspace_id = workspace_id
        self._missed_loads = dict(known)
        self._defaults = defaults
        self._found: set[str] = set()
        self._ways: list[Filters] = []
        self._lists_left = 0
        self.is_listed = False

    def to_save(self) -> dict[str, int]:
        """Return the runs that are open, each with the number of consecutive loads that did not find it."""
        return dict(self._missed_loads)

    def take(self, run_id: str, *, is_open: bool) -> bool:
        """Take a run of this load; return whether to observe it: it is open, or it was open and has ended."""
        if is_open:
            self._missed_loads[run_id] = 0
            self._found.add(run_id)
            return True
        return self._missed_loads.pop(run_id, None) is not None

    def list_tasks(self) -> list[Task]:
        """Return the requests for the open states, once for every set of filters."""
        self.is_listed = True
        ways = self._defaults.open_ways()
        self._lists_left = len(ways)
        return [Task(Window(self._region_id, self._workspace_id, "open", filters=filters)) for filters in ways]

    def settle_list(self, result: WindowResult) -> list[Task]:
        """Take the result of axis `open`; return its parts, or after the last one the requests for runs that were not found."""
        self._lists_left += len(result.parts) - 1
        if result.parts:
            return [Task(part) for part in result.parts]
        if result.status == "failed" and not result.task.window.filters:
            # The open runs are unknown now: requesting each of them would take as many requests, and fail in the same way.
            self._lists_left = -1
            return []
        return [] if self._lists_left else self.missing_tasks()

    def missing_tasks(self) -> list[Task]:
        """Return a request by id for each run that was open and that this load has not found."""
        self._ways = self._defaults.run_ways()
        return [self._task(run_id, self._ways[0]) for run_id in self._missed_loads if run_id not in self._found]

    def next_task(self, result: WindowResult, *, is_refused: bool) -> list[Task]:
        """Return the next way to request a run that was not found, if there is one.

        Args:
            result: of a window of axis `run`.
            is_refused: whether the API refuses the filter of this window.
        """
        window = result.task.window
        run_id = window.job_run_id
        if run_id is None or result.rows_distinct or (result.error and not is_refused):
            return []
        ways = self._ways[self._ways.index(window.filters) + 1 :]
        return [self._task(run_id, ways[0])] if ways else []

    def take_missing(self, result: WindowResult, *, is_refused: bool) -> str | None:
        """Return the run that the API did not return in any way, if this result of axis `run` is the last one to show that.

        After several such loads the run is no longer counted as open.
        """
        window = result.task.window
        run_id = window.job_run_id
        is_answered = result.status == "complete" or is_refused
        if not is_answered or run_id is None or run_id in self._found or run_id not in self._missed_loads:
            return None
        if window.filters != self._ways[-1]:
            return None
        self._missed_loads[run_id] += 1
        if self._missed_loads[run_id] >= MISSING_OPEN_RUN_LOADS:
            del self._missed_loads[run_id]
        return run_id

    def _task(self, run_id: str, filters: Filters) -> Task:
        return Task(Window(self._region_id, self._workspace_id, "run", job_run_id=run_id, filters=filters))

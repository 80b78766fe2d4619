"""Reads a workspace whose whole history fits on one page of each listing, and certifies it with a few requests.

Most workspaces of an account are small or empty, and the number of requests is the limiting resource. So the first request for
a workspace is for all runs that ever started. If these are one page, the other listings follow: the runs that ever ended, those
of any state, and those of workflows, with a range of all times and without. For any single default that the API applies to an
absent filter, even together with a limited reach of an absent `startTime`, each run is in one of the listings. If all of them
name the same runs, no default hides any, and the start axis, the end axis and the open runs are certified together. Otherwise
(a listing of several pages, a count that does not match, a refused filter, a run that is only in some listings) nothing is
certified here, and the workspace is counted and read by time range.

Each listing is one response and so one moment. Runs that ended by the horizon, or were submitted by then, were so before the
first request: changes between two requests affect neither set.
"""

from __future__ import annotations

from typing import Final

from ..arrow.decode import Records
from ..resources.job_runs import JOB_RUNS
from .hidden_defaults import ANY_STATE, OF_WORKFLOW, may_hide_earlier_runs
from .tasks import Task, WindowResult
from .windows import RUN_ID, Filters, Window

_RUNS: Final = JOB_RUNS.windowed


class Census:
    """The listings of one workspace.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        start: the range of start times to certify, epoch milliseconds, both ends included.
        end: the range of end times to certify.
        is_first: whether no load has read the workspace before.
    """

    def __init__(
        self, region_id: str, workspace_id: str, start: tuple[int, int], end: tuple[int, int], *, is_first: bool = False
    ) -> None:
        horizon_ms = start[1]
        ever_started: Filters = ((_RUNS.start_filter, (1, horizon_ms)),)
        ever_ended: Filters = ((_RUNS.end_filter, (1, horizon_ms)),)
        self._horizon_ms: Final = horizon_ms
        self._since_ms: Final = min(start[0], end[0])
        self._started = Window(region_id, workspace_id, "start", *start, filters=ever_started)
        self._ended = Window(region_id, workspace_id, "end", *end, filters=ever_ended)
        self._of_any_state = Window(region_id, workspace_id, "all", filters=ANY_STATE)
        self._both = Window(region_id, workspace_id, "all", filters=ever_started + ever_ended)
        others: list[Filters] = [OF_WORKFLOW, ever_started + OF_WORKFLOW]
        if may_hide_earlier_runs(self._since_ms, horizon_ms, is_first=is_first):
            # Each filter is then given with the times too.
            others += [ever_started + ever_ended, ever_started + ANY_STATE, ever_ended + OF_WORKFLOW]
        self._waiting = [
            self._ended,
            self._of_any_state,
            *(Window(region_id, workspace_id, "all", filters=filters) for filters in others),
        ]
        self._results: list[WindowResult] = []
        self._left = 0
        self._final_runs: dict[Window, set[str]] = {}
        self._other_runs: dict[Window, set[str]] = {}

    def first_task(self) -> Task:
        """Return the first listing, which shows whether the workspace is small."""
        return self._task(self._started)

    def take(self, page: Records, window: Window, ranges: list[tuple[int, int]]) -> list[int]:
        """Take the runs of a listing; return the positions of those that belong to the load.

        Args:
            page: the whole listing.
            window: which listing.
            ranges: further ranges of end times to load.
        """
        wanted = []
        fields = (RUN_ID, _RUNS.state_field, _RUNS.start_field, _RUNS.end_field)
        columns = (page.column(name) for name in fields)
        for position, (run_id, state, submit_ms, end_ms) in enumerate(zip(*columns, strict=True)):
            is_final = bool(end_ms) and end_ms <= self._horizon_ms and state not in _RUNS.open_states
            if is_final:
                self._final_runs.setdefault(window, set()).add(run_id)
            elif submit_ms is None or submit_ms <= self._horizon_ms:
                self._other_runs.setdefault(window, set()).add(run_id)
            # A run that started in a range ended after its beginning, or has not ended.
            if not is_final or end_ms >= self._since_ms or any(first <= end_ms <= last for first, last in ranges):
                wanted.append(position)
        return wanted

    def settle(self, result: WindowResult) -> list[Task]:
        """Take the result of a listing; return the listings to read next."""
        self._results.append(result)
        self._left -= 1
        if result.status != "complete":
            self._waiting = []
        waiting, self._waiting = self._waiting, []
        return [self._task(window) for window in waiting]

    @property
    def is_over(self) -> bool:
        """Whether no listing is being read any more."""
        return not self._left

    @property
    def certificates(self) -> list[WindowResult]:
        """The results that certify the workspace, once the census is over: of every listing, or none."""
        return self._results if all(result.status == "complete" for result in self._results) and self._agree() else []

    def _agree(self) -> bool:
        """Return whether no listing has a run that is missing in those without further filters."""
        final, other = self._final_runs, self._other_runs
        known = other.get(self._started, set()) | other.get(self._of_any_state, set())
        return (
            all(runs <= final.get(self._ended, set()) for runs in final.values())
            and final.get(self._both, set()) <= final.get(self._started, set())
            and all(runs <= known for runs in other.values())
        )

    def _task(self, window: Window) -> Task:
        self._left += 1
        return Task(window, is_whole=True)

"""A workspace whose whole history fits on one page of each listing is read whole, and proved with a handful of requests.

Most workspaces of an account are small or empty, and requests are the scarce thing. So a workspace is first asked for all runs
that ever started. Where these are one page, the other listings follow: the runs that ever ended, those of any state, and those of
workflows, with a range of all times and without. Under any single default that the API may apply to an absent filter, and under a
limited reach of an absent `startTime` besides, each run is in one of them. Where they name the same runs, no default hides any,
and the start axis, the end axis and the open runs are certified together. In every other case (a listing of several pages, a
count that does not fit, a refused filter, a run that one listing has and another lacks) nothing is certified here, and the
workspace is surveyed and read by time range.

Each listing is one answer and so one moment. Runs that ended by the horizon, or were submitted by then, were so before the first
request: what becomes of a run between two requests changes neither set.
"""

from __future__ import annotations

from typing import Final

from ..arrow.decode import Records
from ..resources.job_runs import OPEN_STATES
from .hidden_defaults import ANY_STATE, OF_WORKFLOW, SHORT_RANGE_MS
from .windows import Filters, Window
from .workers import Task, WindowResult


class Census:
    """The listings of one workspace, and what they prove.

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
        ever_started: Filters = (("startTime", (1, horizon_ms)),)
        ever_ended: Filters = (("endTime", (1, horizon_ms)),)
        self._horizon_ms: Final = horizon_ms
        self._since_ms: Final = min(start[0], end[0])
        self._started = Window(region_id, workspace_id, "start", *start, filters=ever_started)
        self._ended = Window(region_id, workspace_id, "end", *end, filters=ever_ended)
        self._of_any_state = Window(region_id, workspace_id, "all", filters=ANY_STATE)
        self._both = Window(region_id, workspace_id, "all", filters=ever_started + ever_ended)
        others: list[Filters] = [OF_WORKFLOW, ever_started + OF_WORKFLOW]
        if is_first or horizon_ms - self._since_ms >= SHORT_RANGE_MS:
            # An absent time range may hide what a long range asks for: each filter is then given with the times too. Of a short
            # range it may hide runs that began long before; earlier loads, if there are any, know these as open.
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
        """Return the listing that says whether the workspace is small."""
        return self._task(self._started)

    def take(self, page: Records, window: Window, ranges: list[tuple[int, int]]) -> list[int]:
        """Take a listing's runs, and return the positions of those that the load is for.

        Args:
            page: the whole listing.
            window: which listing.
            ranges: further ranges of end times to load.
        """
        wanted = []
        columns = (page.column(name) for name in ("jobRunId", "state", "submitTime", "endTime"))
        for position, (run_id, state, submit_ms, end_ms) in enumerate(zip(*columns, strict=True)):
            is_final = bool(end_ms) and end_ms <= self._horizon_ms and state not in OPEN_STATES
            if is_final:
                self._final_runs.setdefault(window, set()).add(run_id)
            elif submit_ms is None or submit_ms <= self._horizon_ms:
                self._other_runs.setdefault(window, set()).add(run_id)
            # Whatever started in a range ended after its beginning, or has not ended.
            if not is_final or end_ms >= self._since_ms or any(first <= end_ms <= last for first, last in ranges):
                wanted.append(position)
        return wanted

    def settle(self, result: WindowResult) -> list[Task]:
        """Take how the reading of a listing ended; return the listings to read next."""
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
        """What is proved of the workspace, once the census is over: every listing, or nothing."""
        return self._results if all(result.status == "complete" for result in self._results) and self._agree() else []

    def _agree(self) -> bool:
        """Return whether no listing has a run that those without further filters lack."""
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

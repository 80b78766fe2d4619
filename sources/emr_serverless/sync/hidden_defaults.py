"""What the API may apply by itself where a filter is left out, and how its counts show it.

The documents do not say what a request without `isWorkflow`, `states`, `minDuration`, `startTime` or `endTime` finds. An absent
`isWorkflow` may mean `false`, an absent time range may reach back some days only. So each load counts a range of each workspace
without and with these filters. Where the counts differ, the workspace is asked both ways from then on. A small workspace is
compared run by run instead, see census.py.

A night needs each of these counts. That a default was shown not to exist is not remembered: the vendor may introduce one, and
runs that it hides would be behind the cursors before the next probe. One count is left out where it cannot differ: an absent
flag stands for `false` or for both, so without a run of a workflow there is nothing for `isWorkflow` to hide.

What only an unknown value could show stays unknown: whether an absent `creator` means the caller, and whether an absent
`jobRunDeploymentId` leaves out the runs of streaming deployments.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from ..resources.job_runs import ALL_STATES, OPEN_STATES
from .windows import DAY_MS, TIME_AXES, Filters, TimeAxis, may_be_limit

OF_WORKFLOW: Final[Filters] = (("isWorkflow", "true"),)
OF_NO_WORKFLOW: Final[Filters] = (("isWorkflow", "false"),)
ANY_LENGTH: Final[Filters] = (("minDuration", "0"),)
ANY_STATE: Final[Filters] = (("states", ALL_STATES), *ANY_LENGTH)
STILL_OPEN: Final[Filters] = (("states", OPEN_STATES),)
# Both are counted with one request.
STATES_OR_LENGTH: Final = "states or minDuration"
# A reach of some days is of no consequence to what began later.
SHORT_RANGE_MS: Final = 3 * DAY_MS


class HiddenDefaults:
    """Counts one workspace's ranges with and without filters, and says which filters must be given.

    A run that was cancelled before it started may match no range of start times, so ends are counted too.

    Args:
        start_ms: first start time of the range.
        horizon_ms: the last millisecond of the load; what an absent time range reaches is counted from the present.
        known: parameters that an earlier load found out.
        is_first: whether no load has read the workspace before.
    """

    def __init__(self, start_ms: int, horizon_ms: int, known: Iterable[str] = (), *, is_first: bool = False) -> None:
        self._is_first = is_first
        self._start_ms = start_ms
        self._horizon_ms = horizon_ms
        self._known = set(known)
        self._counts: dict[TimeAxis, dict[Filters, int | None]] = {"start": {}, "end": {}}
        self._started_before: dict[bool, set[str]] = {True: set(), False: set()}
        self._is_end_read = False

    def probes(self, axis: TimeAxis) -> list[Filters]:
        """Return what to count before the range itself: runs that appear meanwhile are then in the range's count too."""
        is_short = not self._is_first and self._horizon_ms - self._start_ms < SHORT_RANGE_MS
        ends = [] if is_short or axis == "end" else [self._ended, STILL_OPEN]
        return [OF_WORKFLOW, ANY_STATE, *ends]

    def further_probes(self, axis: TimeAxis) -> list[Filters]:
        """Return what to count after the probes: without a run of a workflow, an absent `isWorkflow` has nothing to hide."""
        return [OF_NO_WORKFLOW] if self._counts[axis].get(OF_WORKFLOW) else []

    @property
    def _ended(self) -> Filters:
        return (("endTime", (1, self._horizon_ms)),)

    @property
    def _started_earlier(self) -> Filters:
        return (("startTime", (1, self._start_ms - 1)),)

    def take(self, axis: TimeAxis, filters: Filters, count: int | None) -> None:
        """Take a count; None where the API gave none, or refused the filter."""
        self._counts[axis][filters] = count

    def range_count(self, axis: TimeAxis) -> int | None:
        """Return the API's count of an axis' whole range, without further filters."""
        return self._counts[axis].get(())

    def started_before(self, run_ids: Iterable[str], *, is_filtered: bool) -> None:
        """Take runs that started before the range: those that a `startTime` finds, and those that are found without one."""
        self._started_before[is_filtered].update(run_ids)

    def end_is_read(self) -> None:
        """Take it that all ends have been read, with a `startTime` and without; until then neither set of runs is whole."""
        self._is_end_read = True

    def found(self) -> set[str]:
        """Return the parameters whose absence hides runs, by all that has been taken."""
        counted = self._counted("start") | self._counted("end")
        differs = self._is_end_read and not self._started_before[True] <= self._started_before[False]
        return self._known | counted | ({"startTime"} if differs else set())

    def to_remember(self) -> set[str]:
        """Return those of `found` that are certain; a count that may be a limit proves nothing."""
        limited = {name for axis in TIME_AXES if self._may_be_limited(axis) for name in self._counted(axis)}
        return self._known | (self.found() - limited)

    def _may_be_limited(self, axis: TimeAxis) -> bool:
        whole = self._counts[axis].get(())
        return whole is not None and may_be_limit(whole)

    def _counted(self, axis: TimeAxis) -> set[str]:
        found = set()
        has_workflows = bool(self._counts[axis].get(OF_WORKFLOW))
        # A limit hides a difference: then workflows are asked for beside the others, whether that is needed or not.
        if self._exceeds(axis, OF_WORKFLOW, OF_NO_WORKFLOW) or (self._may_be_limited(axis) and has_workflows):
            found.add("isWorkflow")
        if self._exceeds(axis, ANY_STATE):
            found.add(STATES_OR_LENGTH)
        # A run that ended by the horizon is not open now: no run is in both counts.
        if self._exceeds(axis, self._ended, STILL_OPEN):
            found.add("endTime")
        return found

    def _exceeds(self, axis: TimeAxis, *filters: Filters) -> bool:
        counts = [self._counts[axis].get(each) for each in filters]
        whole = self._counts[axis].get(())
        return whole is not None and sum(count or 0 for count in counts) > whole

    def ways(self, axis: TimeAxis) -> list[Filters]:
        """Return with which further filters the ranges of an axis must be asked too."""
        found = self.found()
        explicit = ANY_STATE if STATES_OR_LENGTH in found else ()
        if axis == "start" and "endTime" in found:
            explicit += self._ended
        flows: list[Filters] = [()]
        if "isWorkflow" in found:
            # What is found without the filter is one of both kinds, unless other filters are left out with it.
            counts = self._counts[axis]
            shows_others = not explicit and (counts.get(()) or 0) >= (counts.get(OF_NO_WORKFLOW) or 0)
            flows = [OF_WORKFLOW] if shows_others else [OF_WORKFLOW, OF_NO_WORKFLOW]
        return [flow + explicit for flow in flows if flow + explicit]

    def earlier_ways(self) -> list[Filters]:
        """Return the filters for runs of an end range that started before the start range."""
        flows = [(), OF_WORKFLOW, *self.ways("end")]
        return [self._started_earlier + flow for flow in dict.fromkeys(flows)]

    def open_ways(self, *, is_first: bool) -> list[Filters]:
        """Return the filters with which the open runs are asked for.

        Args:
            is_first: whether this is the workspace's first load, to which no run is known to be open.
        """
        found = self.found()
        times: list[Filters] = [(), *([self._started_earlier] if is_first or "startTime" in found else [])]
        lengths: list[Filters] = [(), *([ANY_LENGTH] if STATES_OR_LENGTH in found else [])]
        flows: list[Filters] = [(), OF_WORKFLOW, *([OF_NO_WORKFLOW] if STATES_OR_LENGTH in found else [])]
        return [start + flow + length for start, flow, length in itertools.product(times, flows, lengths)]

    def run_ways(self) -> list[Filters]:
        """Return the filters with which a run is asked for by its id, one after another until it is found."""
        is_explicit = STATES_OR_LENGTH in self.found()
        states: list[Filters] = [(), *([ANY_STATE] if is_explicit else [])]
        flows: list[Filters] = [(), OF_WORKFLOW, *([OF_NO_WORKFLOW] if is_explicit else [])]
        times: list[Filters] = [(), (("startTime", (1, self._horizon_ms)),)]
        return [start + flow + state for state, flow, start in itertools.product(states, flows, times)]

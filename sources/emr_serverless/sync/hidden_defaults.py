"""Detects filters that the API applies by default, from its counts.

It is not documented what a request without `isWorkflow`, `states`, `minDuration`, `startTime` or `endTime` finds. An absent
`isWorkflow` may mean `false`, an absent time range may reach back some days only. So each load counts a range of each workspace
with and without these filters. If the counts differ, both forms are requested from then on. A small workspace is compared run
by run instead, see census.py.

Every load repeats these counts: the vendor may introduce a default at any time, and the cursors would pass the runs that it
hides. One count is omitted where it cannot differ: an absent flag means `false` or both, so without a run of a workflow there
is nothing for `isWorkflow` to hide.

Two defaults could be tested only with unknown values: whether an absent `creator` means the caller, and whether an absent
`jobRunDeploymentId` excludes the runs of streaming deployments.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from ..resources.job_runs import ALL_STATES, JOB_RUNS
from .windows import DAY_MS, TIME_AXES, Filters, TimeAxis, may_be_limit

_RUNS: Final = JOB_RUNS.windowed
OF_WORKFLOW: Final[Filters] = (("isWorkflow", "true"),)
OF_NO_WORKFLOW: Final[Filters] = (("isWorkflow", "false"),)
ANY_LENGTH: Final[Filters] = (("minDuration", "0"),)
ANY_STATE: Final[Filters] = ((_RUNS.state_filter, ALL_STATES), *ANY_LENGTH)
STILL_OPEN: Final[Filters] = ((_RUNS.state_filter, _RUNS.open_states),)
# Both are tested with one request.
STATES_OR_LENGTH: Final = "states or minDuration"
# A default reach of some days does not affect shorter ranges.
SHORT_RANGE_MS: Final = 3 * DAY_MS


def may_hide_earlier_runs(first_ms: int, horizon_ms: int, *, is_first: bool) -> bool:
    """Return whether an absent time range may hide runs that the load needs.

    Of a short range it may hide runs that began long before; earlier loads, if there are any, know these as open.

    Args:
        first_ms: first millisecond of the range to certify.
        horizon_ms: the last millisecond of the load.
        is_first: whether no load has read the workspace before.
    """
    return is_first or horizon_ms - first_ms >= SHORT_RANGE_MS


class HiddenDefaults:
    """Takes the counts of a workspace with and without filters, and decides which filters must be given.

    A run that was cancelled before it started may match no range of start times, so ends are counted too.

    Args:
        start_ms: first start time of the range.
        horizon_ms: the last millisecond of the load; what an absent time range reaches is counted from the present.
        known: parameters that an earlier load found.
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
        # Runs in an undocumented state, by id: whether each has ended by the horizon.
        self._undocumented: dict[str, bool] = {}

    def probes(self, axis: TimeAxis) -> list[Filters]:
        """Return the filters to count before the range itself: runs that appear in between are then in the range's count too."""
        needs_ends = axis == "start" and may_hide_earlier_runs(self._start_ms, self._horizon_ms, is_first=self._is_first)
        ends = [self._ended, STILL_OPEN] if needs_ends else []
        return [OF_WORKFLOW, ANY_STATE, *ends]

    def further_probes(self, axis: TimeAxis) -> list[Filters]:
        """Return the filters to count after the probes: without a run of a workflow, an absent `isWorkflow` hides nothing."""
        return [OF_NO_WORKFLOW] if self._counts[axis].get(OF_WORKFLOW) else []

    @property
    def _ended(self) -> Filters:
        return ((_RUNS.end_filter, (1, self._horizon_ms)),)

    @property
    def _started_earlier(self) -> Filters:
        return ((_RUNS.start_filter, (1, self._start_ms - 1)),)

    def take(self, axis: TimeAxis, filters: Filters, count: int | None) -> None:
        """Take a count; None where the API gave none, or refused the filter."""
        self._counts[axis][filters] = count

    def range_count(self, axis: TimeAxis) -> int | None:
        """Return the API's count of an axis' whole range, without further filters."""
        return self._counts[axis].get(())

    def started_before(self, run_ids: Iterable[str], *, is_filtered: bool) -> None:
        """Take runs that started before the range: those found with a `startTime`, and those found without one."""
        self._started_before[is_filtered].update(run_ids)

    def end_is_read(self) -> None:
        """Record that all ends have been read, with and without a `startTime`; until then both sets of runs are incomplete."""
        self._is_end_read = True

    def take_undocumented(self, run_ids: Iterable[str], ends_ms: Iterable[int | None]) -> None:
        """Take runs in undocumented states that were found without filters. No count by states has them.

        As many runs that a default hides would otherwise make no difference between the counts.
        """
        for run_id, end_ms in zip(run_ids, ends_ms, strict=True):
            self._undocumented[run_id] = end_ms is not None and end_ms <= self._horizon_ms

    def found(self) -> set[str]:
        """Return the parameters whose absence hides runs, as far as is known."""
        counted = self._counted("start") | self._counted("end")
        differs = self._is_end_read and not self._started_before[True] <= self._started_before[False]
        return self._known | counted | ({_RUNS.start_filter} if differs else set())

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
        # A limit hides a difference: workflows are then always requested separately.
        if self._exceeds(axis, OF_WORKFLOW, OF_NO_WORKFLOW) or (self._may_be_limited(axis) and has_workflows):
            found.add("isWorkflow")
        # They were found on the start axis, and what is found there holds for both.
        ended = sum(self._undocumented.values()) if axis == "start" else 0
        still_open = len(self._undocumented) - ended if axis == "start" else 0
        if self._exceeds(axis, ANY_STATE, uncounted=ended + still_open):
            found.add(STATES_OR_LENGTH)
        # A run that ended by the horizon is not open now: no run is in both counts.
        if self._exceeds(axis, self._ended, STILL_OPEN, uncounted=still_open):
            found.add(_RUNS.end_filter)
        return found

    def _exceeds(self, axis: TimeAxis, *filters: Filters, uncounted: int = 0) -> bool:
        """Return whether filters find more runs than none, of which some are in no count with filters."""
        counts = [self._counts[axis].get(each) for each in filters]
        whole = self._counts[axis].get(())
        found = sum(count or 0 for count in counts)
        return whole is not None and found > 0 and found > whole - uncounted

    def ways(self, axis: TimeAxis) -> list[Filters]:
        """Return the sets of further filters with which the ranges of an axis must also be read."""
        found = self.found()
        explicit = ANY_STATE if STATES_OR_LENGTH in found else ()
        if axis == "start" and _RUNS.end_filter in found:
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

    def unsettled_ways(self) -> list[Filters]:
        """Return the sets of filters with which ranges of earlier ends are read again.

        Their runs may have started long before the range that is compared, where an absent `startTime` hides them.
        """
        ever_started: Filters = ((_RUNS.start_filter, (1, self._horizon_ms)),)
        return [ever_started + flow for flow in [(), *self.ways("end")]]

    def open_ways(self) -> list[Filters]:
        """Return the sets of filters with which the open runs are requested; in a first load no open run is known."""
        found = self.found()
        times: list[Filters] = [(), *([self._started_earlier] if self._is_first or _RUNS.start_filter in found else [])]
        lengths: list[Filters] = [(), *([ANY_LENGTH] if STATES_OR_LENGTH in found else [])]
        flows: list[Filters] = [(), OF_WORKFLOW, *([OF_NO_WORKFLOW] if STATES_OR_LENGTH in found else [])]
        return [start + flow + length for start, flow, length in itertools.product(times, flows, lengths)]

    def run_ways(self) -> list[Filters]:
        """Return the sets of filters with which a run is requested by its id, one after another until it is found."""
        is_explicit = STATES_OR_LENGTH in self.found()
        states: list[Filters] = [(), *([ANY_STATE] if is_explicit else [])]
        flows: list[Filters] = [(), OF_WORKFLOW, *([OF_NO_WORKFLOW] if is_explicit else [])]
        times: list[Filters] = [(), ((_RUNS.start_filter, (1, self._horizon_ms)),)]
        return [start + flow + state for state, flow, start in itertools.product(states, flows, times)]

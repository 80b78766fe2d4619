"""What the API may apply by itself where a filter is left out, and how its counts show it.

The documents do not say what a request without `isWorkflow`, `states`, `minDuration`, `startTime` or `endTime` finds. An absent
`isWorkflow` may mean `false`, an absent time range may reach back some days only. So each load counts a range of each workspace
without and with these filters. Where the counts differ, the workspace is asked both ways from then on.

What only an unknown value could show stays unknown: whether an absent `creator` means the caller, and whether an absent
`jobRunDeploymentId` leaves out the runs of streaming deployments.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Final

from .settings import ALL_STATES
from .windows import DAY_MS, Filters, may_be_limit

OF_WORKFLOW: Final[Filters] = (("isWorkflow", "true"),)
OF_NO_WORKFLOW: Final[Filters] = (("isWorkflow", "false"),)
ANY_LENGTH: Final[Filters] = (("minDuration", "0"),)
ANY_STATE: Final[Filters] = (("states", ALL_STATES), *ANY_LENGTH)
# Both are counted with one request.
STATES_OR_LENGTH: Final = "states or minDuration"
# A reach of some days is of no consequence to a shorter range.
SHORT_RANGE_MS: Final = 3 * DAY_MS


class HiddenDefaults:
    """Counts one workspace's range with and without filters, and says which filters must be given.

    Args:
        start_ms: first start time of the range.
        horizon_ms: its last.
        known: parameters that an earlier load found out.
    """

    def __init__(self, start_ms: int, horizon_ms: int, known: Iterable[str] = ()) -> None:
        self._start_ms = start_ms
        self._horizon_ms = horizon_ms
        self._known = set(known)
        self._counts: dict[Filters, int | None] = {}
        self._started_before: set[str] = set()

    @property
    def probes(self) -> list[Filters]:
        """What to count besides the range itself, which is counted last: runs that appear meanwhile are then in its count."""
        is_short = self._horizon_ms - self._start_ms < SHORT_RANGE_MS
        return [OF_WORKFLOW, OF_NO_WORKFLOW, ANY_STATE] + ([] if is_short else [self._ended])

    @property
    def _ended(self) -> Filters:
        return (("endTime", (1, self._horizon_ms)),)

    @property
    def _started_earlier(self) -> Filters:
        return (("startTime", (1, self._start_ms - 1)),)

    def take(self, filters: Filters, count: int | None) -> None:
        """Take a count; None where the API gave none, or refused the filter."""
        self._counts[filters] = count

    @property
    def range_count(self) -> int | None:
        """The API's count of the whole range, without further filters."""
        return self._counts.get(())

    def started_before(self, run_ids: Iterable[str], *, is_filtered: bool) -> None:
        """Take runs that started before the range: those that a `startTime` finds, and those that are found without one."""
        if is_filtered:
            self._started_before.update(run_ids)
        else:
            self._started_before.difference_update(run_ids)

    def found(self) -> set[str]:
        """Return the parameters whose absence hides runs, by all that has been taken."""
        return self._known | self._counted() | ({"startTime"} if self._started_before else set())

    def to_remember(self) -> set[str]:
        """Return those of `found` that are certain; a count that may be a limit proves nothing."""
        return (self.found() - self._counted()) | self._known if self._may_be_limited else self.found()

    @property
    def _may_be_limited(self) -> bool:
        return self.range_count is None or may_be_limit(self.range_count)

    def _counted(self) -> set[str]:
        found = set()
        has_workflows = bool(self._counts.get(OF_WORKFLOW))
        # A limit hides a difference: then workflows are asked for beside the others, whether that is needed or not.
        if self._exceeds(OF_WORKFLOW, OF_NO_WORKFLOW) or (self._may_be_limited and has_workflows):
            found.add("isWorkflow")
        if self._exceeds(ANY_STATE):
            found.add(STATES_OR_LENGTH)
        if self._exceeds(self._ended):
            found.add("endTime")
        return found

    def _exceeds(self, *filters: Filters) -> bool:
        counts = [self._counts.get(each) for each in filters]
        return self.range_count is not None and sum(count or 0 for count in counts) > self.range_count

    def ways(self, *, of_start: bool) -> list[Filters]:
        """Return with which further filters a time range must be asked too.

        Args:
            of_start: whether it is a range of start times; one of end times names `endTime` itself.
        """
        found = self.found()
        explicit = ANY_STATE if STATES_OR_LENGTH in found else ()
        if of_start and "endTime" in found:
            explicit += self._ended
        flows: list[Filters] = [()]
        if "isWorkflow" in found:
            # What is found without the filter is one of both kinds, unless other filters are left out with it.
            shows_others = not explicit and (self.range_count or 0) >= (self._counts.get(OF_NO_WORKFLOW) or 0)
            flows = [OF_WORKFLOW] if shows_others else [OF_WORKFLOW, OF_NO_WORKFLOW]
        return [flow + explicit for flow in flows if flow + explicit]

    def earlier_ways(self) -> list[Filters]:
        """Return the filters for runs of an end range that started before the start range."""
        flows = [(), OF_WORKFLOW, *self.ways(of_start=False)]
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

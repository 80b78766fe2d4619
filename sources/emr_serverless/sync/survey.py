"""The counts of a workspace's time ranges, which come before their windows. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .hidden_defaults import HiddenDefaults
from .tasks import Task, WindowResult
from .windows import COUNTED_AXES, Axis, Filters, TimeAxis, Window


class Survey:
    """Counts the range of each axis, with and without the filters that the API may apply by default.

    Args:
        region_id: where the workspace is.
        workspace_id: which one.
        ranges: by axis, the range to count, epoch milliseconds, both ends included.
        defaults: says what to count, and takes the counts.

    Attributes:
        is_whole: whether every count so far was answered, or its filter refused.
        empty: axes whose range has no run by the API's count, which certifies it.
    """

    def __init__(
        self, region_id: str, workspace_id: str, ranges: Mapping[TimeAxis, tuple[int, int]], defaults: HiddenDefaults
    ) -> None:
        self._region_id = region_id
        self._workspace_id = workspace_id
        self._ranges = ranges
        self._defaults = defaults
        self._steps = self._plan()
        self._left = 0
        self.is_whole = True
        self.empty: set[TimeAxis] = set()

    def next_tasks(self) -> list[Task]:
        """Return what to count next; empty when everything is counted."""
        tasks = next(filter(None, self._steps), [])
        self._left = len(tasks)
        return tasks

    def settle(self, result: WindowResult, *, is_refused: bool) -> bool:
        """Take a count; return whether all that were requested together have been answered.

        Args:
            result: of a window that is only counted.
            is_refused: whether the API refuses the filter of this window.
        """
        window = result.task.window
        axis = COUNTED_AXES[window.axis]
        self.is_whole &= result.error is None or is_refused
        self._defaults.take(axis, window.filters, None if result.error else result.total_count)
        if result.certified_by:
            self.empty.add(axis)
        self._left -= 1
        return not self._left

    def _plan(self) -> Iterator[list[Task]]:
        # The ranges come last, see `HiddenDefaults.probes`.
        yield [self._count(axis, filters) for axis in self._ranges for filters in self._defaults.probes(axis)]
        yield [self._count(axis, filters) for axis in self._ranges for filters in self._defaults.further_probes(axis)]
        yield [self._count(axis, ()) for axis in self._ranges]

    def _count(self, axis: TimeAxis, filters: Filters) -> Task:
        counted: Axis = "count" if axis == "start" else "count_ends"
        return Task(Window(self._region_id, self._workspace_id, counted, *self._ranges[axis], filters=filters))

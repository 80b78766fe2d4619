"""How far a time axis is certified. Pure."""

from __future__ import annotations

import heapq
from collections import Counter

from .windows import Window


class Coverage:
    """How far one axis of one workspace is certified: which windows are still to be read, and which failed.

    Several windows may begin at the same millisecond: one range with different filters.

    Args:
        start_ms: first millisecond of the range that this load reads.
        end_ms: its last millisecond.
    """

    def __init__(self, start_ms: int, end_ms: int) -> None:
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._heap: list[int] = []
        self._pending: Counter[int] = Counter()
        self._uncertified_ms = end_ms + 1

    def expect(self, window: Window) -> None:
        """Record that a window of this range is to be read."""
        self._pending[window.bounds[0]] += 1
        heapq.heappush(self._heap, window.bounds[0])

    def replace(self, window: Window, parts: list[Window]) -> None:
        """Record that the parts of a window are to be read instead of it."""
        self._pending[window.bounds[0]] -= 1
        for part in parts:
            self.expect(part)

    def settle(self, window: Window, *, certified: bool) -> None:
        """Record that a window has been read, successfully or not."""
        self._pending[window.bounds[0]] -= 1
        if not certified:
            self._uncertified_ms = min(self._uncertified_ms, window.bounds[0])

    @property
    def pending_ms(self) -> int:
        """First millisecond of the oldest window that is not settled; past the end when all are."""
        while self._heap and not self._pending[self._heap[0]]:
            del self._pending[heapq.heappop(self._heap)]
        return self._heap[0] if self._heap else self._end_ms + 1

    @property
    def is_settled(self) -> bool:
        """Whether all windows have been read."""
        return self.pending_ms > self._end_ms

    @property
    def through_ms(self) -> int:
        """Last millisecond up to which everything is certified; one before the start when nothing is."""
        return max(self._start_ms - 1, min(self.pending_ms, self._uncertified_ms) - 1)

"""The final runs that a load has read, by the day of their end: what a window of end times may find again. Pure."""

from __future__ import annotations

from .windows import DAY_MS


class KnownRuns:
    """Counts the runs of one workspace by end time."""

    def __init__(self) -> None:
        self._ends_by_day: dict[int, dict[str, int]] = {}

    def add(self, run_id: str, end_ms: int) -> None:
        """Add a run with its end, epoch milliseconds."""
        self._ends_by_day.setdefault(end_ms // DAY_MS, {})[run_id] = end_ms

    def forget_before(self, oldest_ms: int) -> None:
        """Drop the days before a time that is no longer counted."""
        for day in [day for day in self._ends_by_day if day < oldest_ms // DAY_MS]:
            del self._ends_by_day[day]

    def count(self, first_ms: int, last_ms: int) -> int:
        """Return how many runs ended in a range, both ends included."""
        days = [ends for day, ends in self._ends_by_day.items() if first_ms // DAY_MS <= day <= last_ms // DAY_MS]
        return sum(first_ms <= end_ms <= last_ms for ends in days for end_ms in ends.values())

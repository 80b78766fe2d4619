"""The time of the emulated data. Signatures and dates of requests are checked against the real clock."""

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """A clock that tests and demonstrations move.

    Args:
        now_ms: The time it shows first, epoch milliseconds.
        running: Whether it advances with real time; otherwise it shows the same time until it is moved.
    """

    def __init__(self, now_ms: int, *, running: bool = False) -> None:
        self._lock = threading.Lock()
        self._shown_ms = now_ms
        self._running = running
        self._moved_at_ns = time.monotonic_ns()

    def now_ms(self) -> int:
        """The time, epoch milliseconds."""
        with self._lock:
            passed_ns = time.monotonic_ns() - self._moved_at_ns if self._running else 0
            return self._shown_ms + passed_ns // 1_000_000

    def now(self) -> datetime:
        """The time as a datetime in UTC."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def move_to(self, when: int | datetime) -> None:
        """Set the time, forwards or backwards.

        Args:
            when: Epoch milliseconds, or a datetime with a time zone.

        Raises:
            ValueError: The datetime has no time zone.
        """
        moved_to_ms = epoch_ms(when)
        with self._lock:
            self._shown_ms = moved_to_ms
            self._moved_at_ns = time.monotonic_ns()

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Advance the time."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        self.move_to(self.now_ms() + step // timedelta(milliseconds=1))


def epoch_ms(when: int | datetime) -> int:
    """Epoch milliseconds of `when`.

    Args:
        when: Epoch milliseconds already, or a datetime with a time zone.

    Raises:
        ValueError: The datetime has no time zone.
    """
    if isinstance(when, int):
        return when
    if when.tzinfo is None:
        raise ValueError(f"{when.isoformat()} has no time zone; give one, for example tzinfo=UTC")
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)

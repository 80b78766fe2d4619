"""How many requests may be in flight: additive increase, multiplicative decrease, and an optional rate.

A quota that is shared with other users is unknown and varies, so it is probed as in TCP: throttling halves the number of
requests in flight, a round of successes raises it by one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Throttle:
    """A gate in front of the API, shared by all threads of one load.

    Args:
        max_in_flight: the maximum, and the initial value.
        requests_per_second: a fixed limit, where the quota is known; None for no limit.
        wait: sleeps for the seconds it is given; returns true when the load is being stopped.
        monotonic: seconds of a monotonic clock.
    """

    def __init__(
        self,
        max_in_flight: int,
        requests_per_second: float | None = None,
        *,
        wait: Callable[[float], bool],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ceiling = max_in_flight
        self._interval = 1.0 / requests_per_second if requests_per_second else 0.0
        self._wait = wait
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._successes = 0
        self._epoch = 0
        self._next_send = 0.0
        self.limit = max_in_flight
        self.in_flight = 0
        self.throttlings = 0

    def now(self) -> float:
        """Return the seconds of the monotonic clock."""
        return self._monotonic()

    @contextmanager
    def slot(self) -> Iterator[int]:
        """Hold one of the slots; yields the epoch to pass to `throttled` or `succeeded`."""
        with self._changed:
            while self.in_flight >= self.limit:
                self._changed.wait()
            self.in_flight += 1
            epoch = self._epoch
            delay = self._reserve_send()
        try:
            if delay > 0:
                self._wait(delay)
            yield epoch
        finally:
            with self._changed:
                self.in_flight -= 1
                self._changed.notify_all()

    def _reserve_send(self) -> float:
        now = self._monotonic()
        self._next_send = max(self._next_send, now) + self._interval
        return self._next_send - self._interval - now

    def throttled(self, epoch: int) -> None:
        """Halve the number in flight, once for all requests that were sent before the last halving."""
        with self._changed:
            self.throttlings += 1
            if epoch == self._epoch:
                self._epoch += 1
                self._successes = 0
                self.limit = max(1, self.limit // 2)

    def succeeded(self, epoch: int) -> None:
        """Raise the number in flight by one after a whole round of successes, all sent after the last halving."""
        with self._changed:
            if epoch != self._epoch:
                return
            self._successes += 1
            if self._successes >= self.limit and self.limit < self._ceiling:
                self._successes = 0
                self.limit += 1
                self._changed.notify_all()

"""Loads that share a quota use all of it in equal parts: several clients on a simulated clock."""

from __future__ import annotations

import heapq
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from answers import START, refusal, rows
from emr_serverless.api.client import Client, RequestStats
from emr_serverless.api.credentials import AccessKey
from emr_serverless.resources.job_runs import JOB_RUNS

CONNECTIONS = 8
PAGES = 150
LATENCY_SECONDS = 0.1


class VirtualTime(threading.Event):
    """A clock for threads: when all of them wait, it moves on to the end of the shortest wait."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.now = 0.0
        self._running = threads
        self._ends: list[float] = []
        self._moved = threading.Condition()

    def wait(self, timeout: float | None = None) -> bool:
        with self._moved:
            end = self.now + (timeout or 0.0)
            heapq.heappush(self._ends, end)
            self._count(-1)
            while self.now < end:
                self._moved.wait()
        return False

    def add(self, threads: int) -> None:
        """Say that threads begin to run, or that one stops to wait for something else than time, or for good."""
        with self._moved:
            self._count(threads)

    def _count(self, change: int) -> None:
        self._running += change
        if self._running or not self._ends:
            return
        self.now = max(self.now, self._ends[0])
        while self._ends and self._ends[0] <= self.now:
            heapq.heappop(self._ends)
            self._running += 1
        self._moved.notify_all()


class WatchedCondition(threading.Condition):
    """A condition whose waiting threads do not keep the clock from moving."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._time = time
        self._waiting = 0

    def wait(self, timeout: float | None = None) -> bool:
        self._waiting += 1
        self._time.add(-1)
        return super().wait(timeout)

    def notify_all(self) -> None:
        self._time.add(self._waiting)
        self._waiting = 0
        super().notify_all()


class SharedQuota(httpx.BaseTransport):
    """Answers each client after the same latency, and throttles what is beyond the rate of all; a second's worth may be saved."""

    def __init__(self, time: VirtualTime, per_second: float) -> None:
        self._time = time
        self._per_second = per_second
        self._allowance = per_second
        self._at = 0.0
        self._lock = threading.Lock()
        self.answered: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._time.wait(LATENCY_SECONDS)
        with self._lock:
            earned = (self._time.now - self._at) * self._per_second
            self._allowance = min(self._per_second, self._allowance + earned)
            self._at = self._time.now
            if self._allowance < 1:
                return refusal(400, "Throttling.User")(request)
            self._allowance -= 1
            self.answered.append(request.url.host)
            return rows("jr-1")(request)


@pytest.mark.parametrize(("workers", "per_second"), [(4, 10.0), (8, 20.0)])
def test_workers_share_the_quota_and_finish_in_the_time_that_it_allows(workers: int, per_second: float) -> None:
    time = VirtualTime(workers * CONNECTIONS)
    quota = SharedQuota(time, per_second)

    def client(number: int) -> Client:
        made = Client(
            provide_key=lambda: AccessKey("LTAI-test", "secret"),
            clock=lambda: START,
            endpoint=f"https://worker-{number}",
            max_connections=CONNECTIONS,
            stop=time,
            jitter=random.Random(number).random,
            transport=quota,
        )
        made.throttle._changed = WatchedCondition(time)  # noqa: SLF001  # where its threads wait for each other
        return made

    def load(client: Client, left: Iterator[int]) -> None:
        try:
            for _ in left:
                client.fetch_page(JOB_RUNS, "cn-hangzhou", "w-1", RequestStats())
        finally:
            time.add(-1)

    with ThreadPoolExecutor(workers * CONNECTIONS) as pool:
        work = [(client(number), iter(range(PAGES))) for number in range(workers)]
        for future in [pool.submit(load, *each) for each in work for _ in range(CONNECTIONS)]:
            future.result()

    assert Counter(quota.answered) == {f"worker-{number}": PAGES for number in range(workers)}
    computed_seconds = workers * PAGES / per_second - 1
    assert computed_seconds <= time.now <= 1.3 * computed_seconds
    assert fairness(quota.answered, workers) > 0.75


def fairness(answered: list[str], workers: int) -> float:
    """Return how equal the shares are until the first worker ends: 1 for equal ones, 1/n if one of n workers gets everything."""
    last = {worker: place for place, worker in enumerate(answered)}
    shares = Counter(answered[: min(last.values()) + 1]).values()
    return sum(shares) ** 2 / (workers * sum(share**2 for share in shares))

"""The pool holds a bounded number of pages, raises the errors of its threads, and can be closed at any time."""

from __future__ import annotations

import queue
import threading
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from answers import START, Answer, ScriptedApi, reply, rows
from emr_serverless.sync.tasks import Rows, Task, WindowResult
from emr_serverless.sync.windows import Window
from emr_serverless.sync.workers import PAGES_HELD_PER_CONNECTION, WorkerPool

WINDOW = Window("cn-hangzhou", "w-1", "end", 5, 5)
PATIENCE = 60


def endless(request: httpx.Request) -> httpx.Response:
    """Answer with the page after the one that was asked for."""
    number = int(request.url.params.get("nextToken", "0"))
    return rows(f"jr-{number}", total=10**6, token=str(number + 1))(request)


def pool_of(answer: Answer, threads: int, **settings: Any) -> tuple[ScriptedApi, WorkerPool]:
    api = ScriptedApi(answer, **settings)
    return api, WorkerPool(api.client, lambda: START, threads, 5_000)


def window_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("window-")]


def join_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(timeout=PATIENCE)
        assert not thread.is_alive()


def test_pages_are_not_fetched_beyond_the_bound_while_none_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    refused: set[int] = set()
    all_refused = threading.Event()

    class WatchedQueue(queue.Queue[Any]):
        """Tells when every thread has found it full."""

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002  # queue's
            try:
                super().put(item, block, timeout)
            except queue.Full:
                refused.add(threading.get_ident())
                if len(refused) == 3:
                    all_refused.set()
                raise

    monkeypatch.setattr("emr_serverless.sync.workers.queue.Queue", WatchedQueue)
    api, pool = pool_of(endless, threads=3)
    started = window_threads()
    for _ in range(3):
        pool.submit(Task(WINDOW))
    assert all_refused.wait(PATIENCE)
    # What is queued, and the page in each thread's hands.
    assert len(api.requests) == 3 * PAGES_HELD_PER_CONNECTION + 3
    pool.close()
    join_all(started)


def test_taking_a_page_lets_one_more_be_fetched() -> None:
    api, pool = pool_of(endless, threads=1)
    pool.submit(Task(WINDOW))
    received = [pool.receive() for _ in range(20)]
    pool.close()
    assert [message.records.column("jobRunId")[0] for message in received if isinstance(message, Rows)] == [
        f"jr-{n}" for n in range(20)
    ]
    assert 20 <= len(api.requests) <= 20 + PAGES_HELD_PER_CONNECTION + 1


def test_the_result_follows_the_pages_of_its_window() -> None:
    api, pool = pool_of(rows("jr-1", total=1), threads=2)
    pool.submit(Task(WINDOW))
    first, second = pool.receive(), pool.receive()
    pool.close()
    assert isinstance(first, Rows)
    assert isinstance(second, WindowResult)
    assert (second.started_at, second.finished_at) == (START, START)
    assert len(api.requests) == 1


def test_an_exception_in_a_thread_reaches_the_driving_thread() -> None:
    def broken_provider() -> Any:
        raise KeyError("a defect of ours")

    _, pool = pool_of(rows(), threads=1, provide_key=broken_provider)
    pool.submit(Task(WINDOW))
    with pytest.raises(KeyError, match="a defect of ours"):
        pool.receive()
    pool.close()


def test_closing_stops_idle_and_blocked_threads() -> None:
    before = set(window_threads())
    _, idle = pool_of(rows(), threads=2)
    _, busy = pool_of(endless, threads=2)
    started = [thread for thread in window_threads() if thread not in before]
    assert len(started) == 4
    busy.submit(Task(WINDOW))
    busy.receive()
    idle.close()
    busy.close()
    join_all(started)


def test_threads_do_not_delay_the_exit() -> None:
    before = set(window_threads())
    _, pool = pool_of(rows(), threads=2)
    daemons = [thread.daemon for thread in window_threads() if thread not in before]
    pool.close()
    assert daemons == [True, True]


def test_closing_interrupts_backoff() -> None:
    waiting = threading.Event()
    stop = threading.Event()

    class Waits(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waiting.set()
            return stop.wait(PATIENCE) or super().wait(timeout)

        def set(self) -> None:
            super().set()
            stop.set()

    before = set(window_threads())
    api, pool = pool_of(reply(500, {"Code": "InternalError"}), threads=1, stop=Waits())
    started = [thread for thread in window_threads() if thread not in before]
    pool.submit(Task(WINDOW))
    assert waiting.wait(PATIENCE)
    pool.close()
    join_all(started)
    assert len(api.requests) == 1


def test_result_times_come_from_the_given_clock() -> None:
    moments = iter([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)])
    api = ScriptedApi(rows("jr-1", total=1))
    pool = WorkerPool(api.client, lambda: next(moments), 1, 5_000)
    pool.submit(Task(WINDOW))
    pool.receive()
    result = pool.receive()
    pool.close()
    assert isinstance(result, WindowResult)
    assert (result.started_at, result.finished_at) == (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))

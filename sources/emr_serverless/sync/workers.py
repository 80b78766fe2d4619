"""The pool of threads that reads windows in parallel.

The threads only send requests and decode; the one thread that drives the load turns rows into tables. Both queues are bounded, so
that memory depends on the pool and not on the history.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from ..api.client import Client
from .tasks import Rows, Task, WindowResult
from .window_reader import WindowReader
from .windows import COUNTED_AXES

# The longest time that closing waits for requests that are in flight.
CLOSE_SECONDS: Final = 1.0
# Pages that wait for the driving thread, for each connection: enough to keep it busy, and the bound of what is in memory.
PAGES_HELD_PER_CONNECTION: Final = 16

Message = Rows | WindowResult | BaseException


class WorkerPool:
    """Reads windows in parallel.

    Args:
        client: sends the requests.
        clock: the real time, UTC.
        threads: windows read at the same time.
        window_rows: a divisible window with more rows than this is split instead of read.
    """

    def __init__(self, client: Client, clock: Callable[[], datetime], threads: int, window_rows: int) -> None:
        self._client = client
        self._clock = clock
        self._window_rows = window_rows
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._messages: queue.Queue[Message] = queue.Queue(maxsize=threads * PAGES_HELD_PER_CONNECTION)
        # Daemons: Ctrl-C must not wait for a request that hangs.
        self._threads = [threading.Thread(target=self._work, name=f"window-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        """Queue a window; `receive` returns its pages and then its result."""
        self._tasks.put(task)

    def receive(self) -> Rows | WindowResult:
        """Wait for the next page or result.

        Raises:
            BaseException: what a thread raised; the pool cannot be used afterwards.
        """
        message = self._messages.get()
        if isinstance(message, BaseException):
            raise message
        return message

    def close(self) -> None:
        """Stop the threads and drop their results, after a short wait for requests that are in flight."""
        self._client.stop.set()
        for _ in self._threads:
            self._tasks.put(None)
        # A connection that is opened while the client is being closed would stay open.
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._client.close()

    def join(self) -> None:
        """Wait for the threads of a pool that is closed and idle."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._client.stop.is_set():
            try:
                for message in self._read(task):
                    if not self._hand_over(message):
                        return
            except BaseException as error:  # noqa: BLE001  # a thread's failure must reach the driving thread
                self._hand_over(error)
                return

    def _hand_over(self, message: Message) -> bool:
        while not self._client.stop.is_set():
            try:
                self._messages.put(message, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def _read(self, task: Task) -> Iterator[Rows | WindowResult]:
        reader = WindowReader(self._client, task, self._window_rows)
        reader.result.started_at = self._clock()
        if task.window.axis in COUNTED_AXES:
            reader.count()
        elif task.is_whole:
            yield from reader.read_whole()
        else:
            yield from reader.read()
        reader.result.finished_at = self._clock()
        yield reader.result

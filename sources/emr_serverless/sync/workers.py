"""The pool of threads: windows in, pages out, bounded.

Threads only ask and decode; the one thread that drives the sweep turns rows into tables. Both queues are bounded, so that memory
depends on the pool and not on the history.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ..api.client import Client, Page, RequestStats
from ..api.errors import (
    EmrServerlessError,
    ReachEndpointError,
    ReportToVendorError,
    RestartWindowError,
    TryLaterError,
)
from ..arrow.decode import Records
from ..resources import RESOURCES
from ..resources.declaration import Token
from ..resources.workspaces import WORKSPACES
from ..settings import LARGE_COUNT, OPEN_READS, PAGE_ROWS, PROBE_ROWS, WINDOW_READS
from .windows import (
    COUNTED_AXES,
    TIME_AXES,
    Status,
    Window,
    is_certified,
    is_divisible,
    may_be_limit,
    parts_needed,
    split_window,
)

_RESOURCES: Final = {resource.table: resource for resource in RESOURCES}
# These may pass when the window is read again; the others hold for every request of the workspace or of the load.
RETRYABLE_ERRORS: Final = (TryLaterError, ReachEndpointError, ReportToVendorError)
# Reads in a row without a new name after which the open runs are believed.
QUIET_READS: Final = 2
# Parts that a window with missing rows is split into at most.
MOST_SHORT_PARTS: Final = 64
# Runs of one range of this width are taken for a burst and not looked at more closely. Milliseconds.
BURST_MS: Final = 1_000
# How long closing waits for requests that are under way, at most.
CLOSE_SECONDS: Final = 1.0
# Pages that wait for the driving thread, for each connection: enough to keep it busy, and the bound of what is held.
PAGES_HELD_PER_CONNECTION: Final = 2


@dataclass(frozen=True)
class Task:
    """One window to read.

    Attributes:
        window: what to ask.
        known_runs: distinct runs of this window that the load has seen already, where an equal count of the API's certifies it.
        range_count: the API's count of the whole range of start times, if known; a count below it is no limit of the API's.
        splits_short: whether to split the window when it comes out short, instead of reading it again.
        is_whole: whether the window is of use only if one page holds all of it; it is then neither split nor read again.
    """

    window: Window
    known_runs: int | None = None
    range_count: int | None = None
    splits_short: bool = True
    is_whole: bool = False


@dataclass(frozen=True)
class Rows:
    """One page's rows of a window."""

    task: Task
    records: Records
    observed_at: datetime


@dataclass
class WindowResult:
    """How the reading of a window ended; the stuff of one `extraction_windows` row.

    Attributes:
        task: what was read.
        started_at: when the first request was sent, UTC; None before it.
        finished_at: when the verdict fell.
        status: complete, short or failed; None when the window was split instead of read.
        parts: the windows to read in its place, when it was split.
        is_short_split: whether it was split because rows were missing.
        certified_by: `pages` when its rows were read, `count` when the API's count equals the runs known already.
        total_count: the API's own count on the last page that gave one.
        rows_received: rows of all pages, doubles included.
        rows_distinct: distinct runs received, or known where certified by count.
        pages: pages received.
        attempts: times the window was read from its beginning.
        error: what the last read failed of.
    """

    task: Task
    started_at: datetime | None = None
    finished_at: datetime | None = None
    status: Status | None = None
    parts: list[Window] = field(default_factory=list)
    is_short_split: bool = False
    certified_by: str | None = None
    total_count: int | None = None
    rows_received: int = 0
    rows_distinct: int = 0
    pages: int = 0
    attempts: int = 0
    request_stats: RequestStats = field(default_factory=RequestStats)
    error: EmrServerlessError | None = None

    @property
    def audited_axis(self) -> str:
        """How the audit names the axis: a count of no run at all is the certificate of its range."""
        window = self.task.window
        return COUNTED_AXES[window.axis] if window.axis in COUNTED_AXES and self.certified_by else window.audited_axis

    def __str__(self) -> str:
        """What was not complete, and why, in words."""
        if self.error:
            # A workspace that is not there is the window and the error.
            is_named_there = self.task.window.resource == WORKSPACES.table and self.task.window.workspace_id != "*"
            return str(self.error) if is_named_there else f"{self.task.window}: {self.error}"
        counted = "the API gives no count" if self.total_count is None else f"the API counts {self.total_count:,}"
        return f"{self.task.window}: {self.rows_distinct:,} received, {counted}"


Message = Rows | WindowResult | BaseException


class WorkerPool:
    """Reads windows in parallel.

    Args:
        client: asks the API.
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
        # Daemons: after Ctrl-C nobody waits for a request that hangs.
        self._threads = [threading.Thread(target=self._work, name=f"window-{n}", daemon=True) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Task) -> None:
        """Queue a window; its pages and then its result come out of `receive`."""
        self._tasks.put(task)

    def receive(self) -> Rows | WindowResult:
        """Wait for the next page or result.

        Raises:
            BaseException: whatever broke a thread; the pool is of no use after that.
        """
        message = self._messages.get()
        if isinstance(message, BaseException):
            raise message
        return message

    def close(self) -> None:
        """Stop the threads; what they hold is dropped. Requests that are answered at once are waited for."""
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


class WindowReader:
    """Reads one window until it is certified, split, or given up; `result` tells how it ended."""

    def __init__(self, client: Client, task: Task, window_rows: int) -> None:
        self._client = client
        self._window_rows = window_rows
        self._window = task.window
        self._keys: set[str] = set()
        self._quiet_reads = 0
        self.result = WindowResult(task)

    def read(self) -> Iterator[Rows]:
        """Yield the window's rows, page by page."""
        result = self.result
        for result.attempts in range(1, (OPEN_READS if self._window.axis == "open" else WINDOW_READS) + 1):
            known = len(self._keys)
            try:
                pages = yield from self._read_once()
            except RestartWindowError as error:
                # Half the window is read in half the time, before its tokens expire too.
                if self._window.axis != "open" and is_divisible(self._window):
                    result.parts = split_window(self._window, 2)
                else:
                    result.error = error
            except RETRYABLE_ERRORS as error:
                result.error = error
            except EmrServerlessError as error:
                result.error = error
                break
            else:
                self._conclude(pages, known)
            if result.parts:
                return
            if result.status:
                break
        result.status = result.status or ("failed" if result.error else "short")
        if result.certified_by != "count":
            result.rows_distinct = len(self._keys)

    def _conclude(self, pages: int, known: int) -> None:
        """Certify the window or split it, if what was read allows either."""
        result = self.result
        if result.parts:
            return
        if result.certified_by or self._is_complete(pages, known):
            result.status = "complete"
            result.certified_by = result.certified_by or "pages"
        else:
            self._split_if_short()

    def _is_complete(self, pages: int, known: int) -> bool:
        total = self.result.total_count
        is_counted = isinstance(_RESOURCES[self._window.resource].paging, Token)
        certified = is_certified(len(self._keys), total) or (total is None and not is_counted)
        if self._window.axis != "open":
            return certified and not self._is_limit_in_doubt()
        # Open runs end while they are read, and with offset tokens each end lifts another run over a page's edge. One page is
        # one moment and cannot be torn; several pages are believed when two reads in a row name nothing new.
        self._quiet_reads = self._quiet_reads + 1 if len(self._keys) == known else 0
        return certified and (pages == 1 or self._quiet_reads == QUIET_READS)

    def _is_limit_in_doubt(self) -> bool:
        """Return whether the count may be the API's limit, although it equals the rows or is below them."""
        rows, total = len(self._keys), self.result.total_count or 0
        if self._window.axis not in TIME_AXES:
            return False
        if not is_divisible(self._window):
            return rows == total >= LARGE_COUNT and may_be_limit(total)
        range_count = self.result.task.range_count
        return rows > total and (range_count is None or total >= range_count)

    def _split_if_short(self) -> None:
        """Split a window whose rows are fewer than their count, where that may bring the others."""
        result, window = self.result, self._window
        rows, total = len(self._keys), result.total_count
        if not result.task.splits_short or not rows or total is None or not is_divisible(window):
            return
        if window.axis == "open" and (self._quiet_reads < QUIET_READS or rows >= total):
            return
        result.parts = split_window(window, min(parts_needed(total, rows), MOST_SHORT_PARTS))
        result.is_short_split = True

    def count(self) -> None:
        """Learn how many runs the API counts; no row is kept."""
        result = self.result
        result.attempts = 1
        try:
            page = self._fetch(None, PROBE_ROWS)
        except EmrServerlessError as error:
            result.error = error
        else:
            is_empty = page.total_count == 0 and not page.records and page.next_token is None
            result.certified_by = "count" if is_empty and not self._window.filters else None
        result.status = "failed" if result.error else "complete"

    def read_whole(self) -> Iterator[Rows]:
        """Yield the window's rows if one page has as many as the API counts, and their number cannot be a limit."""
        result = self.result
        result.attempts = 1
        try:
            page = self._fetch(None, PAGE_ROWS)
        except EmrServerlessError as error:
            result.error, result.status = error, "failed"
            return
        rows = self._take(page)
        result.rows_distinct = len(self._keys)
        is_whole = page.next_token is None and page.total_count == len(self._keys) and not may_be_limit(page.total_count)
        if is_whole:
            result.status, result.certified_by = "complete", "pages"
            yield rows
        else:
            result.status = "short"

    def _read_once(self) -> Generator[Rows, None, int]:
        """Read all pages once; return how many there were."""
        result, known_runs = self.result, self.result.task.known_runs
        result.error = None
        if known_runs is not None and result.attempts == 1:
            page = self._fetch(None, PROBE_ROWS)
            yield self._take(page)
            if not page.next_token:
                return 1
            if page.total_count == known_runs:
                result.certified_by = "count"
                result.rows_distinct = known_runs
                return 1
        tokens: set[str | None] = {None}
        token = None
        while True:
            page = self._fetch(token, PAGE_ROWS)
            if len(tokens) == 1:
                result.parts = self._parts(page)
                if result.parts:
                    return 1
            self._refuse_loops(page, tokens)
            yield self._take(page)
            token = page.next_token
            if token is None:
                return len(tokens)
            tokens.add(token)

    def _fetch(self, token: str | None, max_results: int) -> Page:
        page = self._ask(self._window, token, max_results)
        self.result.pages += 1
        if page.total_count is not None:
            self.result.total_count = page.total_count
        return page

    def _ask(self, window: Window, token: str | None, max_results: int) -> Page:
        request_stats = self.result.request_stats
        return self._client.fetch_page(
            _RESOURCES[window.resource],
            window.region_id,
            window.workspace_id,
            request_stats,
            window.asked,
            next_token=token,
            max_results=max_results,
        )

    def _parts(self, first_page: Page) -> list[Window]:
        """Return the windows to read in the place of one whose first page says that it is too large, or may be cut off."""
        window, total = self._window, first_page.total_count
        if total is None or not is_divisible(window):
            return []
        if window.axis == "open":
            return split_window(window, 0) if total >= LARGE_COUNT and may_be_limit(total) else []
        if total > self._window_rows:
            return split_window(window, parts_needed(total, self._window_rows))
        if self._is_count_suspicious(first_page, total) and not self._adds_up(total):
            return split_window(window, 2)
        return []

    def _is_count_suspicious(self, first_page: Page, total: int) -> bool:
        if len(first_page.records) > total or may_be_limit(total):
            return True
        range_count = self.result.task.range_count
        return first_page.next_token is not None and range_count is not None and total >= range_count

    def _adds_up(self, total: int) -> bool:
        """Return whether the counts of the window's halves add up to its own: a limit of the API's would not."""
        window = self._window
        while is_divisible(window) and window.bounds[1] - window.bounds[0] > BURST_MS:
            halves = split_window(window, 2)
            counts = [self._ask(half, None, PROBE_ROWS).total_count or 0 for half in halves]
            if sum(counts) > total:
                return False
            if all(counts) or not any(counts):
                return True
            # One half counts as many as the whole did: a limit would show itself like this, too.
            window = halves[0] if counts[0] else halves[1]
        return not (total >= LARGE_COUNT and may_be_limit(total))

    def _refuse_loops(self, page: Page, tokens: set[str | None]) -> None:
        if page.next_token is None:
            return
        if page.next_token in tokens:
            raise ReportToVendorError(f"The API repeated a page token for {self._window}", code="RepeatedToken")
        if not page.records:
            raise ReportToVendorError(f"The API sent an empty page with a token for {self._window}", code="EmptyPage")

    def _take(self, page: Page) -> Rows:
        key = str(_RESOURCES[self._window.resource].row_id.path)
        self.result.rows_received += len(page.records)
        self._keys.update(filter(None, page.records.column(key)))
        return Rows(self.result.task, page.records, page.observed_at)

"""Reads one window: its pages, its count, and whether both agree."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from ..api.client import Client, Page
from ..api.errors import (
    EmrServerlessError,
    ReachEndpointError,
    ReportToVendorError,
    RestartWindowError,
    TryLaterError,
)
from ..resources import RESOURCES
from ..resources.declaration import Token
from ..settings import LARGE_COUNT, OPEN_READS, PAGE_ROWS, PROBE_ROWS, WINDOW_READS
from .tasks import Rows, Task, WindowResult
from .windows import TIME_AXES, Window, is_certified, is_divisible, may_be_limit, parts_needed, split_window

_RESOURCES: Final = {resource.table: resource for resource in RESOURCES}
# A second read of the window may succeed; other errors hold for every request of the workspace or of the load.
RETRYABLE_ERRORS: Final = (TryLaterError, ReachEndpointError, ReportToVendorError)
# Consecutive reads without a new run after which the list of open runs is accepted.
QUIET_READS: Final = 2
# The most parts that a window with missing rows is split into.
MOST_SHORT_PARTS: Final = 64
# Runs of one range of this width are taken for a burst and not looked at more closely. Milliseconds.
BURST_MS: Final = 1_000


class WindowReader:
    """Reads one window until it is certified, split or given up; `result` says how it ended.

    Args:
        client: sends the requests.
        task: what to read.
        window_rows: a divisible window with more rows than this is split instead of read.
    """

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
        """Return the windows to read instead of one whose first page shows that it is too large, or may be cut off."""
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
            # One half counts as many as the whole did: a limit would look the same.
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

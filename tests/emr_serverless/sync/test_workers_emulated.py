"""The pool against the emulator, two rows per page: every run is found under every variant of the API."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from emr_serverless.api.client import Client
from emr_serverless.api.credentials import AccessKey
from emr_serverless.sync.tasks import Rows, Task, WindowResult
from emr_serverless.sync.windows import Window, is_divisible
from emr_serverless.sync.workers import WorkerPool
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Faults, Run, State, Variants

DAY_MS = 86_400_000
FIRST = 1_767_225_600_000
NOW = FIRST + 2 * DAY_MS
DAY = Window("cn-hangzhou", "w-1", "start", FIRST, FIRST + DAY_MS - 1)
# A scheduler's midnight in one millisecond, both edges of the day, a crowd, and single runs.
SUBMITTED = [
    *[FIRST] * 7,
    *[FIRST + 3_600_000 + second * 1000 for second in range(9)],
    *[FIRST + DAY_MS // 2, FIRST + DAY_MS // 2 + 1, FIRST + DAY_MS - 1],
]
OUTSIDE = [FIRST - 1, FIRST - 2, FIRST + DAY_MS, FIRST + DAY_MS + 1]


def run(number: int, submit_ms: int) -> Run:
    return Run("w-1", f"jr-{number:02d}", submit_ms, start_ms=submit_ms, end_ms=submit_ms + 1000)


INSIDE_IDS = {f"jr-{number:02d}" for number in range(len(SUBMITTED))}


def account() -> State:
    state = State()
    state.add_workspace("w-1")
    state.add(*(run(number, submit_ms) for number, submit_ms in enumerate([*SUBMITTED, *OUTSIDE])))
    return state


@contextmanager
def emulated(variants: Variants | None = None, **faults: Any) -> Iterator[Emulator]:
    with Emulator(account(), Clock(NOW), variants=variants, faults=Faults(**faults), page_limit=2) as emulator:
        yield emulator
        assert emulator.failures == []


def read_windows(
    emulator: Emulator, window: Window, *, window_rows: int = 5_000, threads: int = 4
) -> tuple[set[str], list[WindowResult]]:
    """Read a window and whatever it is split into; return the runs found and the results."""
    client = Client(
        provide_key=lambda: AccessKey(DEFAULT_KEY.id, DEFAULT_KEY.secret),
        clock=lambda: datetime.now(UTC),
        endpoint=emulator.url,
        max_connections=threads,
        jitter=lambda: 0.0,
    )
    pool = WorkerPool(client, lambda: datetime.now(UTC), threads, window_rows)
    found: set[str] = set()
    results: list[WindowResult] = []
    outstanding = 1
    pool.submit(Task(window))
    while outstanding:
        message = pool.receive()
        if isinstance(message, Rows):
            found |= {*message.records.column("jobRunId")}
            continue
        results.append(message)
        outstanding += len(message.parts) - 1
        for part in message.parts:
            pool.submit(Task(part))
    pool.close()
    return found, results


READINGS = [
    Variants(),
    Variants(bounds="exclusive", order="oldest"),
    Variants(bounds="half_open", tokens="cursor"),
    Variants(short_pages=True, last_page="null"),
    Variants(short_pages=True, tokens="cursor", order="oldest", last_page="empty"),
    Variants(last_page="empty", bounds="half_open"),
    Variants(start_filter="actual_start", bounds="exclusive"),
    Variants(tokens="expiring", token_uses=2),
    Variants(tokens="expiring", token_uses=3, expiry_counts_from="issue"),
]


@pytest.mark.parametrize("window_rows", [5_000, 5, 3])
@pytest.mark.parametrize("variants", READINGS[:-2])
def test_every_run_of_the_window_is_found(variants: Variants, window_rows: int) -> None:
    with emulated(variants) as emulator:
        found, results = read_windows(emulator, DAY, window_rows=window_rows)
    assert found >= INSIDE_IDS
    read = [result for result in results if not result.parts]
    assert {result.status for result in read} == {"complete"}
    assert any(result.pages >= 3 for result in read)


@pytest.mark.parametrize("variants", READINGS[:-2])
def test_windows_are_split_by_count_down_to_one_millisecond(variants: Variants) -> None:
    with emulated(variants) as emulator:
        _, results = read_windows(emulator, DAY, window_rows=3)
    read = [result for result in results if not result.parts]
    bounds = sorted(result.task.window.bounds for result in read)
    assert bounds[0][0] == FIRST
    assert bounds[-1][1] == FIRST + DAY_MS - 1
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(bounds))
    for result in read:
        assert result.total_count is not None
        assert result.total_count <= 3 or not is_divisible(result.task.window)
    assert (FIRST, FIRST) in bounds


@pytest.mark.parametrize("variants", READINGS[-2:])
def test_expired_tokens_split_windows_until_they_can_be_read(variants: Variants) -> None:
    with emulated(variants) as emulator:
        found, results = read_windows(emulator, DAY, threads=1)
    split = [result for result in results if result.parts]
    failed = [result for result in results if result.status == "failed"]
    if variants.expiry_counts_from == "issue":
        # One thread asks for each page right after the one before.
        assert (split, failed) == ([], [])
    else:
        # Seven runs in one millisecond are four pages, and the fourth page's token is dead however often it is tried. The
        # window of the next millisecond asks for them too.
        assert {result.task.window.bounds for result in failed} == {(FIRST, FIRST), (FIRST + 1, FIRST + 1)}
        assert {result.attempts for result in failed} == {3}
        assert split
    assert found >= INSIDE_IDS - {f"jr-{number:02d}" for number in range(7)}


def test_windows_whose_tokens_expire_while_waiting_are_split() -> None:
    variants = Variants(tokens="expiring", token_uses=6, expiry_counts_from="issue")
    with emulated(variants) as emulator:
        found, results = read_windows(emulator, DAY, window_rows=3, threads=4)
    assert found >= INSIDE_IDS
    assert {result.status for result in results if not result.parts} == {"complete"}


@pytest.mark.parametrize(
    ("kind", "code", "requests"), [("repeat_token", "RepeatedToken", 6), ("empty_page_with_token", "EmptyPage", 3)]
)
def test_a_looping_api_fails_the_window_after_bounded_requests(kind: str, code: str, requests: int) -> None:
    with emulated(rates={kind: 1.0}) as emulator:
        _, (result,) = read_windows(emulator, DAY)
        asked = len(emulator.requests)
    assert result.error is not None
    assert (result.status, result.error.code, result.attempts) == ("failed", code, 3)
    assert asked == requests


@pytest.mark.parametrize("kind", ["repeat_token", "empty_page_with_token"])
def test_a_window_that_loops_once_is_read_again(kind: str) -> None:
    with emulated(script=[None, kind]) as emulator:
        found, (result,) = read_windows(emulator, DAY)
    assert found >= INSIDE_IDS
    assert (result.status, result.attempts) == ("complete", 2)


def test_a_token_that_expires_once_splits_the_window_and_loses_nothing() -> None:
    with emulated(script=[None, None, "expire_token"]) as emulator:
        found, results = read_windows(emulator, DAY)
    assert found >= INSIDE_IDS
    assert sorted(result.status or "split" for result in results) == ["complete", "complete", "split"]


def test_transient_faults_lose_no_rows() -> None:
    faults = {"drop": 0.05, "truncate": 0.05, "garbage": 0.05, "error_500": 0.05, "error_200_html": 0.05, "nonce_used": 0.05}
    with emulated(rates=faults, seed=3) as emulator:
        found, results = read_windows(emulator, DAY, window_rows=3)
        met = {record.fault for record in emulator.requests}
    assert found >= INSIDE_IDS
    assert {result.status for result in results if not result.parts} == {"complete"}
    assert len(met - {None}) >= 4


def test_a_result_has_the_requests_and_time_of_its_window() -> None:
    with emulated() as emulator:
        _, (result,) = read_windows(emulator, DAY)
        asked = len(emulator.requests)
    # Both bounds are asked a millisecond wider and are inclusive here: one run more on each side.
    assert result.total_count == result.rows_received == result.rows_distinct == len(SUBMITTED) + 2
    assert result.pages == result.request_stats.requests == asked == (len(SUBMITTED) + 2 + 1) // 2
    assert result.started_at is not None
    assert result.finished_at is not None
    assert result.started_at <= result.finished_at


def test_windows_are_read_in_parallel_up_to_the_number_of_threads() -> None:
    with emulated(latency_seconds=0.01) as emulator:
        read_windows(emulator, DAY, window_rows=3, threads=3)
        assert 1 < emulator.peak_in_flight <= 3

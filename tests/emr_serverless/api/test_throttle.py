"""Throttling halves the requests in flight, a round of successes adds one, and the limit is within its bounds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_serverless.api.throttle import Throttle


def never_waits(seconds: float) -> bool:
    raise AssertionError(f"nothing asked for a wait, and yet {seconds} s")


def gate(max_in_flight: int) -> Throttle:
    return Throttle(max_in_flight, wait=never_waits)


def send(flow: Throttle, *, throttled: bool = False) -> None:
    with flow.slot() as epoch:
        pass
    if throttled:
        flow.throttled(epoch)
    else:
        flow.succeeded(epoch)


def send_together(flow: Throttle, count: int) -> list[int]:
    """Return the epochs of requests that are in flight at the same time."""
    epochs = []
    for _ in range(count):
        with flow.slot() as epoch:
            epochs.append(epoch)
    return epochs


def test_the_limit_starts_at_its_maximum() -> None:
    assert gate(8).limit == 8


def test_a_burst_of_throttled_requests_halves_the_limit_once() -> None:
    flow = gate(8)
    for epoch in send_together(flow, 8):
        flow.throttled(epoch)
    assert flow.limit == 4
    assert flow.throttlings == 8


def test_each_new_burst_halves_the_limit_down_to_one() -> None:
    flow = gate(8)
    limits = []
    for _ in range(5):
        for epoch in send_together(flow, 2):
            flow.throttled(epoch)
        limits.append(flow.limit)
    assert limits == [4, 2, 1, 1, 1]


def test_late_throttled_responses_do_not_halve_the_limit_again() -> None:
    flow = gate(8)
    early, late = send_together(flow, 2)
    flow.throttled(early)
    send(flow)
    flow.throttled(late)
    assert flow.limit == 4


def test_a_full_round_of_successes_raises_the_limit_by_one() -> None:
    flow = gate(8)
    send(flow, throttled=True)
    limits = []
    for _ in range(4 + 5 + 6 + 7):
        send(flow)
        limits.append(flow.limit)
    assert limits == [4] * 3 + [5] * 5 + [6] * 6 + [7] * 7 + [8]


def test_the_limit_never_exceeds_its_maximum() -> None:
    flow = gate(3)
    for _ in range(50):
        send(flow)
    assert flow.limit == 3


def test_throttling_resets_the_count_of_successes() -> None:
    flow = gate(8)
    send(flow, throttled=True)
    for _ in range(3):
        send(flow)
    send(flow, throttled=True)
    send(flow)
    assert flow.limit == 2
    send(flow)
    assert flow.limit == 3


def test_successes_of_earlier_requests_do_not_raise_the_limit() -> None:
    flow = gate(8)
    first, *others = send_together(flow, 8)
    flow.throttled(first)
    for epoch in others:
        flow.succeeded(epoch)
    assert flow.limit == 4


@given(ceiling=st.integers(1, 12), throttled=st.lists(st.booleans(), max_size=80))
def test_the_limit_is_between_one_and_its_maximum(ceiling: int, throttled: list[bool]) -> None:
    flow = gate(ceiling)
    for answer in throttled:
        send(flow, throttled=answer)
        assert 1 <= flow.limit <= ceiling
    assert flow.in_flight == 0


@pytest.mark.parametrize(("ceiling", "halvings", "places"), [(3, 0, 3), (4, 1, 2), (8, 3, 1)])
def test_threads_use_all_slots_and_never_more(ceiling: int, halvings: int, places: int) -> None:
    flow = gate(ceiling)
    for _ in range(halvings):
        send(flow, throttled=True)
    seen: list[int] = []
    # A thread leaves when all places are taken: with fewer of them the barrier would break.
    full = threading.Barrier(places)

    def hold_a_place() -> None:
        with flow.slot():
            full.wait(timeout=60)
            seen.append(flow.in_flight)

    with ThreadPoolExecutor(12) as pool:
        for future in [pool.submit(hold_a_place) for _ in range(4 * places)]:
            future.result()
    assert len(seen) == 4 * places
    assert max(seen) == places
    assert flow.in_flight == 0


def test_a_slot_is_released_when_the_request_fails() -> None:
    flow = gate(1)
    with pytest.raises(OSError, match="broken"), flow.slot():
        raise OSError("broken")
    assert flow.in_flight == 0


class FakeTime:
    """A clock that only waits move."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(round(seconds, 6))
        self.now += seconds
        return False


def test_requests_are_spaced_evenly_from_the_first_one() -> None:
    time = FakeTime()
    flow = Throttle(8, 4.0, wait=time.wait, monotonic=lambda: time.now)
    sent_at = []
    for _ in range(4):
        with flow.slot():
            sent_at.append(time.now)
    assert sent_at == [1000.0, 1000.25, 1000.5, 1000.75]


def test_simultaneous_requests_are_spaced_evenly() -> None:
    time = FakeTime()
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return False

    flow = Throttle(8, 4.0, wait=wait, monotonic=lambda: time.now)
    send_together(flow, 4)
    assert waits == [0.25, 0.5, 0.75]


def test_idle_time_does_not_allow_a_burst() -> None:
    time = FakeTime()
    flow = Throttle(8, 4.0, wait=time.wait, monotonic=lambda: time.now)
    send_together(flow, 1)
    time.now += 100
    time.waits.clear()
    send_together(flow, 3)
    assert time.waits == [0.25, 0.25]


def test_without_a_rate_limit_nothing_waits() -> None:
    send_together(gate(2), 100)

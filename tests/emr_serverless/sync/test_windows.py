"""Windows cover their range exactly for every interpretation of the bounds."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_serverless.resources.job_runs import OPEN_STATES
from emr_serverless.sync.windows import (
    DAY_MS,
    Window,
    is_certified,
    is_divisible,
    parts_needed,
    plan_windows,
    split_window,
)

# Around a midnight of a recent year, and before 1970, where remainders go wrong.
moments = st.one_of(
    st.integers(-3 * DAY_MS, 3 * DAY_MS),
    st.integers(1_767_225_600_000 - 3 * DAY_MS, 1_767_225_600_000 + 3 * DAY_MS),
    st.integers(-3, 3).map(lambda day: 1_767_225_600_000 + day * DAY_MS),
)
axes: st.SearchStrategy[Literal["start", "end"]] = st.sampled_from(["start", "end"])


@st.composite
def ranges(draw: st.DrawFn) -> tuple[int, int]:
    first = draw(moments)
    return first, first + draw(st.integers(0, 3 * DAY_MS) | st.integers(0, 5) | st.sampled_from([DAY_MS - 1, DAY_MS]))


def window(start_ms: int, end_ms: int, axis: Literal["start", "end"] = "start") -> Window:
    return Window("cn-hangzhou", "w-1", axis, start_ms, end_ms)


def assert_partition(windows: list[Window], start_ms: int, end_ms: int) -> None:
    """Hold windows to cover [start_ms, end_ms] in order, without gaps, overlaps or empty ones."""
    assert windows[0].bounds[0] == start_ms
    assert windows[-1].bounds[1] == end_ms
    for before, after in itertools.pairwise(windows):
        assert after.bounds[0] == before.bounds[1] + 1
    assert all(first <= last for first, last in (each.bounds for each in windows))


@given(ranges(), axes, st.integers(0, 3_000), st.integers(1, 1_000))
def test_a_range_is_divided_by_its_count(
    range_ms: tuple[int, int], axis: Literal["start", "end"], total_count: int, window_rows: int
) -> None:
    windows = plan_windows(window(*range_ms, axis), total_count, window_rows)
    assert_partition(windows, *range_ms)
    assert {(each.region_id, each.workspace_id, each.axis) for each in windows} == {("cn-hangzhou", "w-1", axis)}
    width = range_ms[1] - range_ms[0] + 1
    assert len(windows) == min(width, max(1, -(-total_count // window_rows)))


@given(ranges(), st.integers(-1, 200))
def test_parts_cover_the_window_and_none_is_empty(range_ms: tuple[int, int], parts: int) -> None:
    whole = window(range_ms[0], range_ms[1] + 1, "end")
    split = split_window(whole, parts)
    assert_partition(split, *whole.bounds)
    assert 2 <= len(split) <= max(2, parts)
    assert {(each.region_id, each.workspace_id, each.axis) for each in split} == {("cn-hangzhou", "w-1", "end")}
    widths = [last - first for first, last in (each.bounds for each in split)]
    assert max(widths) - min(widths) <= 1


@given(moments, st.integers(1, 50), st.integers(1, 20))
def test_repeated_splitting_ends_at_one_millisecond(start_ms: int, width: int, parts: int) -> None:
    pending, done = [window(start_ms, start_ms + width - 1)], []
    while pending:
        each = pending.pop()
        if is_divisible(each):
            pending += split_window(each, parts)
        else:
            done.append(each.bounds)
    assert sorted(done) == [(each, each) for each in range(start_ms, start_ms + width)]


@pytest.mark.parametrize(("total", "rows", "parts"), [(5_001, 5_000, 2), (10_000, 5_000, 2), (10_001, 5_000, 3), (3, 1, 3)])
def test_the_number_of_parts_follows_from_the_count(total: int, rows: int, parts: int) -> None:
    assert parts_needed(total, rows) == parts


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window("r", "w", "start", 0, 86_399_999), "the runs of w submitted from 1970-01-01 00:00:00 to 1970-01-01 23:59:59 UTC"),
        (Window("r", "w", "end", 0, 1_000), "the runs of w that ended from 1970-01-01 00:00:00 to 1970-01-01 00:00:01 UTC"),
        (
            Window("r", "w", "start", 0, 1_000, filters=(("startTime", (1, 2)),)),
            "the runs of w submitted from 1970-01-01 00:00:00 to 1970-01-01 00:00:01 UTC",
        ),
        (Window("r", "w", "all", filters=(("isWorkflow", "true"),)), "all runs of w (asked with isWorkflow)"),
        (Window("r", "w", "open"), "the open runs of w"),
        (Window("r", "w", "run", job_run_id="jr-1"), "run jr-1 of w"),
        (Window("cn-hangzhou", "*", "list", resource="workspaces"), "the list of workspaces in cn-hangzhou"),
        (Window("cn-hangzhou", "w", "list", resource="workspaces"), "workspace w"),
    ],
)
def test_a_window_is_described_in_words(window: Window, words: str) -> None:
    assert str(window) == words


@pytest.mark.parametrize("axis", ["open", "run", "list"])
def test_only_time_ranges_have_bounds(axis: Literal["open", "run", "list"]) -> None:
    with pytest.raises(ValueError, match="no bounds"):
        _ = Window("r", "w", axis, job_run_id="jr-1").bounds


def test_time_ranges_are_divisible_to_a_millisecond_and_open_runs_by_state() -> None:
    assert not is_divisible(Window("r", "w", "run", job_run_id="jr-1"))
    assert not is_divisible(Window("r", "w", "list"))
    assert not is_divisible(Window("r", "w", "count", 5, 6))
    old = (("startTime", (1, 99)),)
    parts = split_window(Window("r", "w", "open", filters=old), 2)
    assert [part.asked for part in parts] == [
        {"startTime": {"startTime": 0, "endTime": 100}, "states": [state]} for state in OPEN_STATES
    ]
    assert not any(is_divisible(part) for part in parts)
    assert not is_divisible(window(5, 5))
    assert is_divisible(window(5, 6))


@pytest.mark.parametrize(
    ("each", "asked"),
    [
        (window(1000, 1999, "start"), {"startTime": {"startTime": 999, "endTime": 2000}}),
        (window(1000, 1999, "end"), {"endTime": {"startTime": 999, "endTime": 2000}}),
        (Window("r", "w", "open"), {"states": list(OPEN_STATES)}),
        (Window("r", "w", "run", job_run_id="jr-1"), {"jobRunId": "jr-1"}),
        (Window("r", "*", "list"), {}),
        (Window("r", "w", "all", filters=(("minDuration", "0"),)), {"minDuration": "0"}),
        (
            Window("r", "w", "end", 1000, 1999, filters=(("endTime", (1, 1999)),)),
            {"endTime": {"startTime": 0, "endTime": 2000}},
        ),
    ],
)
def test_requested_ranges_are_one_millisecond_wider_on_both_sides(each: Window, asked: dict[str, Any]) -> None:
    assert each.asked == asked


READINGS: dict[str, Callable[[int, int, int], bool]] = {
    "inclusive": lambda low, moment, high: low <= moment <= high,
    "exclusive": lambda low, moment, high: low < moment < high,
    "upper end open": lambda low, moment, high: low <= moment < high,
    "lower end open": lambda low, moment, high: low < moment <= high,
}


@pytest.mark.parametrize("reading", READINGS)
@given(data=st.data())
def test_every_run_is_found_under_every_interpretation_of_the_bounds(reading: str, data: st.DataObject) -> None:
    start_ms, end_ms = data.draw(ranges())
    edges = st.sampled_from([start_ms, end_ms, (start_ms + end_ms) // 2, (start_ms + end_ms) // 2 + 1])
    runs = set(data.draw(st.lists(edges | st.integers(start_ms, end_ms), max_size=30)))
    runs = {moment for moment in runs if start_ms <= moment <= end_ms}
    windows = [window(start_ms, end_ms)]
    for _ in range(data.draw(st.integers(0, 6))):
        each = data.draw(st.sampled_from(windows))
        if is_divisible(each):
            windows.remove(each)
            windows += split_window(each, data.draw(st.integers(2, 5)))
    found = set()
    for each in windows:
        asked = each.asked["startTime"]
        found |= {moment for moment in runs if READINGS[reading](asked["startTime"], moment, asked["endTime"])}
    assert found == runs


def test_a_window_has_the_same_id_in_every_load() -> None:
    # Written down, because the tables of the past hold it.
    assert window(0, DAY_MS - 1).window_id == "de374f21a8fcc586"


any_windows = st.one_of(
    st.builds(
        Window,
        st.sampled_from(["cn-hangzhou", "cn-beijing"]),
        st.sampled_from(["w-1", "w-2"]),
        axes,
        st.integers(0, 3),
        st.integers(4, 6),
    ),
    st.builds(Window, st.just("r"), st.just("w"), st.sampled_from(["open", "list"])),
    st.builds(Window, st.just("r"), st.just("w"), st.just("run"), job_run_id=st.sampled_from(["jr-1", "jr-2"])),
)


@given(any_windows, any_windows)
def test_window_ids_are_equal_only_for_equal_windows(one: Window, other: Window) -> None:
    assert (one.window_id == other.window_id) == (one == other)


@pytest.mark.parametrize(
    ("distinct", "total", "certified"),
    [(3, 3, True), (4, 3, True), (2, 3, False), (0, 0, True), (0, None, False), (9, None, False)],
)
def test_a_window_is_certified_only_if_its_rows_match_the_count(distinct: int, total: int | None, *, certified: bool) -> None:
    assert is_certified(distinct, total) is certified

"""Figures that appear long after the end of a run are loaded within the configured time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_serverless.sync.ranges import join_ranges
from emr_usage.emulator import Clock, Emulator, Run, State, Variants
from oracle import query
from plain_load import run

NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=12)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
WITHOUT = "SELECT count(*) FROM emr_raw.job_runs WHERE coalesce(cu_hours, 0) = 0"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Runs that ended hour by hour in two days; one was cancelled before it started."""
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    moments = [NOW_MS - number * HOUR_MS for number in range(2, 48)]
    state.add(*(Run("w-1", f"jr-{n}", ms - HOUR_MS, start_ms=ms - HOUR_MS, end_ms=ms) for n, ms in enumerate(moments)))
    state.add(Run("w-1", "jr-queued", NOW_MS - 5 * HOUR_MS, end_ms=NOW_MS - 4 * HOUR_MS, final_state="Cancelled"))
    with Emulator(state, Clock(NOW_MS), page_limit=10) as running:
        yield running


@pytest.mark.parametrize("shown", ["growing", "zero", "absent"])
def test_figures_that_appear_after_days_are_loaded(emulator: Emulator, tmp_path: Path, shown: Any) -> None:
    emulator.variants = Variants(figures_delay_hours=60, figures_while_open=shown)
    run(emulator, tmp_path, NOW)
    assert query(tmp_path / "emr.duckdb", WITHOUT) == [(47,)]
    emulator.clock.move_to(NOW_MS + 70 * HOUR_MS)
    run(emulator, tmp_path, emulator.clock.now())
    assert query(tmp_path / "emr.duckdb", WITHOUT) == [(1,)]


def test_late_figures_are_loaded_if_an_absent_start_time_hides_their_runs(emulator: Emulator, tmp_path: Path) -> None:
    emulator.variants = Variants(figures_delay_hours=60, absent_start_days=3)
    run(emulator, tmp_path, NOW)
    emulator.clock.move_to(NOW_MS + 70 * HOUR_MS)
    run(emulator, tmp_path, emulator.clock.now(), lookback_hours=0)
    assert query(tmp_path / "emr.duckdb", WITHOUT) == [(1,)]


def test_a_load_after_a_long_pause_reads_the_range_again(emulator: Emulator, tmp_path: Path) -> None:
    emulator.variants = Variants(figures_delay_hours=60)
    run(emulator, tmp_path, NOW)
    emulator.clock.move_to(NOW_MS + 11 * 24 * HOUR_MS)
    run(emulator, tmp_path, emulator.clock.now())
    assert query(tmp_path / "emr.duckdb", WITHOUT) == [(1,)]
    emulator.requests.clear()
    emulator.clock.move_to(NOW_MS + 11 * 24 * HOUR_MS + HOUR_MS)
    run(emulator, tmp_path, emulator.clock.now())
    old = [record for record in emulator.requests if f'"endTime":{NOW_MS - 4 * HOUR_MS + 1}' in record.query.get("endTime", "")]
    assert old == []


def test_nothing_is_requested_again_with_a_setting_of_zero(emulator: Emulator, tmp_path: Path) -> None:
    emulator.variants = Variants(figures_delay_hours=60)
    run(emulator, tmp_path, NOW, settle_days=0)
    emulator.clock.move_to(NOW_MS + 70 * HOUR_MS)
    run(emulator, tmp_path, emulator.clock.now(), settle_days=0)
    assert query(tmp_path / "emr.duckdb", WITHOUT) > [(1,)]


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9)), max_size=30), st.integers(1, 6))
def test_joined_ranges_are_bounded_and_cover_all_ranges(starts: list[tuple[int, int]], most: int) -> None:
    ranges = [(first, first + width) for first, width in starts]
    joined = join_ranges(ranges, most)
    assert len(joined) <= most
    assert all(before[1] < after[0] for before, after in itertools.pairwise(joined))
    assert all(any(low <= first and last <= high for low, high in joined) for first, last in ranges)
    if ranges:
        assert (joined[0][0], joined[-1][1]) == (min(ranges)[0], max(last for _, last in ranges))

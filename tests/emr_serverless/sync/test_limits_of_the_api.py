"""If the API limits rows or counts per filter, all rows are read or reported as missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emr_usage.emulator import Clock, Emulator, Run, State, Variants
from oracle import query
from plain_load import run

# The emulator's clock moves a day ahead, and nothing later than the real one is loaded.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
NOW_MS = int(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
RUNS = 2_600
# A scheduler's midnight: more than any limit below in a minute.
BURST = 1_100


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A busy workspace: many runs in a minute, the others over two days."""
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    moments = [NOW_MS - 30 * HOUR_MS + number * 50 for number in range(BURST)]
    moments += [NOW_MS - HOUR_MS - number * 100_000 for number in range(RUNS - BURST)]
    state.add(*(Run("w-1", f"jr-{n}", ms, start_ms=ms, end_ms=ms + 1000, settle_ms=0) for n, ms in enumerate(moments)))
    with Emulator(state, Clock(NOW_MS), page_limit=100) as running:
        yield running


@pytest.mark.parametrize(
    ("counts", "rows", "order"),
    [
        (1_000, 1_000, "newest"),
        (None, 1_000, "oldest"),
        (1_000, None, "newest"),
        (500, 500, "oldest"),
        (777, 777, "newest"),
        (1_000, 300, "newest"),
    ],
)
@pytest.mark.parametrize("settings", [{}, {"window_rows": 100_000}])
def test_every_run_is_loaded(
    emulator: Emulator, tmp_path: Path, counts: int | None, rows: int | None, order: Any, settings: dict[str, Any]
) -> None:
    emulator.variants = Variants(total_count_limit=counts, row_limit=rows, order=order)
    load = run(emulator, tmp_path, NOW, **settings)
    assert load.stats.incomplete == []
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(RUNS,)]
    # At most a few times what reading the pages takes.
    assert len(emulator.requests) < 20 * RUNS / 100


def test_counts_that_are_too_high_are_reported_after_bounded_requests(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emr_serverless.sync.workspace.SHORT_SPLITS", 20)
    emulator.variants = Variants(total_count_excess=1)
    load = run(emulator, tmp_path, NOW)
    assert load.stats.incomplete
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(RUNS,)]
    assert len(emulator.requests) < RUNS

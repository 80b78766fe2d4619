"""The horizon and the packages of a load, and runs that the API no longer returns."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dlt.pipeline.exceptions import PipelineStepFailed

from emr_serverless import Backfill, CheckSettingsError, Load
from emr_serverless.api import processes
from emr_serverless.sync.batch import Package
from emr_usage.emulator import Clock, Emulator, Faults, Run, State
from oracle import query
from plain_load import run

HOUR_MS = 3_600_000
# The emulator's clock moves on from here for hours, and nothing later than the real one is loaded.
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
NOW_MS = int(NOW.timestamp() * 1000)


def finished(number: int, submit_ms: int) -> Run:
    """Return a run that was over a second after it was submitted."""
    return Run("w-1", f"jr-{number}", submit_ms, submit_ms, submit_ms, end_ms=submit_ms + 1000, settle_ms=0)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An account with one workspace without runs."""
    state = State()
    state.add_workspace("w-1", "cn-hangzhou")
    with Emulator(state, Clock(NOW_MS), page_limit=4) as running:
        yield running


def job_runs(folder: Path) -> list[str]:
    """Return the runs in a folder's database."""
    return [row[0] for row in query(folder / "emr.duckdb", "SELECT job_run_id FROM emr_raw.job_runs ORDER BY 1")]


@pytest.mark.parametrize(
    ("as_of", "backfill", "option"),
    [
        (NOW + timedelta(days=30), None, "--as-of"),
        (NOW, None, "--as-of"),
        (NOW - timedelta(seconds=59), None, "--as-of"),
        (None, Backfill(NOW - timedelta(days=1), NOW), "--to"),
        (None, Backfill(NOW + timedelta(days=1), NOW + timedelta(days=2)), "--from"),
    ],
)
def test_a_future_time_is_not_requested(as_of: datetime | None, backfill: Backfill | None, option: str) -> None:
    with pytest.raises(CheckSettingsError, match=f"{option} is .* later than .*, a minute ago"):
        Load(lambda: NOW, as_of=as_of, backfill=backfill)


def test_the_latest_allowed_horizon_is_one_minute_ago() -> None:
    latest = NOW - timedelta(minutes=1)
    assert Load(lambda: NOW).options.horizon_ms == Load(lambda: NOW, as_of=latest).options.horizon_ms == NOW_MS - 60_000
    Load(lambda: NOW, as_of=latest, backfill=Backfill(latest - timedelta(days=1), latest))


@pytest.mark.parametrize("is_refused", [False, True])
def test_request_processes_end_with_the_load(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    monkeypatch.setattr(processes, "REQUESTS_BEFORE_START", 0)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    started = []
    start = subprocess.Popen

    def noted(*arguments: Any, **options: Any) -> Any:
        started.append(start(*arguments, **options))
        return started[-1]

    monkeypatch.setattr("emr_serverless.api.processes.subprocess.Popen", noted)
    emulator.state.add(*(finished(n, NOW_MS - n * HOUR_MS) for n in range(40)))
    if is_refused:
        emulator.faults = Faults(rates={"error_500": 1.0}, seed=1)
        monkeypatch.setattr("emr_serverless.api.retry.BACKOFF_BASE_SECONDS", 0.0001)
        # Of several threads one could still be asking when the load has failed.
        with pytest.raises(PipelineStepFailed):
            run(emulator, tmp_path, max_connections=1)
    else:
        run(emulator, tmp_path)
        assert len(job_runs(tmp_path)) == 40
        assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_cursor_in_the_future_is_ignored(emulator: Emulator, tmp_path: Path) -> None:
    """A load whose clock is a day ahead certifies a future day; the next load ignores that."""

    def run_at(when: datetime) -> None:
        emulator.faults = Faults(clock_skew_seconds=(when - datetime.now(UTC)).total_seconds())
        run(emulator, tmp_path, when - timedelta(minutes=1), lambda: when, lookback_hours=0)

    emulator.state.add(finished(1, NOW_MS - HOUR_MS))
    run_at(NOW)
    run_at(NOW + timedelta(days=1))
    emulator.clock.move_to(NOW + timedelta(hours=2))
    emulator.state.add(finished(2, NOW_MS + HOUR_MS))
    run_at(NOW + timedelta(hours=2))
    assert job_runs(tmp_path) == ["jr-1", "jr-2"]


def test_setting_the_clock_back_stops_a_load(emulator: Emulator, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    # Asked when the load begins, and four times while the workspaces are listed.
    times = iter([now + timedelta(minutes=10)] * 5)
    with pytest.raises(PipelineStepFailed, match="clock was set back during the load"):
        run(emulator, tmp_path, now + timedelta(minutes=8), lambda: next(times, datetime.now(UTC)), max_connections=1)
    for thread in threading.enumerate():
        if thread.name.startswith("window-"):
            thread.join()
    assert not (tmp_path / "emr.duckdb").exists() or not query(tmp_path / "emr.duckdb", "SHOW ALL TABLES")


def test_packages_do_not_exceed_package_rows(emulator: Emulator, tmp_path: Path) -> None:
    emulator.state.add(*(finished(number, NOW_MS - HOUR_MS - number * 60_000) for number in range(50)))
    load = run(emulator, tmp_path, package_rows=12)
    sizes = query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs GROUP BY _dlt_load_id")
    assert sum(size for (size,) in sizes) == 50
    assert max(size for (size,) in sizes) <= 12
    assert load.stats.packages >= 5


@pytest.mark.parametrize(("setting", "limit"), [("PACKAGE_BYTES", 5_000), ("PACKAGE_COLUMN_BYTES", 300)])
def test_large_rows_reduce_the_rows_of_a_package(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, limit: int
) -> None:
    emulator.page_limit = 5
    emulator.state.add(*(finished(number, NOW_MS - HOUR_MS - number * 60_000) for number in range(50)))
    monkeypatch.setattr(f"emr_serverless.sync.batch.{setting}", limit)
    load = run(emulator, tmp_path)
    sizes = query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs GROUP BY _dlt_load_id")
    assert sum(size for (size,) in sizes) == 50
    assert max(size for (size,) in sizes) < 50
    assert load.stats.packages >= 3


def test_a_large_column_reduces_the_rows_of_a_batch(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.page_limit = 5
    emulator.state.add(*(finished(number, NOW_MS - HOUR_MS - number * 60_000) for number in range(50)))
    batches: list[int] = []
    take_batch = Package.take_batch

    def noted(package: Package) -> dict[str, pa.Table]:
        tables = take_batch(package)
        batches.append(tables["job_runs"].num_rows if "job_runs" in tables else 0)
        return tables

    monkeypatch.setattr(Package, "take_batch", noted)
    monkeypatch.setattr("emr_serverless.sync.batch.BATCH_COLUMN_BYTES", 100)
    run(emulator, tmp_path)
    assert sum(batches) == 50
    assert max(batches) <= 10
    assert len(job_runs(tmp_path)) == 50


def test_a_run_that_disappears_is_requested_three_times_and_kept(emulator: Emulator, tmp_path: Path) -> None:
    emulator.state.add(Run("w-1", "jr-1", NOW_MS - HOUR_MS, start_ms=NOW_MS - HOUR_MS))
    run(emulator, tmp_path, NOW)
    emulator.state.forget("w-1", "jr-1")
    asked = []
    for _ in range(5):
        emulator.requests.clear()
        assert not run(emulator, tmp_path, NOW).stats.incomplete
        asked.append(sum("jobRunId" in record.query for record in emulator.requests))
    assert asked == [4, 4, 4, 0, 0]  # without and with isWorkflow, and each with a startTime
    states = query(tmp_path / "emr.duckdb", "SELECT state FROM emr_raw.job_run_observations ORDER BY observed_at")
    assert states == [("Running",), (None,), (None,), (None,)]
    assert query(tmp_path / "emr.duckdb", "SELECT job_run_id, state FROM emr_raw.job_runs") == [("jr-1", "Running")]


def test_an_open_run_is_observed_by_each_load_and_once_after_its_end(emulator: Emulator, tmp_path: Path) -> None:
    start_ms = NOW_MS - 30 * HOUR_MS
    emulator.state.add(Run("w-1", "jr-1", start_ms, start_ms=start_ms, end_ms=NOW_MS + HOUR_MS, settle_ms=0))
    for hours in (0, 0, 2, 3):
        emulator.clock.move_to(NOW + timedelta(hours=hours))
        run(emulator, tmp_path, NOW + timedelta(hours=hours))
    sql = "SELECT state, vcore_seconds FROM emr_raw.job_run_observations ORDER BY observed_at"
    assert query(tmp_path / "emr.duckdb", sql) == [("Running", 216_000), ("Running", 216_000), ("Success", 223_200)]


def test_a_quota_shared_with_others_is_detected_and_respected(emulator: Emulator, tmp_path: Path) -> None:
    """With a limit of two concurrent requests, eight connections are reduced, all rows are loaded, and no nonce is reused."""
    emulator.state.add(*(finished(number, NOW_MS - HOUR_MS - number * 60_000) for number in range(60)))
    emulator.faults = Faults(max_in_flight=2, latency_seconds=0.01, retry_after_ms=1)
    load = run(emulator, tmp_path, window_rows=5, max_connections=8)
    assert load.client is not None
    # Without coming down, three of four would be refused for as long as the load lasts.
    assert 0 < load.client.throttle.throttlings < len(emulator.requests) / 2
    assert not load.stats.incomplete
    assert query(tmp_path / "emr.duckdb", "SELECT count(*) FROM emr_raw.job_runs") == [(60,)]
    nonces = [record.nonce for record in emulator.requests]
    assert len(set(nonces)) == len(nonces)


def test_a_first_load_without_runs_creates_every_table(emulator: Emulator, tmp_path: Path) -> None:
    run(emulator, tmp_path)
    names = query(tmp_path / "emr.duckdb", "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'emr_raw'")
    assert {"job_runs", "job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments"} <= {n for (n,) in names}


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(CheckSettingsError, match="has no zone"):
        Load(lambda: datetime.now(UTC), as_of=datetime(2026, 1, 1))  # noqa: DTZ001  # the point of the test

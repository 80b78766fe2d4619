"""Simulates backfills that share the API's quota: do they take the time that the quota allows, and equal shares of it?

    python benchmarks/quota.py

Each worker is a process with a database of its own that loads a month of its own; the emulator throttles what is beyond the
rate of all of them together. The computed time is the number of answered requests over the rate.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Faults, Run, State
from measure import DATABASE

REGION: Final = "cn-hangzhou"
HOUR_MS: Final = 3_600_000
MONTH: Final = timedelta(days=30)
# Of each worker's month.
RUNS: Final = 12_000
# A round trip to the real API, and its documented quotas for one account.
LATENCY_SECONDS: Final = 0.1
TRIALS: Final = ((1, 10.0), (4, 10.0), (4, 20.0), (8, 20.0))


@dataclass(frozen=True)
class Outcome:
    """What the workers of one trial took.

    Attributes:
        workers: how many.
        per_second: the quota that they share.
        answered: requests that got an answer.
        throttled: requests that were refused.
        seconds: from the first request to the end of the last worker.
        ends: seconds until each worker ended.
    """

    workers: int
    per_second: float
    answered: int
    throttled: int
    seconds: float
    ends: list[float]

    @property
    def computed_seconds(self) -> float:
        """The time that the quota allows; a second's worth of it may be used at once."""
        return max(0.0, self.answered / self.per_second - 1)


def simulate(workers: int, per_second: float) -> Outcome:
    """Backfill a month with each worker, all at once.

    Raises:
        SystemExit: a run is missing.
    """
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    state = State()
    state.add_workspace("w-1", REGION)
    step_ms = int(MONTH.total_seconds() * 1000) // RUNS
    now_ms = int(now.timestamp() * 1000)
    starts = [now_ms - 2 * HOUR_MS - number * step_ms for number in range(workers * RUNS)]
    state.add(*(Run("w-1", f"jr-{n}", ms, start_ms=ms, end_ms=ms + HOUR_MS, settle_ms=0) for n, ms in enumerate(starts)))
    ranges = [(now - MONTH * (worker + 1), now - MONTH * worker) for worker in range(workers)]
    with Emulator(state, Clock(now_ms)) as emulator, TemporaryDirectory(prefix="emr-usage-bench-") as folder:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            # The time to start a process is not of interest.
            list(pool.map(_begin, range(workers), chunksize=1))
            emulator.faults = Faults(latency_seconds=LATENCY_SECONDS, max_per_second=per_second)
            began = time.monotonic()
            places = [Path(folder, str(worker)) for worker in range(workers)]
            loads = [pool.submit(_backfill, emulator.url, *each, place) for each, place in zip(ranges, places, strict=True)]
            done = [load.result() for load in loads]
        if sum(rows for rows, _, _ in done) != sum(ms >= int(ranges[-1][0].timestamp() * 1000) for ms in starts):
            raise SystemExit("Runs are missing.")
        throttled = sum(count for _, count, _ in done)
        requests = sum(record.status == 200 for record in emulator.requests)
        ends = [end - began for _, _, end in done]
        return Outcome(workers, per_second, requests, throttled, max(ends), ends)


def _begin(_: int) -> None:
    import emr_serverless  # noqa: F401, PLC0415

    time.sleep(1)


def _backfill(endpoint: str, first: datetime, after: datetime, folder: Path) -> tuple[int, int, float]:
    """Load a range into a database of its own; return its rows, the requests that were throttled, and when it ended."""
    import dlt  # noqa: PLC0415  # in the process of a worker

    from emr_serverless import Backfill, emr_serverless, run  # noqa: PLC0415

    folder.mkdir()
    pipeline = dlt.pipeline(
        "quota",
        destination=dlt.destinations.duckdb(str(folder / DATABASE)),
        dataset_name="emr_raw",
        pipelines_dir=str(folder),
    )
    source = emr_serverless(
        credentials={"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},  # type: ignore[arg-type]
        region_ids=[REGION],
        endpoint=endpoint,
        backfill=Backfill(first, after),
    )
    load = run(pipeline, source)
    if load.stats.incomplete:
        raise SystemExit(f"Incomplete: {load.stats.incomplete[0]}")
    throttled = load.client.throttle.throttlings if load.client else 0
    return load.stats.rows, throttled, time.monotonic()


def render(outcomes: list[Outcome]) -> str:
    """Return the table."""
    lines = ["| workers | quota, requests/s | answered | throttled | computed s | measured s | first to end s |"]
    lines.append("|--:|--:|--:|--:|--:|--:|--:|")
    for each in outcomes:
        cells = (f"{each.workers}", f"{each.per_second:.0f}", f"{each.answered:,}", f"{each.throttled:,}")
        times = (f"{each.computed_seconds:.0f}", f"{each.seconds:.0f}", f"{min(each.ends):.0f}")
        lines.append(f"| {' | '.join((*cells, *times))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    print(render([simulate(*trial) for trial in TRIALS]))

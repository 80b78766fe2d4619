"""Simulates backfills that share the API's quota: do they take the time that the quota allows, and equal shares of it?

    python benchmarks/quota.py                           five minutes
    python benchmarks/quota.py --write docs/scaling.md   the table of the document too

Each worker is a process with a database of its own that loads a month of a workspace of its own; the emulator throttles what is
beyond the rate of all of them together. The computed time is the number of answered requests over the rate.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from document import render_table, replace_part
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Faults, Run, State
from measure import DATABASE

REGION: Final = "cn-hangzhou"
HOUR_MS: Final = 3_600_000
MONTH: Final = timedelta(days=30)
# Of each worker's workspace.
RUNS: Final = 12_000
# A round trip to the API, and quotas of an account: the vendor publishes neither.
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
        shares: of the answered requests, each worker's until the first of them ended; 1 is an equal share.
    """

    workers: int
    per_second: float
    answered: int
    throttled: int
    seconds: float
    ends: list[float]
    shares: list[float]

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
    now_ms = int(now.timestamp() * 1000)
    # All within the month, and ended.
    step_ms = (int(MONTH.total_seconds() * 1000) - 3 * HOUR_MS) // RUNS
    state = State()
    names = [f"w-{number}" for number in range(workers)]
    for name in names:
        state.add_workspace(name, REGION)
        starts = [now_ms - 2 * HOUR_MS - number * step_ms for number in range(RUNS)]
        state.add(*(Run(name, f"jr-{n}", ms, start_ms=ms, end_ms=ms + HOUR_MS, settle_ms=0) for n, ms in enumerate(starts)))
    with Emulator(state, Clock(now_ms)) as emulator, TemporaryDirectory(prefix="emr-usage-bench-") as folder:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            # The time to start a process is not of interest.
            list(pool.map(_begin, range(workers), chunksize=1))
            emulator.faults = Faults(latency_seconds=LATENCY_SECONDS, max_per_second=per_second)
            began = time.monotonic()
            loads = [pool.submit(_backfill, emulator.url, name, now - MONTH, now, Path(folder, name)) for name in names]
            done = [load.result() for load in loads]
        if any(rows != RUNS for rows, _, _ in done):
            raise SystemExit(f"Runs are missing: {[rows for rows, _, _ in done]} of {RUNS} each.")
        answered = [record.workspace_id for record in emulator.requests if record.status == 200]
        throttled = sum(count for _, count, _ in done)
        ends = [end - began for _, _, end in done]
        return Outcome(workers, per_second, len(answered), throttled, max(ends), ends, _shares(answered, names))


def _shares(answered: Sequence[str | None], names: Sequence[str]) -> list[float]:
    last = {name: place for place, name in enumerate(answered) if name}
    counts = Counter(answered[: min(last.values()) + 1])
    return [counts[name] * len(names) / sum(counts[each] for each in names) for name in names]


def _begin(_: int) -> None:
    import emr_serverless  # noqa: F401, PLC0415

    time.sleep(1)


def _backfill(endpoint: str, workspace_id: str, first: datetime, after: datetime, folder: Path) -> tuple[int, int, float]:
    """Load a range of a workspace into a new database; return its rows, the requests that were throttled, and when it ended."""
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
        workspace_ids=[workspace_id],
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
    head = ("workers", "requests a second", "answered", "throttled", "computed s", "measured s", "first to end s", "shares")
    lines = [
        (
            f"{each.workers}",
            f"{each.per_second:.0f}",
            f"{each.answered:,}",
            f"{each.throttled:,}",
            f"{each.computed_seconds:.0f}",
            f"{each.seconds:.0f}",
            f"{min(each.ends):.0f}",
            " ".join(f"{share:.2f}" for share in sorted(each.shares)),
        )
        for each in outcomes
    ]
    return render_table(head, lines)


def main() -> None:
    """Simulate, print the table, and write it into a document where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, metavar="FILE", help="also write the table into this document")
    given = parser.parse_args()
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    table = render([simulate(*trial) for trial in TRIALS])
    print(table)
    if given.write:
        given.write.write_text(replace_part(given.write.read_text(encoding="utf-8"), "quota", table), encoding="utf-8")


if __name__ == "__main__":
    main()

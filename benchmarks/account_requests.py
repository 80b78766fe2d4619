"""Counts what an account of many small workspaces takes in requests: the first load, and a night.

The emulator answers, because the requests depend on what each filter finds; times are of no account here.

    python benchmarks/account_requests.py
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import dlt
import duckdb

from emr_serverless import emr_serverless, run
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Run, State
from measure import DATABASE

REGION: Final = "cn-hangzhou"
DAY_MS: Final = 86_400_000
DAYS: Final = 90
SHORTEST_MS, LONGEST_MS = 2_000, 4 * 3_600_000


@dataclass(frozen=True)
class Account:
    """An account of workspaces that have so many runs each.

    Attributes:
        label: what it is.
        sizes: runs of each workspace, in the 90 days and the night after.
        workflow_of: every so many runs one belongs to a workflow; 0 for none.
    """

    label: str
    sizes: tuple[int, ...]
    workflow_of: int = 0


@dataclass(frozen=True)
class Requests:
    """What an account took: requests of the first load and of the night, and runs loaded."""

    account: Account
    first: int
    night: int
    runs: int


# 250 workspaces with 2,000 runs between them, spread in two ways; and one as large as that of the other benchmarks.
FEW_BUSY: Final = Account("250 workspaces: 10 with 150 runs, 50 with 10, the others empty", (150,) * 10 + (10,) * 50 + (0,) * 190)
ALL_ALIKE: Final = Account("250 workspaces with 8 runs each, a third of workflows", (8,) * 250, workflow_of=3)
LARGE: Final = Account("1 workspace with 20,000 runs", (20_000,))
ACCOUNTS: Final = (FEW_BUSY, ALL_ALIKE, LARGE)


def count_requests(account: Account, **settings: Any) -> Requests:
    """Load an account for the first time and after a night, and count.

    Raises:
        SystemExit: a run is missing.
    """
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    clock = Clock(int(now.timestamp() * 1000))
    state = make_state(account, clock.now_ms())
    with Emulator(state, clock) as emulator, TemporaryDirectory(prefix="emr-usage-bench-") as folder:
        first = _load(emulator, Path(folder), settings)
        clock.move_to(clock.now_ms() + DAY_MS)
        night = _load(emulator, Path(folder), settings)
        runs = sum(account.sizes)
        with duckdb.connect(str(Path(folder) / DATABASE), read_only=True) as connection:
            loaded = connection.execute("SELECT count(*) FROM emr_raw.job_runs").fetchall()
        if loaded != [(runs,)]:
            raise SystemExit(f"{account.label}: {loaded} runs loaded, {runs} expected")
        return Requests(account, first, night, runs)


def make_state(account: Account, now_ms: int) -> State:
    """Return an account's runs, evenly over 90 days and the night after; the same at each call but for the time."""
    chance = random.Random(2026)
    state = State()
    number = 0
    for position, size in enumerate(account.sizes):
        workspace_id = f"w-{position:03}"
        state.add_workspace(workspace_id, REGION)
        for _ in range(size):
            number += 1
            start_ms = now_ms + DAY_MS - LONGEST_MS - chance.randrange(DAYS * DAY_MS)
            state.add(
                Run(
                    workspace_id,
                    f"jr-{number:06}",
                    start_ms,
                    start_ms=start_ms,
                    end_ms=start_ms + chance.randrange(SHORTEST_MS, LONGEST_MS),
                    is_workflow=bool(account.workflow_of) and number % account.workflow_of == 0,
                    settle_ms=0,
                )
            )
    return state


def _load(emulator: Emulator, folder: Path, settings: dict[str, Any]) -> int:
    before = len(emulator.requests)
    pipeline = dlt.pipeline(
        "requests",
        destination=dlt.destinations.duckdb(str(folder / DATABASE)),
        dataset_name="emr_raw",
        pipelines_dir=str(folder),
    )
    given: dict[str, Any] = {
        "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
        "region_ids": [REGION],
        "endpoint": emulator.url,
        "initial_days": DAYS,
    }
    load = run(pipeline, emr_serverless(as_of=emulator.clock.now(), **(given | settings)))
    if load.stats.incomplete:
        raise SystemExit(f"Incomplete: {load.stats.incomplete[0]}")
    return len(emulator.requests) - before


def render_requests(counted: list[Requests]) -> str:
    """Return the table of the page."""
    lines = [f"| {each.account.label} | {each.first:,} | {each.night:,} |" for each in counted]
    return "\n".join(["| requests for | first load of 90 days | a night |", "|---|---:|---:|", *lines])


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    print(render_requests([count_requests(account) for account in ACCOUNTS]))

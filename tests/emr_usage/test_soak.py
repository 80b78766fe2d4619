"""Hundreds of loads of a changing account, with faults and kills: tables equal the API, and only tables grow."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from cli_harness import CliHarness, assert_equal, assert_no_doubles
from emr_usage.emulator import Faults
from oracle import actual_tables, expected_tables, query
from process_pool import FaultInjection, ProcessPool
from small_account import REGIONS
from soak_world import World

LOADS = int(os.environ.get("SOAK_LOADS", "300"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
FAULTS = dict.fromkeys(
    (
        *("throttle_400", "throttle_429_retry_after", "throttle_503", "error_500", "error_502_html", "error_200_html"),
        *("drop", "truncate", "garbage", "repeat_token", "empty_page_with_token", "expire_token", "nonce_used"),
    ),
    0.02,
)
MERGE = "dlt.destinations.job_client_impl:SqlLoadJob.run"
# How often each kind of load happens.
KINDS = {
    "quiet": 10,
    "faults": 6,
    "request process killed": 4,
    "killed by a request": 3,
    "killed at a file": 3,
    "killed at a merge": 2,
}
FIELDS = 10
# The first of so many parts of the loads is that of a young account, in which the new fields appear. It is not compared.
YOUNG_OF = 5
# How much larger the second half of the loads may be than the first.
TOLERANCE = 1.15


@dataclass(frozen=True)
class Sizes:
    """What must not grow, after a load without faults.

    Attributes:
        memory_kb: of the process that loads again and again.
        state_bytes: dlt's state, decompressed.
        working_bytes, working_files: beside the database, and in the folder of temporary files.
        bytes_per_run: of the database.
        requests, windows: of this load.
    """

    memory_kb: float
    state_bytes: float
    working_bytes: float
    working_files: float
    bytes_per_run: float
    requests: float
    windows: float


class Mischief(Faults):
    """Faults while the clock moves, and one action when so many requests have arrived."""

    def __init__(self, seed: int, rates: dict[str, float], move: Callable[[], None], act: Callable[[], None], at: int) -> None:
        super().__init__(seed=seed, rates=rates, retry_after_ms=1, retry_after_seconds=0)
        self._move = move
        self._act = act
        self._left = at

    def take(self, request_key: str) -> str | None:
        """Let a little time pass."""
        self._move()
        with self._lock:
            self._left -= 1
            is_now = self._left == 0
        if is_now:
            self._act()
        return super().take(request_key)


class Loader:
    """The process that loads again and again."""

    def __init__(self, cli: CliHarness) -> None:
        self._cli = cli
        program = str(Path(__file__).parents[1] / "soak_loader.py")
        self._process = subprocess.Popen(
            [sys.executable, program],
            cwd=cli.folder,
            env=cli.usual_environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self) -> dict[str, Any]:
        """Load until the emulator's present."""
        asked = {
            "database": str(self._cli.database),
            "endpoint": self._cli.emulator.url,
            "as_of": self._cli.emulator.clock.now().isoformat(),
            "region_ids": sorted(set(REGIONS.values())),
        }
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the process that loads has ended"
        done: dict[str, Any] = json.loads(answer)
        return done

    @property
    def memory_kb(self) -> int:
        """Resident memory."""
        return int(_ps("rss=", "-p", str(self._process.pid)))

    def kill_request_process(self) -> None:
        """Kill one of the processes that it has started, if there is one."""
        for line in _ps("pid=,ppid=", "-A").splitlines():
            pid, parent = map(int, line.split())
            if parent == self._process.pid:
                os.kill(pid, signal.SIGKILL)
                return

    def end(self) -> None:
        """End it."""
        with self._process as process:
            process.kill()


def _ps(columns: str, *options: str) -> str:
    return subprocess.run(["ps", "-o", columns, *options], check=True, capture_output=True, text=True).stdout


class Soak:
    """Loads an account again and again."""

    def __init__(self, cli: CliHarness, world: World, loader: Loader, chance: random.Random) -> None:
        self._cli = cli
        self._world = world
        self._loader = loader
        self._chance = chance
        self.sizes: list[Sizes] = []

    def load(self, kind: str) -> None:
        """Load once, in one of `KINDS`."""
        if kind == "quiet":
            before = len(self._cli.emulator.requests)
            assert self._loader.load() == {"incomplete": 0, "error": None}
            self.sizes.append(self._measure(len(self._cli.emulator.requests) - before))
            return
        emulator, chance = self._cli.emulator, self._chance
        rates = FAULTS if kind == "faults" else {}
        act: Callable[[], None] = self._loader.kill_request_process if kind == "request process killed" else lambda: None
        emulator.faults = Mischief(
            chance.randrange(10**6), rates, lambda: emulator.clock.advance(seconds=1), act, chance.randint(10, 40)
        )
        try:
            if kind in {"faults", "request process killed"}:
                done = self._loader.load()
                assert kind == "faults" or done == {"incomplete": 0, "error": None}
            else:
                self._kill_command(kind)
        finally:
            emulator.faults = Faults()

    def _kill_command(self, kind: str) -> None:
        cli, chance = self._cli, self._chance
        assert cli.process_pool
        fault = FaultInjection()
        if kind == "killed at a file":
            fault = FaultInjection(effects=chance.randint(1, 300))
        if kind == "killed at a merge":
            fault = FaultInjection(MERGE, chance.choice(["before", "after"]), chance.randint(1, 8))
        pid = cli.process_pool.start(["load", "--json", *cli.source_options], cli.folder, cli.usual_environment, fault)
        if kind == "killed by a request":
            cli.emulator.faults = Mischief(
                0,
                {},
                lambda: cli.emulator.clock.advance(seconds=1),
                lambda: os.kill(pid, signal.SIGKILL),
                chance.randint(1, 30),
            )
        # One that had fewer files to write, or had sent its requests already, ends as usual.
        assert cli.process_pool.wait().code in {0, -signal.SIGKILL}

    def assert_true(self) -> None:
        """See that the tables hold what the API answers, after a load without faults."""
        assert_equal(actual_tables(self._cli.database), expected_tables(self._cli.emulator, REGIONS))
        assert_no_doubles(self._cli.database)

    def _measure(self, requests: int) -> Sizes:
        database = self._cli.database
        ((packed,),) = query(
            database,
            "SELECT state FROM emr_raw._dlt_pipeline_state WHERE pipeline_name = 'emr_usage' ORDER BY version DESC LIMIT 1",
        )
        ((runs, windows),) = query(
            database,
            "SELECT (SELECT count(*) FROM emr_raw.job_runs),"
            " (SELECT count(*) FROM emr_raw.extraction_windows WHERE load = (SELECT max(load) FROM emr_raw.extraction_windows))",
        )
        folders = (database.with_name(f"{database.name}.dlt"), self._cli.folder / "tmp")
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return Sizes(
            memory_kb=self._loader.memory_kb,
            state_bytes=len(zlib.decompress(base64.b64decode(packed))),
            working_bytes=sum(path.stat().st_size for path in files),
            working_files=len(files),
            bytes_per_run=database.stat().st_size / runs,
            requests=requests,
            windows=windows,
        )


@contextmanager
def soaked(folder: Path, process_pool: ProcessPool, chance: random.Random) -> Iterator[tuple[Soak, World]]:
    world = World(chance)
    (folder / "tmp").mkdir()
    with world.emulator as emulator:
        cli = CliHarness(folder, emulator, REGIONS, process_pool, {"TMPDIR": str(folder / "tmp")})
        loader = Loader(cli)
        try:
            yield Soak(cli, world, loader, chance), world
        finally:
            loader.end()
        assert emulator.failures == []


def test_consecutive_accidents_of_each_kind_are_recovered(tmp_path: Path, process_pool: ProcessPool) -> None:
    with soaked(tmp_path, process_pool, random.Random(7)) as (soak, world):
        for kind in ("quiet", *list(KINDS)[1:], "quiet"):
            soak.load(kind)
            world.step(with_new_field=True)
        soak.load("quiet")
        soak.assert_true()
    folders = [path.name for path in tmp_path.glob("*.dlt/emr_usage/normalize/*") if path.is_dir()]
    assert folders == ["extracted"], "what killed loads had begun is left behind"


# Each load takes a second or two.
@pytest.mark.soak
@pytest.mark.timeout(60 + 30 * LOADS)
def test_only_the_tables_grow(tmp_path: Path, process_pool: ProcessPool) -> None:
    chance = random.Random(SEED)
    show(f"{LOADS} loads, SOAK_SEED={SEED}")
    with soaked(tmp_path, process_pool, chance) as (soak, world):
        for number in range(1, LOADS + 1):
            world.step(with_new_field=number % max(1, LOADS // YOUNG_OF // FIELDS) == 0 and world.fields < FIELDS)
            kind = "quiet" if number % 25 == 0 else chance.choices(list(KINDS), weights=list(KINDS.values()))[0]
            soak.load(kind)
            if number % 25 == 0:
                soak.assert_true()
                show(f"{number} of {LOADS}: {json.dumps(asdict(soak.sizes[-1]))}")
        soak.load("quiet")
        soak.assert_true()
    settled = soak.sizes[len(soak.sizes) // YOUNG_OF :]
    halves = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    grown = {}
    for name in asdict(settled[0]):
        before, after = (median(getattr(each, name) for each in half) for half in halves)
        show(f"{name}: {before:,.0f} in the first half, {after:,.0f} in the second")
        if after > TOLERANCE * before:
            grown[name] = (before, after)
    assert not grown, f"SOAK_SEED={SEED}: the second half is larger than the first"


def show(line: str) -> None:
    """Print progress, whatever pytest captures."""
    print(line, file=sys.__stderr__, flush=True)

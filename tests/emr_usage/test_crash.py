"""A load that is killed at any step leaves complete packages and certified cursors, and the next load adds the rest."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dlt.destinations.job_client_impl import SqlLoadJob
from dlt.pipeline.exceptions import PipelineStepFailed

from cli_harness import KEYS, SEVERAL_PACKAGES, CliHarness, assert_no_doubles, assert_readable, tables_of
from emr_serverless import prepare
from emr_serverless.arrow.schema import RAW_TABLES
from emr_usage.emulator import Faults
from emr_usage.pipeline import open_pipeline
from emr_usage.target import Target
from oracle import COLUMNS, actual_tables, expected_tables, query
from process_pool import FaultInjection, ProcessPool
from small_account import REGIONS, pass_a_night, served

KILLED = -signal.SIGKILL
PIPELINE = "dlt.pipeline.pipeline:Pipeline"
COPY_JOB = "dlt.destinations.impl.duckdb.duck:DuckDbCopyJob.run"
SQL_JOB = "dlt.destinations.job_client_impl:SqlLoadJob.run"
PACKAGE_FILES = "dlt.common.storages.load_package:PackageStorage"
DESTINATION = "dlt.destinations.job_client_impl:SqlJobClientBase"
# Each raw table is copied, then merged; dlt's state is copied.
MERGES = len(RAW_TABLES)
COPIES = MERGES + 1
# The requests are spread over the whole load, and not over its first package.
FEW_CONNECTIONS = ("--max-connections", "2")

STEPS = {
    "before the database is read": FaultInjection(f"{PIPELINE}._sync_destination"),
    "in extract, with the first batch": FaultInjection("emr_serverless.sync.batch:Package.take_batch", "after"),
    "in extract, with the cursors moved": FaultInjection("emr_serverless.sync.scheduler:Scheduler._save", "after"),
    "in extract, of the second package": FaultInjection("emr_serverless.sync.batch:Package.take_batch", "after", 2),
    "extracted, before the package is committed": FaultInjection("dlt.extract.extract:Extract.commit_packages"),
    "extracted and committed, before state.json": FaultInjection("dlt.extract.extract:Extract.commit_packages", "after"),
    "second package committed, before state.json": FaultInjection("dlt.extract.extract:Extract.commit_packages", "after", 2),
    "in normalize, with a file moved": FaultInjection("dlt.normalize.normalize:Normalize.spool_files"),
    "in normalize, before the package is committed": FaultInjection(
        "dlt.common.storages.load_storage:LoadStorage.commit_new_load_package"
    ),
    "after normalize": FaultInjection(f"{PIPELINE}.normalize", "after"),
    "in load, before the tables are created": FaultInjection(f"{DESTINATION}.update_stored_schema"),
    "in load, with some tables created": FaultInjection(f"{DESTINATION}.update_stored_schema", "after"),
    "in load, with the first job recorded as started": FaultInjection(f"{PACKAGE_FILES}.start_job", "after"),
    "in load, before a committed job is recorded": FaultInjection(f"{PACKAGE_FILES}.save_pending_transition"),
    "in load, with a committed job recorded": FaultInjection(f"{PACKAGE_FILES}.save_pending_transition", "after"),
    "in load, with a job moved away": FaultInjection(f"{PACKAGE_FILES}.complete_job", "after"),
    "in load, before the last job is moved away": FaultInjection(f"{PACKAGE_FILES}.complete_job", "before", COPIES + MERGES),
    "before the package is recorded as loaded": FaultInjection(f"{DESTINATION}.complete_load"),
    "with the package recorded as loaded": FaultInjection(f"{DESTINATION}.complete_load", "after"),
    "with the second package recorded as loaded": FaultInjection(f"{DESTINATION}.complete_load", "after", 2),
    "after commit, before the staging tables are emptied": FaultInjection("dlt.load.load:Load._maybe_truncate_staging_dataset"),
    "after commit, before the package is moved away": FaultInjection(f"{PACKAGE_FILES}.complete_loading_package"),
    "after commit, with the package moved away": FaultInjection(f"{PACKAGE_FILES}.complete_loading_package", "after"),
    "after commit, before the files are deleted": FaultInjection(f"{PACKAGE_FILES}.remove_completed_jobs"),
    "after the second load": FaultInjection(f"{PIPELINE}.load", "after", 2),
}


def first_middle_last(count: int) -> list[Any]:
    """Return the numbers from 1 to `count`; those that are neither first, middle nor last are left to `make soak`."""
    often = {1, count // 2 + 1, count}
    return [pytest.param(nth, marks=() if nth in often else pytest.mark.soak) for nth in range(1, count + 1)]


@pytest.fixture(autouse=True)
def several_packages(cli: CliHarness) -> None:
    cli.environment = SEVERAL_PACKAGES


@pytest.fixture(scope="module")
def whole_load(process_pool: ProcessPool, tmp_path_factory: pytest.TempPathFactory) -> WholeLoad:
    """Count what a first load does that nobody kills."""
    folder = tmp_path_factory.mktemp("whole")
    with served() as emulator:
        cli = CliHarness(folder, emulator, REGIONS, process_pool, SEVERAL_PACKAGES)
        assert cli.load(*FEW_CONNECTIONS, fault=FaultInjection(calls=-1)).code == 0
        calls = process_pool.counted
        (folder / "emr.duckdb").unlink()
        assert cli.load(*FEW_CONNECTIONS, fault=FaultInjection(effects=-1)).code == 0
        return WholeLoad(len(emulator.requests) // 2, calls, process_pool.counted)


class TestNamedSteps:
    """Each step between two persistent effects."""

    @pytest.mark.parametrize("step", STEPS)
    def test_a_kill_at_any_step_loses_and_duplicates_no_rows(self, cli: CliHarness, step: str) -> None:
        assert cli.load(fault=STEPS[step]).code == KILLED
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)

    @pytest.mark.parametrize(
        ("step", "is_committed"),
        [
            ("in extract, with the cursors moved", False),
            ("extracted, before the package is committed", False),
            ("in load, with a job moved away", True),
            ("after commit, before the package is moved away", True),
        ],
    )
    def test_a_kill_at_any_step_counts_unknown_fields_once(
        self,
        cli: CliHarness,
        step: str,
        is_committed: bool,  # noqa: FBT001  # a parameter of the table
    ) -> None:
        """Every run of the account has the field `invented`; a package of all runs is lost, or loaded by the next load."""
        cli.environment = {}
        assert cli.load(fault=STEPS[step]).code == KILLED
        rows = cli.load().facts["rows"]
        ((runs, counted),) = cli.query("SELECT count(*), (SELECT sum(count) FROM emr_raw.unknown_fields) FROM emr_raw.job_runs")
        assert counted == rows + (runs if is_committed else 0)


class TestLoadJobs:
    """Each job commits separately: if it is killed after its commit and before dlt records it, it runs again."""

    @pytest.mark.parametrize("nth", first_middle_last(COPIES))
    def test_a_kill_after_a_staging_copy_is_recovered(self, cli: CliHarness, nth: int) -> None:
        assert cli.load(fault=FaultInjection(COPY_JOB, "after", nth)).code == KILLED
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)

    @pytest.mark.parametrize("nth", first_middle_last(MERGES))
    def test_a_kill_after_a_merge_is_recovered(self, cli: CliHarness, nth: int) -> None:
        assert cli.load(fault=FaultInjection(SQL_JOB, "after", nth)).code == KILLED
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)

    def test_repeated_kills_are_recovered(self, cli: CliHarness) -> None:
        """A package that was started twice, with other versions of its runs already in the tables."""
        assert cli.load().code == 0
        for fault in (
            FaultInjection(COPY_JOB, "after", 4),
            FaultInjection(SQL_JOB, "after", 2),
            FaultInjection(SQL_JOB, "after", 6),
        ):
            pass_a_night(cli.emulator)
            assert cli.load(fault=fault).code == KILLED
            assert_readable(cli.database)
            assert_no_doubles(cli.database)
        assert_next_load_whole(cli)


def test_a_merge_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """dlt by itself commits the DELETE first: a load killed before the INSERT would leave runs in no table."""
    pipeline = open_pipeline(Target(database=tmp_path / "emr.duckdb"))
    prepare(pipeline)
    hints: dict[str, Any] = {
        "table_name": "runs",
        "write_disposition": "merge",
        "primary_key": "id",
        "loader_file_format": "parquet",
    }
    pipeline.run([{"id": 1, "state": "Running"}], **hints)

    fragments_of = SqlLoadJob._split_fragments  # noqa: SLF001  # between two statements is where it is to break

    def broken_off(job: SqlLoadJob, sql: str) -> list[str]:
        delete, *others = fragments_of(job, sql)
        return [delete, "SELECT error('broken off')", *others]

    monkeypatch.setattr(SqlLoadJob, "_split_fragments", broken_off)
    with pytest.raises(PipelineStepFailed, match="broken off"):
        pipeline.run([{"id": 1, "state": "Success"}], **hints)
    assert query(tmp_path / "emr.duckdb", "SELECT state FROM emr_raw.runs") == [("Running",)]
    monkeypatch.undo()
    pipeline.run()
    assert query(tmp_path / "emr.duckdb", "SELECT state FROM emr_raw.runs") == [("Success",)]


@pytest.mark.soak
class TestRandomPoints:
    """Random points: during a request, before a file is changed, and between two calls of Python functions."""

    @pytest.mark.parametrize("seed", range(3))
    def test_a_kill_at_a_random_request_is_recovered(
        self, cli: CliHarness, process_pool: ProcessPool, seed: int, whole_load: WholeLoad
    ) -> None:
        faults = cli.emulator.faults = KillingFaults(random.Random(seed).randint(1, whole_load.requests))
        arguments = ["load", *cli.source_options, *FEW_CONNECTIONS]
        faults.victim(process_pool.start(arguments, cli.folder, cli.usual_environment))
        assert process_pool.wait().code == KILLED
        cli.emulator.faults = Faults()
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)

    # Threads make the numbers vary a little; the last tenth is not aimed at, so that every child dies.
    @pytest.mark.parametrize("seed", range(5))
    def test_a_kill_before_a_random_file_change_is_recovered(self, cli: CliHarness, seed: int, whole_load: WholeLoad) -> None:
        last = int(random.Random(seed).uniform(0.02, 0.9) * whole_load.effects)
        assert cli.load(*FEW_CONNECTIONS, fault=FaultInjection(effects=last)).code == KILLED
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)

    @pytest.mark.parametrize("seed", range(3))
    def test_a_kill_at_a_random_call_is_recovered(self, cli: CliHarness, seed: int, whole_load: WholeLoad) -> None:
        last = int(random.Random(seed).uniform(0.05, 0.9) * whole_load.calls)
        assert cli.load(*FEW_CONNECTIONS, fault=FaultInjection(calls=last)).code == KILLED
        assert_only_whole_packages(cli)
        assert_next_load_whole(cli)


@dataclass(frozen=True)
class WholeLoad:
    """What a load does that nobody kills, by number."""

    requests: int
    calls: int
    effects: int


class KillingFaults(Faults):
    """Kills a process when so many requests have arrived."""

    def __init__(self, last: int) -> None:
        super().__init__()
        self._left = last
        self._pid = 0
        self._known = threading.Event()

    def victim(self, pid: int) -> None:
        """Say whom to kill."""
        self._pid = pid
        self._known.set()

    def take(self, request_key: str) -> str | None:
        """Kill at the last request; the answer finds nobody."""
        with self._lock:
            self._left -= 1
            is_last = self._left == 0
        if is_last and self._known.wait(timeout=60):
            os.kill(self._pid, signal.SIGKILL)
        return super().take(request_key)


def assert_next_load_whole(cli: CliHarness) -> None:
    """See that after another night the next load has everything, once; it needs no second package for that."""
    pass_a_night(cli.emulator)
    cli.environment = {}
    cli.load_whole()


def assert_only_whole_packages(cli: CliHarness) -> None:
    """See that what is committed after a killed first load is whole and true, and that nothing else claims to be.

    A package is committed by its row in `_dlt_loads`. Until then its tables may be filled one by one, each at once; what they
    hold is true already, and no cursor and no certificate speaks of it.
    """
    assert_readable(cli.database)
    if not cli.database.exists() or not tables_of(cli.database):
        return
    assert_no_doubles(cli.database)
    present = [name for name in COLUMNS if name in tables_of(cli.database)]
    actual, expected = actual_tables(cli.database, present), expected_tables(cli.emulator, cli.regions)
    for name, rows in actual.items():
        untrue = [row for row in rows if row not in expected[name]]
        assert not untrue, f"{name} holds what was never true: {untrue[:2]}"
    if "_dlt_loads" not in tables_of(cli.database):
        return
    committed = {row[0] for row in cli.query("SELECT load_id FROM emr_raw._dlt_loads WHERE status = 0")}
    assert_one_package_begun(cli, committed)
    assert_children_of_committed_runs(cli, committed, actual, expected)
    loaded = {(row[0], row[1]) for row in actual.get("job_runs", [])}
    for workspace_id, axis, first_ms, last_ms in committed_claims(cli, committed):
        assert_all_there(cli, loaded, workspace_id, axis, (first_ms, last_ms))


def assert_one_package_begun(cli: CliHarness, committed: set[str]) -> None:
    begun: set[str] = set()
    for table in KEYS:
        if table in tables_of(cli.database):
            begun |= {row[0] for row in cli.query(f"SELECT DISTINCT _dlt_load_id FROM emr_raw.{table}")} - committed
    assert len(begun) <= 1, f"more than one package is half loaded: {begun}"


def assert_children_of_committed_runs(
    cli: CliHarness, committed: set[str], actual: dict[str, Any], expected: dict[str, Any]
) -> None:
    rows = cli.query("SELECT workspace_id, job_run_id, _dlt_load_id FROM emr_raw.job_runs") if "job_runs" in actual else []
    keys = {(row[0], row[1]) for row in rows if row[2] in committed}
    for name in actual:
        of_committed = [[row for row in tables[name] if (row[0], row[1]) in keys] for tables in (actual, expected)]
        assert of_committed[0] == of_committed[1], f"{name} lacks rows of committed runs"


def committed_claims(cli: CliHarness, committed: set[str]) -> Iterator[tuple[str, str, int, int]]:
    """Yield what is said to be complete, as workspace, axis, first and last millisecond: windows and cursors."""
    if not committed:
        return
    names = ", ".join(f"'{load_id}'" for load_id in sorted(committed))
    yield from cli.query(
        "SELECT workspace_id, axis, epoch_ms(window_start), epoch_ms(window_end) FROM emr_raw.extraction_windows"
        f" WHERE status = 'complete' AND axis IN ('start', 'end') AND _dlt_load_id IN ({names})"
    )
    states = cli.query(
        f"SELECT state FROM emr_raw._dlt_pipeline_state WHERE _dlt_load_id IN ({names}) ORDER BY version DESC LIMIT 1"
    )
    ((packed,),) = states
    state = json.loads(zlib.decompress(base64.b64decode(packed)))
    checkpoints = state["sources"]["emr_serverless"]["sync"].get("checkpoints", {})
    horizon_ms = cli.emulator.clock.now_ms()
    reach_ms = horizon_ms - 8 * 86_400_000 + 1
    for key, cursors in checkpoints.items():
        workspace_id = key.rpartition("/")[2]
        yield workspace_id, "start", reach_ms, cursors["started_through"]
        yield workspace_id, "end", reach_ms, cursors["ended_through"]


def assert_all_there(
    cli: CliHarness, loaded: set[tuple[str, str]], workspace_id: str, axis: str, bounds: tuple[int, int]
) -> None:
    now_ms = cli.emulator.clock.now_ms()
    for run in cli.emulator.state.runs(workspace_id):
        moment = run.submit_ms if axis == "start" else run.end_ms
        if moment is not None and bounds[0] <= moment <= min(bounds[1], now_ms):
            assert (workspace_id, run.job_run_id) in loaded, f"{run.job_run_id} is missing in a certified {axis} range {bounds}"

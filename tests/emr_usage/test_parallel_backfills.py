"""Backfills and a load into one PostgreSQL database run concurrently from separate folders."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psycopg2
import pytest

from cli_harness import SEVERAL_PACKAGES
from postgres import PostgresServer, postgres_server
from postgres_cli import TO_POSTGRES, PostgresCliHarness
from process_pool import PATIENCE_SECONDS, FaultInjection, Finished, ProcessPool
from small_account import REGIONS, pass_a_night, served

# The load reads one day; the backfills all before it.
HISTORY = ("2026-10-25", "2026-10-27", "2026-10-29", "2026-11-01")
CHILDREN = ("job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments")
# In one statement, which sees one snapshot: rows of a run that were not returned by one request.
TORN_SQL = " UNION ALL ".join(
    f"SELECT '{child}', job_run_id FROM emr_raw.{child} AS child"
    " LEFT JOIN emr_raw.job_runs AS run USING (workspace_id, job_run_id)"
    " WHERE child.observed_at IS DISTINCT FROM run.observed_at"
    for child in CHILDREN
)
REMAINS_SQL = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'emr\\_raw\\_%'"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, process_pool: ProcessPool, server: PostgresServer) -> Iterator[PostgresCliHarness]:
    with served() as emulator:
        yield PostgresCliHarness(tmp_path, emulator, REGIONS, process_pool, SEVERAL_PACKAGES, server.new_database("parallel"))
        assert emulator.failures == []


def elsewhere(cli: PostgresCliHarness, name: str, **changes: object) -> PostgresCliHarness:
    """Return a command line on another machine, as it were, that loads into the same database."""
    folder = cli.folder / name
    folder.mkdir()
    return replace(cli, folder=folder, **changes)  # type: ignore[arg-type]


def backfill(cli: PostgresCliHarness, first: str, after: str, fault: FaultInjection | None = None) -> Finished:
    return cli.run("backfill", "--from", first, "--to", after, "--json", *cli.source_options, fault=fault)


@contextmanager
def reader(address: str) -> Iterator[list[object]]:
    """Look for runs beside children of another version, again and again; yields what was found, and how often it looked."""
    found: list[object] = []
    looks = 0
    is_over = threading.Event()

    def look() -> None:
        nonlocal looks
        with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not is_over.wait(0.002):
                cursor.execute("SELECT to_regclass('emr_raw.job_run_arguments')")
                if cursor.fetchone() != (None,):
                    cursor.execute(TORN_SQL)
                    found.extend(cursor.fetchall())
                    looks += 1

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()
    assert looks > 100


def test_the_first_load_and_backfills_can_run_concurrently(cli: PostgresCliHarness) -> None:
    cli.environment = {}
    commands = [["load", "--initial-days", "1"], *(["backfill", "--from", first, "--to", to] for first, to in pairwise(HISTORY))]
    clis = [elsewhere(cli, f"cli-{number}") for number in range(len(commands))]
    with reader(cli.address) as torn:
        processes = [each.start(*command, "--json", *cli.source_options) for each, command in zip(clis, commands, strict=True)]
        done = [each.end(process) for each, process in zip(clis, processes, strict=True)]
    assert [(each.code, each.err) for each in done] == [(0, "")] * 4
    assert torn == []
    cli.assert_whole()
    assert cli.query(REMAINS_SQL) == [("emr_raw_staging",)]
    pass_a_night(cli.emulator)
    with reader(cli.address) as torn:
        elsewhere(cli, "night").load_whole()
    assert torn == []

    # What one of them has certified, none reads again, wherever it runs.
    requests = len(cli.emulator.requests)
    again = [backfill(elsewhere(cli, f"again-{first}"), first, to) for first, to in pairwise(HISTORY)]
    assert [(each.code, each.facts["rows"]) for each in again] == [(0, 0)] * 3
    # The lists of workspaces of two regions.
    assert len(cli.emulator.requests) - requests == 2 * len(again)
    states = "SELECT pipeline_name, count(*) FROM emr_raw._dlt_pipeline_state WHERE pipeline_name LIKE '%backfill%' GROUP BY 1"
    assert [rows for _, rows in cli.query(states)] == [1, 1, 1]


def test_the_newest_observation_is_kept(cli: PostgresCliHarness) -> None:
    """After a backfill has read its runs and before it merges them, they end, get new tags, and are loaded by another process."""
    cli.environment = {}
    cli.load_whole()
    assert cli.process_pool
    slow, other = elsewhere(cli, "slow"), elsewhere(cli, "other", process_pool=None)
    command = ("backfill", "--from", HISTORY[0], "--to", HISTORY[-1], "--json", *cli.source_options)
    before_the_merge = FaultInjection("dlt.pipeline.pipeline:Pipeline.normalize", "before", 1, "SIGSTOP")
    pid = cli.process_pool.start([*command, *TO_POSTGRES], slow.folder, slow.usual_environment, before_the_merge)
    try:
        wait_until_stopped(pid)
        pass_a_night(cli.emulator)
        other.load_whole()
        refused = other.run(*command)
    finally:
        os.kill(pid, signal.SIGCONT)
        done = cli.process_pool.wait()
    assert (done.code, done.err, done.facts["rows"] > 0) == (0, "", True)
    cli.assert_whole()
    assert (refused.code, refused.facts["error"]["code"]) == (4, "Busy")
    assert f"process {pid} of user " in refused.sentence
    # Rows that the backfill has replaced do not look lost.
    cli.load_whole()


def wait_until_stopped(pid: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    ask = ["ps", "-o", "state=", "-p", str(pid)]
    while not subprocess.run(ask, capture_output=True, check=True, text=True).stdout.startswith("T"):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_killed_backfill_is_resumed_and_leaves_no_staging_data(cli: PostgresCliHarness) -> None:
    killed = FaultInjection("dlt.destinations.job_client_impl:SqlLoadJob.run", "after", 2)
    assert backfill(cli, HISTORY[0], HISTORY[-1], killed).code == -signal.SIGKILL
    assert len(cli.query(REMAINS_SQL)) == 1
    (working_folder,) = cli.folder.glob("*.dlt")
    assert list(working_folder.iterdir())
    # Another one removes its remains, as far as they can be reached.
    assert backfill(cli, *HISTORY[:2]).code == 0
    assert cli.query(REMAINS_SQL) == []
    assert list(working_folder.iterdir()) == []
    requests = len(cli.emulator.requests)
    assert backfill(elsewhere(cli, "resumed"), HISTORY[0], HISTORY[-1]).code == 0
    resumed = len(cli.emulator.requests) - requests
    assert backfill(cli, HISTORY[0], HISTORY[-1]).facts["rows"] == 0
    cli.load_whole("--initial-days", "1")
    # The first package, which was committed, was not read again.
    requests = len(cli.emulator.requests)
    assert cli.run("backfill", "--force", "--from", HISTORY[0], "--to", HISTORY[-1], "--json", *cli.source_options).code == 0
    assert resumed < len(cli.emulator.requests) - requests

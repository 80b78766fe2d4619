"""Processes from different folders write to one PostgreSQL database one after another."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import psycopg2
import pytest

from gate import Gate
from nursery import Nursery
from postgres import PostgresServer, postgres_server
from postgres_desk import PostgresDesk
from small_account import REGIONS, pass_a_night, served

HISTORY = ("2026-10-26", "2026-10-28", "2026-10-30", "2026-11-01")
HOLDERS_SQL = """
SELECT application_name, pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'emr-usage %'
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, nursery: Nursery, server: PostgresServer) -> Iterator[PostgresDesk]:
    with served() as emulator:
        yield PostgresDesk(tmp_path, emulator, REGIONS, nursery, address=server.new_database("locked"))
        assert emulator.failures == []


def elsewhere(desk: PostgresDesk, name: str) -> PostgresDesk:
    """Return a desk in another folder that loads into the same database."""
    folder = desk.folder / name
    folder.mkdir()
    return replace(desk, folder=folder)


def start_all(desk: PostgresDesk, *options: str) -> list[subprocess.Popen[str]]:
    """Start a load and three backfills, each from a folder of its own."""
    load = ["load", "--initial-days", "1"]
    ranges = pairwise(HISTORY)
    commands = [load, *(["backfill", "--from", first, "--to", after] for first, after in ranges)]
    return [
        elsewhere(desk, f"desk-{number}").start(*command, "--json", *desk.source_options, *options)
        for number, command in enumerate(commands)
    ]


def end_all(desk: PostgresDesk, processes: Sequence[subprocess.Popen[str]]) -> list[int]:
    codes = []
    for process in processes:
        with process:
            codes.append(desk.end(process).code)
    return codes


def holders(desk: PostgresDesk) -> list[tuple[str, int]]:
    with closing(psycopg2.connect(desk.address)) as connection, connection.cursor() as cursor:
        cursor.execute(HOLDERS_SQL)
        return list(cursor.fetchall())


def test_processes_that_wait_load_all_of_it(desk: PostgresDesk) -> None:
    assert end_all(desk, start_all(desk, "--wait", "100")) == [0, 0, 0, 0]
    desk.assert_whole()
    pass_a_night(desk.emulator)
    elsewhere(desk, "another").load_whole()


def test_processes_that_do_not_wait_load_whole_or_not_at_all(desk: PostgresDesk) -> None:
    codes = end_all(desk, start_all(desk))
    assert 0 in codes
    assert set(codes) <= {0, 4}
    desk.load_whole("--initial-days", "8")


def test_who_holds_it_is_named(desk: PostgresDesk) -> None:
    desk.load_whole()
    gate = desk.emulator.faults = Gate(passing=5)
    other = elsewhere(desk, "other")
    with desk.start("load", "--json", *desk.source_options) as first:
        assert gate.reached.wait(60)
        refused = [other.load(), other.run("build", "--json")]
        gate.opened.set()
        done = desk.end(first)
    for second in refused:
        assert (second.code, second.facts["error"]["code"]) == (4, "Busy")
        assert f"process {first.pid} of user " in second.sentence
        assert " on host " in second.sentence
        assert ", since 20" in second.sentence
    assert done.code == 0, done
    assert holders(desk) == []


def test_a_lost_lock_ends_the_load(desk: PostgresDesk) -> None:
    gate = desk.emulator.faults = Gate(passing=5)
    with desk.start("load", "--json", *desk.source_options) as process:
        assert gate.reached.wait(60)
        ((_, backend),) = holders(desk)
        with closing(psycopg2.connect(desk.address)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
        done = desk.end(process)
        gate.opened.set()
    assert (done.code, done.facts["error"]["code"]) == (1, "LostLock")
    assert "Run the same command again" in done.sentence
    desk.load_whole()

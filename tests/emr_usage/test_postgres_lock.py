"""Loads from different folders write to one PostgreSQL database one after another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from gate import Gate
from postgres import PostgresServer, postgres_server
from postgres_cli import PostgresCliHarness
from process_pool import ProcessPool
from small_account import REGIONS, served

HOLDERS_SQL = """
SELECT application_name, pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'emr-usage %'
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def cli(tmp_path: Path, process_pool: ProcessPool, server: PostgresServer) -> Iterator[PostgresCliHarness]:
    with served() as emulator:
        yield PostgresCliHarness(tmp_path, emulator, REGIONS, process_pool, address=server.new_database("locked"))
        assert emulator.failures == []


def elsewhere(cli: PostgresCliHarness, name: str) -> PostgresCliHarness:
    """Return a command line in another folder that loads into the same database."""
    folder = cli.folder / name
    folder.mkdir()
    return replace(cli, folder=folder)


def holders(cli: PostgresCliHarness) -> list[tuple[str, int]]:
    with closing(psycopg2.connect(cli.address)) as connection, connection.cursor() as cursor:
        cursor.execute(HOLDERS_SQL)
        return list(cursor.fetchall())


def test_a_load_waits_for_another_load(cli: PostgresCliHarness) -> None:
    gate = cli.emulator.faults = Gate(passing=5)
    with cli.start("load", "--json", *cli.source_options) as first:
        assert gate.reached.wait(60)
        with elsewhere(cli, "other").start("load", "--json", *cli.source_options, "--wait", "100") as second:
            gate.opened.set()
            assert [cli.end(first).code, cli.end(second).code] == [0, 0]
    cli.assert_whole()


def test_the_holder_of_the_lock_is_reported(cli: PostgresCliHarness) -> None:
    cli.load_whole()
    gate = cli.emulator.faults = Gate(passing=5)
    other = elsewhere(cli, "other")
    with cli.start("load", "--json", *cli.source_options) as first:
        assert gate.reached.wait(60)
        refused = [other.load(), other.run("build", "--json")]
        gate.opened.set()
        done = cli.end(first)
    for second in refused:
        assert (second.code, second.facts["error"]["code"]) == (4, "Busy")
        assert f"process {first.pid} of user " in second.sentence
        assert " on host " in second.sentence
        assert ", since 20" in second.sentence
    assert done.code == 0, done
    assert holders(cli) == []


def test_a_lost_lock_ends_the_load(cli: PostgresCliHarness) -> None:
    gate = cli.emulator.faults = Gate(passing=5)
    with cli.start("load", "--json", *cli.source_options) as process:
        assert gate.reached.wait(60)
        ((_, backend),) = holders(cli)
        with closing(psycopg2.connect(cli.address)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", (backend,))
        done = cli.end(process)
        gate.opened.set()
    assert (done.code, done.facts["error"]["code"]) == (1, "LostLock")
    assert "Run the same command again" in done.sentence
    cli.load_whole()

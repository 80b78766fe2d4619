"""DuckLake, a lake that supports merges: the same command, with the catalog in a DuckDB file or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from cli_harness import INITIAL_DAYS, SEVERAL_PACKAGES, CliHarness, assert_equal
from oracle import COLUMNS, expected_tables
from postgres import postgres_server
from process_pool import ProcessPool
from small_account import NOW, REGIONS, pass_a_night, served

pytestmark = [
    pytest.mark.lake,
    pytest.mark.skipif(
        find_spec("duckdb_extension_ducklake") is None, reason="DuckLake has an environment of its own: make lake"
    ),
]


def install_extensions() -> None:
    """Install DuckDB's extensions from their packages, as docs/lake.md says."""
    with duckdb.connect() as connection:
        for name in ("ducklake", "postgres_scanner"):
            package = Path(str(import_module(f"duckdb_extension_{name}").__file__)).parent
            (path,) = package.rglob("*.duckdb_extension")
            connection.execute(f"INSTALL '{path}'")


@contextmanager
def catalog(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of a catalog."""
    if kind == "duckdb":
        yield f"duckdb:///{folder / 'catalog.duckdb'}"
        return
    with postgres_server() as server:
        yield server.new_database("lake")


@pytest.mark.parametrize("kind", ["duckdb", "postgres"])
def test_loads_and_a_backfill_into_ducklake(
    kind: str, tmp_path: Path, process_pool: ProcessPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    install_extensions()
    with catalog(kind, tmp_path) as address, served() as emulator:
        environment = SEVERAL_PACKAGES | {
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG": address,
            "DESTINATION__DUCKLAKE__CREDENTIALS__METADATA_SCHEMA": "emr",
            "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__BUCKET_URL": str(tmp_path / "files"),
        }
        cli = CliHarness(tmp_path, emulator, REGIONS, process_pool, environment)
        to_lake = ("--destination", "ducklake")
        done = cli.load("--initial-days", "1", *to_lake)
        assert done.code == 0, done
        pass_a_night(emulator)
        assert cli.load(*to_lake).code == 0
        span = ("--from", (NOW - timedelta(days=INITIAL_DAYS)).isoformat(), "--to", NOW.isoformat())
        assert cli.run("backfill", "--json", *span, *cli.source_options, *to_lake).code == 0
        pass_a_night(emulator)
        assert cli.load(*to_lake).code == 0
        assert cli.run("status", "--json", *to_lake).code == 0
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute(f"ATTACH {attached(address)}")
            actual = {
                name: sorted(connection.execute(f"SELECT {columns} FROM lake.emr_raw.{name}").fetchall(), key=repr)
                for name, columns in COLUMNS.items()
            }
        assert_equal(actual, expected_tables(emulator, REGIONS))


def attached(address: str) -> str:
    """Return a catalog as DuckDB attaches it."""
    if address.startswith("duckdb"):
        return f"'ducklake:{address.removeprefix('duckdb:///')}' AS lake"
    return f"'ducklake:postgres:{address}' AS lake (METADATA_SCHEMA 'emr')"

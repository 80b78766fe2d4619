"""One process at a time writes to a DuckDB database, by any of its paths; others report the holder or wait."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from pathlib import Path

import duckdb
import pytest

from cli_harness import CliHarness, assert_readable
from emr_usage.errors import BusyError, FolderError
from emr_usage.lock import Wait, exclusive, wait_for
from emr_usage.pipeline import open_pipeline
from emr_usage.target import Target
from gate import Gate
from small_account import pass_a_night

# Other paths to data/emr.duckdb, seen from the folder above.
WAYS = {
    "relative": "data/emr.duckdb",
    "with dots": "data/../data/./emr.duckdb",
    "a link to the file": "links/emr.duckdb",
    "a link of another name": "links/other.db",
    "a link to a link": "links/second",
    "a linked folder": "links/folder/emr.duckdb",
    "out of a linked folder": "links/deep/../emr.duckdb",
}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where the links of `WAYS` lead, which is not there yet; the working directory is the folder above."""
    (tmp_path / "data" / "below").mkdir(parents=True)
    links = tmp_path / "links"
    links.mkdir()
    (links / "emr.duckdb").symlink_to("../data/emr.duckdb")
    (links / "other.db").symlink_to(tmp_path / "data" / "emr.duckdb")
    (links / "second").symlink_to("other.db")
    (links / "folder").symlink_to("../data")
    (links / "deep").symlink_to("../data/below")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data" / "emr.duckdb"


@pytest.mark.parametrize("way", WAYS)
def test_different_paths_of_a_database_share_a_lock(database: Path, way: str) -> None:
    one, other = open_pipeline(Target(database=database)), open_pipeline(Target(database=Path(WAYS[way])))
    assert one.pipelines_dir == other.pipelines_dir
    with exclusive(one), pytest.raises(BusyError), exclusive(other):
        pass
    with exclusive(other), pytest.raises(BusyError), exclusive(one):
        pass


@pytest.mark.parametrize("way", WAYS)
def test_one_database_is_locked_regardless_of_its_working_files(
    database: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    one = open_pipeline(Target(database=database))
    monkeypatch.setenv("DLT_DATA_DIR", str(database.parent / "dlt"))
    other = open_pipeline(Target(database=Path(WAYS[way])))
    assert one.pipelines_dir != other.pipelines_dir
    with exclusive(one), pytest.raises(BusyError), exclusive(other):
        pass


def test_databases_in_the_same_folder_have_separate_locks(tmp_path: Path) -> None:
    targets = [Target(database=tmp_path / name) for name in ("emr.duckdb", "other.duckdb")]
    with exclusive(open_pipeline(targets[0])), exclusive(open_pipeline(targets[1])):
        pass


def test_the_lock_file_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "emr.duckdb.lock").write_text('{"host": "gone", "pid": 1, "user": "nobody"}')
    with exclusive(open_pipeline(Target(database=tmp_path / "emr.duckdb"))):
        assert '"gone"' not in (tmp_path / "emr.duckdb.lock").read_text()


def test_an_unwritable_lock_file_is_reported_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "emr.duckdb.lock").mkdir()
    with (
        pytest.raises(FolderError, match=re.escape(str(tmp_path))),
        exclusive(open_pipeline(Target(database=tmp_path / "emr.duckdb"))),
    ):
        pass


def test_waiting_for_a_lock_retries_and_reports_the_holder_once() -> None:
    users: list[str] = []
    left = iter([BusyError("process 1"), duckdb.IOException("Could not set lock on file x (PID 2)"), None])

    def attempt() -> str:
        error = next(left)
        if error:
            raise error
        return "done"

    assert wait_for(attempt, Wait(60, users.append)) == "done"
    assert users == ["another emr-usage: process 1"], "said once"
    with pytest.raises(ValueError, match="other"):
        wait_for(lambda: (_ for _ in ()).throw(ValueError("other")), Wait(60, users.append))


def test_loads_through_a_symlink_share_a_lock(cli: CliHarness) -> None:
    gate = cli.emulator.faults = Gate(passing=5)
    (cli.folder / "link.duckdb").symlink_to("emr.duckdb")
    with cli.start("load", "--json", *cli.source_options) as first:
        assert gate.reached.wait(60)
        second = cli.load("--database", "link.duckdb")
        gate.opened.set()
        done = cli.end(first)
    assert (second.code, second.facts["error"]["code"]) == (4, "Busy")
    assert re.search(
        rf"The database link.duckdb is in use by another emr-usage: process {first.pid} of user \S+ on host \S+, since 20",
        second.sentence,
    )
    assert done.code == 0, done
    cli.assert_whole()
    assert not (cli.folder / "link.duckdb.dlt").exists()
    pass_a_night(cli.emulator)
    assert cli.load("--database", "link.duckdb").code == 0
    cli.assert_whole()


def test_a_load_waits_for_another_load(cli: CliHarness) -> None:
    gate = cli.emulator.faults = Gate(passing=5)
    with cli.start("load", "--json", *cli.source_options) as first:
        assert gate.reached.wait(60)
        with cli.start("load", "--json", "--wait", "100", *cli.source_options) as second:
            assert f"process {first.pid} of user" in waited(second)
            gate.opened.set()
            assert [cli.end(first).code, cli.end(second).code] == [0, 0]
    cli.assert_whole()


@pytest.mark.parametrize("passing", [None, 5])
def test_a_load_waits_for_another_program_to_close_the_database(cli: CliHarness, passing: int | None) -> None:
    """Before and during a load: DuckDB allows no writer while another process reads."""
    assert cli.load().code == 0
    pass_a_night(cli.emulator)
    gate = Gate(passing or 1_000_000)
    cli.emulator.faults = gate
    reader = duckdb.connect(str(cli.database), read_only=True) if passing is None else None
    with cli.start("load", "--json", "--wait", "100", *cli.source_options) as process:
        if reader is None:
            assert gate.reached.wait(60)
            reader = duckdb.connect(str(cli.database), read_only=True)
            gate.opened.set()
        assert f"in use by another program (process {os.getpid()})" in waited(process)
        reader.close()
        done = cli.end(process)
    assert done.code == 0, done
    cli.assert_whole()


def waited(process: subprocess.Popen[str]) -> str:
    """Return the line in which a command says for whom it waits."""
    assert process.stderr
    patience = threading.Timer(100, process.kill)
    patience.start()
    try:
        return next(line for line in process.stderr if "Waiting for up to 100 s" in line)
    finally:
        patience.cancel()


@pytest.mark.parametrize("reads", [True, False])
def test_a_locked_database_is_reported_with_its_holder(cli: CliHarness, reads: bool) -> None:  # noqa: FBT001
    assert cli.load().code == 0
    with duckdb.connect(str(cli.database), read_only=reads):
        for command in ("build", "load", "status"):
            done = cli.load() if command == "load" else cli.run(command, "--json")
            if reads and command == "status":
                assert done.code == 0, done
                continue
            assert (done.code, done.facts["error"]["code"]) == (4, "DatabaseHeld")
            assert f"(process {os.getpid()})" in done.sentence
        assert cli.run("build", "--json", "--wait", "1").code == 4
    assert_readable(cli.database)

"""Output that cannot be written ends no work and no command with a traceback; names print in any locale."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from command import COMMAND, Desk
from emr_usage.emulator import Faults
from nursery import Fate
from small_account import REGIONS, served

FULL = Path("/dev/full")
NO_SPACE = "Error: The output could not be written (No space left on device).\n"


@pytest.fixture
def loaded(tmp_path: Path) -> Desk:
    with served() as emulator:
        desk = Desk(tmp_path, emulator, REGIONS)
        desk.load_whole()
    return desk


def run(desk: Desk, arguments: list[str], stdout: int, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(COMMAND), *arguments],
        cwd=desk.folder,
        env=desk.usual_environment | environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device here")
def test_a_full_disk_is_reported(loaded: Desk) -> None:
    with FULL.open("w") as full:
        for arguments in (["status"], ["status", "--json"], ["--help"]):
            assert run(loaded, arguments, full.fileno()) == (1, NO_SPACE), arguments


def test_a_reader_who_left_is_no_failure(loaded: Desk) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        assert run(loaded, ["status"], theirs) == (0, "")
    finally:
        os.close(theirs)


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device here")
def test_a_load_is_whole_though_nothing_of_it_can_be_printed(tmp_path: Path) -> None:
    with served(faults=Faults()) as emulator, FULL.open("w") as full:
        desk = Desk(tmp_path, emulator, REGIONS)
        command = [str(COMMAND), "load", *desk.source_options]
        done = subprocess.run(
            command, cwd=desk.folder, env=desk.usual_environment, stdout=full, stderr=full, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 1
        desk.assert_whole()


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_names_print_in_every_locale(desk: Desk, variables: dict[str, str]) -> None:
    plain = Desk(desk.folder, desk.emulator, desk.regions, environment=variables)
    done = plain.run("status", "--database", "风控\x1b[2J.duckdb")
    assert done.code == 1
    assert "\x1b" not in done.err
    assert "\\x1b[2J.duckdb. Load it first" in done.err


def test_init_inputs_on_a_full_disk_leaves_no_half_file(desk: Desk) -> None:
    done = desk.run("init-inputs", fate=Fate(file_bytes=600))
    assert done.code == 1
    assert "inputs cannot be written (File too large)" in done.sentence
    assert list((desk.folder / "inputs").iterdir()) == []
    done = desk.run("init-inputs")
    assert (done.code, done.out.count(": made")) == (0, 3)

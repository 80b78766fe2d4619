"""Errors while printing stop no load and show no traceback; names can be printed in every locale."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli_harness import COMMAND, CliHarness
from emr_usage.emulator import Faults
from process_pool import FaultInjection
from small_account import REGIONS, served

FULL = Path("/dev/full")
NO_SPACE = "Error: The output could not be written (No space left on device).\n"


@pytest.fixture
def loaded(tmp_path: Path) -> CliHarness:
    with served() as emulator:
        cli = CliHarness(tmp_path, emulator, REGIONS)
        cli.load_whole()
    return cli


def run(cli: CliHarness, arguments: list[str], stdout: int, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [str(COMMAND), *arguments],
        cwd=cli.folder,
        env=cli.usual_environment | environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device here")
def test_a_full_disk_is_reported(loaded: CliHarness) -> None:
    with FULL.open("w") as full:
        for arguments in (["status"], ["status", "--json"], ["--help"]):
            assert run(loaded, arguments, full.fileno()) == (1, NO_SPACE), arguments


def test_a_closed_pipe_is_not_an_error(loaded: CliHarness) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        assert run(loaded, ["status"], theirs) == (0, "")
    finally:
        os.close(theirs)


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device here")
def test_a_load_completes_even_if_its_output_cannot_be_printed(tmp_path: Path) -> None:
    with served(faults=Faults()) as emulator, FULL.open("w") as full:
        cli = CliHarness(tmp_path, emulator, REGIONS)
        command = [str(COMMAND), "load", *cli.source_options]
        done = subprocess.run(
            command, cwd=cli.folder, env=cli.usual_environment, stdout=full, stderr=full, stdin=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 1
        cli.assert_whole()


@pytest.mark.parametrize("variables", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}])
def test_names_are_printed_in_every_locale(cli: CliHarness, variables: dict[str, str]) -> None:
    plain = CliHarness(cli.folder, cli.emulator, cli.regions, environment=variables)
    done = plain.run("status", "--database", "风控\x1b[2J.duckdb")
    assert done.code == 1
    assert "\x1b" not in done.err
    assert "\\x1b[2J.duckdb does not exist. Load it first" in done.err


def test_init_inputs_on_a_full_disk_leaves_no_partial_file(cli: CliHarness) -> None:
    done = cli.run("init-inputs", fault=FaultInjection(file_bytes=600))
    assert done.code == 1
    assert "inputs cannot be written to (File too large)" in done.sentence
    assert list((cli.folder / "inputs").iterdir()) == []
    done = cli.run("init-inputs")
    assert (done.code, done.out.count(": written")) == (0, 3)

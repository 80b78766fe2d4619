"""An empty or damaged working folder is restored from the destination; an inaccessible one is reported."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli_harness import SEVERAL_PACKAGES, CliHarness
from emr_usage.pipeline import open_pipeline
from emr_usage.target import Target
from emr_usage.working_folder import LOADED_PACKAGES, remove_loaded_packages
from process_pool import FaultInjection
from small_account import pass_a_night
from unprivileged import run_unprivileged

# In the middle of a package: jobs of all kinds are waiting.
KILLED_IN_LOAD = FaultInjection("dlt.destinations.job_client_impl:SqlLoadJob.run", "after", 2)
KILLED_BEFORE_NORMALIZE = FaultInjection("dlt.extract.extract:Extract.commit_packages", "after")


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def overwritten(pattern: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        paths = [path for path in folder.glob(f"emr_usage/{pattern}") if path.is_file()]
        assert paths, f"there is no {pattern}"
        for path in paths:
            path.write_bytes(content)

    return damage


def cut_off(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (path, *_) = folder.glob(f"emr_usage/{pattern}")
        os.truncate(path, path.stat().st_size // 2)

    return damage


def replaced_by_a_file(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        shutil.rmtree(folder / "emr_usage" / name)
        (folder / "emr_usage" / name).write_text("")

    return damage


DAMAGES = {
    "emptied": emptied,
    "removed": removed,
    "every file without content": overwritten("**/*", b""),
    "state of zeros": overwritten("state.json", b"\0" * 900),
    "state of another form": overwritten("state.json", b"[]"),
    "schema of another form": overwritten("schemas/*.json", b'{"a": 1}'),
    "version unreadable": overwritten("load/.version", b"\xff"),
    "pending rows cut off": cut_off("load/normalized/*/new_jobs/*.parquet"),
    "pending state cut off": cut_off("load/normalized/*/*_jobs/*.gz"),
    "pending statements without content": overwritten("load/normalized/*/*_jobs/*.sql", b""),
    "schema of the package unreadable": overwritten("load/normalized/*/schema.json", b"{"),
    "a file in place of a folder": replaced_by_a_file("load"),
}
# Of the state, the rows and the schema; `make soak` tries them all.
IN_CI = ("every file without content", "pending rows cut off", "schema of the package unreadable")


@pytest.mark.parametrize("kind", [*IN_CI, *(pytest.param(kind, marks=pytest.mark.soak) for kind in DAMAGES if kind not in IN_CI)])
def test_the_working_folder_is_recreated_without_data_loss(cli: CliHarness, kind: str) -> None:
    cli.environment = SEVERAL_PACKAGES
    assert cli.load().code == 0
    pass_a_night(cli.emulator)
    assert cli.load(fault=KILLED_IN_LOAD).code < 0
    DAMAGES[kind](cli.folder / "emr.duckdb.dlt")
    pass_a_night(cli.emulator)
    done = cli.load()
    assert done.code == 0, done
    cli.assert_whole()
    if kind not in {"emptied", "removed"}:
        assert "The working files in " in done.err
        assert "are damaged" in done.err


def test_extracted_files_that_are_damaged_are_read_again(cli: CliHarness) -> None:
    assert cli.load(fault=KILLED_BEFORE_NORMALIZE).code < 0
    cut_off("normalize/extracted/*/new_jobs/job_runs.*.parquet")(cli.folder / "emr.duckdb.dlt")
    pass_a_night(cli.emulator)
    assert cli.load().code == 0
    cli.assert_whole()


def test_damaged_working_files_of_the_inputs_are_ignored(cli: CliHarness) -> None:
    cli.load_whole()
    assert cli.run("init-inputs").code == 0
    folder = cli.folder / "emr.duckdb.dlt/emr_usage_inputs"
    folder.mkdir()
    (folder / "state.json").write_text("{")
    done = cli.run("build")
    assert (done.code, done.err) == (0, "")


def test_an_inaccessible_working_folder_is_reported(cli: CliHarness) -> None:
    cli.load_whole()
    folder = cli.folder / "emr.duckdb.dlt"
    (folder / "emr_usage").chmod(0)
    try:
        done = run_unprivileged(cli, "load", "--json", *cli.source_options)
        assert done.code == 1
        assert done.facts["error"]["code"] == "NoFolder"
        assert f"{folder} cannot be used by this user (Permission denied)" in done.sentence
        status = run_unprivileged(cli, "status", "--json")
        assert status.code == 0
    finally:
        (folder / "emr_usage").chmod(0o700)
    cli.load_whole()


def test_a_file_in_place_of_the_working_folder_is_reported(cli: CliHarness) -> None:
    (cli.folder / "emr.duckdb.dlt").write_text("mine")
    done = cli.load()
    assert (done.code, done.facts["error"]["code"]) == (1, "NoFolder")
    assert "emr.duckdb.dlt is not a folder" in done.sentence
    assert (cli.folder / "emr.duckdb.dlt").read_text() == "mine"


def test_only_the_last_loaded_packages_are_kept(cli: CliHarness) -> None:
    cli.load_whole()
    pipeline = open_pipeline(Target(database=cli.database))
    loaded = Path(pipeline.working_dir, "load", "loaded")
    # Numbers, not texts, decide which are the last.
    names = [f"{number}.5" for number in range(9, 11 + LOADED_PACKAGES)]
    for name in names:
        (loaded / name).mkdir()
    (of_the_load,) = {path.name for path in loaded.iterdir()} - set(names)
    remove_loaded_packages(pipeline)
    assert {path.name for path in loaded.iterdir()} == {of_the_load, *names[1 - LOADED_PACKAGES :]}

"""Read-only commands work in a read-only folder; the others report the folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from cli_harness import CliHarness
from unprivileged import run_unprivileged


@pytest.fixture
def read_only(cli: CliHarness) -> Iterator[CliHarness]:
    """Return a command line whose folder, database and working files cannot be written, and whose marts are made."""
    cli.load_whole()
    assert cli.run("build").code == 0
    paths = [cli.folder, *cli.folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(modes[path] & ~0o222)
    yield cli
    for path, mode in modes.items():
        path.chmod(mode)


# All in one test: making the marts takes longer than all else.
@pytest.mark.timeout(900)
def test_reading_works_and_writing_names_the_folder(read_only: CliHarness, tmp_path_factory: pytest.TempPathFactory) -> None:
    cli = read_only
    before = sorted(cli.folder.rglob("*"))
    status = run_unprivileged(cli, "status", "--json")
    assert (status.code, len(status.facts["workspaces"])) == (0, 3)

    ((job_run_id,),) = cli.query("SELECT min(job_run_id) FROM emr_raw.job_runs")
    explained = run_unprivileged(cli, "explain", job_run_id)
    assert (explained.code, explained.err) == (0, "")
    assert job_run_id in explained.out

    month = f"{cli.emulator.clock.now() - timedelta(days=2):%Y-%m}"
    refused = run_unprivileged(cli, "report", "--month", month)
    assert (refused.code, refused.sentence) == (
        1,
        "reports cannot be written to (Permission denied). Give another folder with --output.",
    )
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    written = run_unprivileged(cli, "report", "--month", month, "--output", str(elsewhere))
    assert (written.code, written.err) == (0, "")
    assert (elsewhere / f"emr-usage-{month}.html").exists()

    for arguments in (["load", *cli.source_options], ["build"], ["init-inputs"]):
        done = run_unprivileged(cli, *arguments)
        assert done.code == 1, done
        assert "Permission denied" in done.sentence
        assert "unexpected" not in done.sentence
        assert str(cli.folder) in done.sentence or "inputs cannot be written" in done.sentence
    assert sorted(cli.folder.rglob("*")) == before


def test_an_unwritable_database_is_reported(cli: CliHarness) -> None:
    cli.load_whole()
    cli.database.chmod(0o444)
    done = run_unprivileged(cli, "load", "--json", *cli.source_options)
    assert (done.code, done.facts["error"]["code"]) == (1, "NoFolder")
    assert "This user cannot write to the database emr.duckdb or its folder (Permission denied)" in done.sentence


def test_a_database_with_a_write_ahead_log_can_be_read(cli: CliHarness) -> None:
    """A write-ahead log that has not been merged yet belongs to the database."""
    cli.load_whole()
    connection = duckdb.connect(str(cli.database))
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    connection.execute("CREATE TABLE noted AS SELECT 1 AS number")
    connection.close()
    log = cli.database.with_name("emr.duckdb.wal")
    assert log.exists()
    status = cli.run("status", "--json")
    assert (status.code, len(status.facts["workspaces"])) == (0, 3)
    assert log.exists(), "a reader writes nothing"

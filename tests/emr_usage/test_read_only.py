"""Commands that only read work where nothing can be written; the others name the folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from command import Desk
from unprivileged import run_unprivileged


@pytest.fixture
def read_only(desk: Desk) -> Iterator[Desk]:
    """Return a desk whose folder, database and working files cannot be written, and whose marts are made."""
    desk.load_whole()
    assert desk.run("build").code == 0
    paths = [desk.folder, *desk.folder.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths}
    for path in paths:
        path.chmod(modes[path] & ~0o222)
    yield desk
    for path, mode in modes.items():
        path.chmod(mode)


# All in one test: making the marts takes longer than all else.
@pytest.mark.timeout(900)
def test_reading_works_and_writing_names_the_folder(read_only: Desk, tmp_path_factory: pytest.TempPathFactory) -> None:
    desk = read_only
    before = sorted(desk.folder.rglob("*"))
    status = run_unprivileged(desk, "status", "--json")
    assert (status.code, len(status.facts["workspaces"])) == (0, 3)

    ((job_run_id,),) = desk.query("SELECT min(job_run_id) FROM emr_raw.job_runs")
    explained = run_unprivileged(desk, "explain", job_run_id)
    assert (explained.code, explained.err) == (0, "")
    assert job_run_id in explained.out

    month = f"{desk.emulator.clock.now() - timedelta(days=2):%Y-%m}"
    refused = run_unprivileged(desk, "report", "--month", month)
    assert (refused.code, refused.sentence) == (
        1,
        "reports cannot be written (Permission denied). Give another folder with --output.",
    )
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    written = run_unprivileged(desk, "report", "--month", month, "--output", str(elsewhere))
    assert (written.code, written.err) == (0, "")
    assert (elsewhere / f"emr-usage-{month}.html").exists()

    for arguments in (["load", *desk.source_options], ["build"], ["init-inputs"]):
        done = run_unprivileged(desk, *arguments)
        assert done.code == 1, done
        assert "Permission denied" in done.sentence
        assert "unexpected" not in done.sentence
        assert str(desk.folder) in done.sentence or "inputs cannot be written" in done.sentence
    assert sorted(desk.folder.rglob("*")) == before


def test_a_database_that_cannot_be_written_is_named(desk: Desk) -> None:
    desk.load_whole()
    desk.database.chmod(0o444)
    done = run_unprivileged(desk, "load", "--json", *desk.source_options)
    assert (done.code, done.facts["error"]["code"]) == (1, "NoFolder")
    assert "The database emr.duckdb or its folder cannot be written by this user (Permission denied)" in done.sentence


def test_what_a_killed_load_left_beside_it_is_read_too(desk: Desk) -> None:
    """A write-ahead log that nobody has merged yet belongs to the database."""
    desk.load_whole()
    connection = duckdb.connect(str(desk.database))
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    connection.execute("CREATE TABLE noted AS SELECT 1 AS number")
    connection.close()
    log = desk.database.with_name("emr.duckdb.wal")
    assert log.exists()
    status = desk.run("status", "--json")
    assert (status.code, len(status.facts["workspaces"])) == (0, 3)
    assert log.exists(), "a reader writes nothing"

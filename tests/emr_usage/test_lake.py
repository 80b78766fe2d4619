"""A lake of Parquet files: its latest rows equal the API after loads, kills, repeated packages and compactions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from cli_harness import INITIAL_DAYS, SEVERAL_PACKAGES
from emr_serverless import CheckSettingsError
from emr_usage.compact import compact
from emr_usage.destinations.filesystem import LakeClient
from emr_usage.destinations.lake_files import list_lake
from emr_usage.lake_copy import copy_lake
from emr_usage.pipeline import open_reader
from lake_cli import BUCKET_URL, LakeCliHarness
from process_pool import FaultInjection, ProcessPool
from small_account import NOW, REGIONS, pass_a_night, served

WRITE = "emr_usage.destinations.filesystem:PartitionedFileJob.run"
VERSIONS = "SELECT workspace_id, job_run_id, observed_at FROM emr_raw.job_runs ORDER BY ALL"


@pytest.fixture
def cli(tmp_path: Path, process_pool: ProcessPool, monkeypatch: pytest.MonkeyPatch) -> Iterator[LakeCliHarness]:
    with served() as emulator:
        lake = ((BUCKET_URL, str(tmp_path / "lake")),)
        made = LakeCliHarness(tmp_path, emulator, REGIONS, process_pool, lake=lake)
        made.set_here(monkeypatch)
        yield made
        assert emulator.failures == []


def files(cli: LakeCliHarness, table: str = "*") -> list[Path]:
    return sorted((cli.folder / "lake" / "emr_raw").glob(f"{table}/**/*.parquet"))


def test_loads_kills_a_backfill_and_compactions_lose_nothing(cli: LakeCliHarness) -> None:
    cli.environment = SEVERAL_PACKAGES
    assert cli.load("--initial-days", "1").code == 0
    before = cli.query(VERSIONS)
    pass_a_night(cli.emulator)
    # Some tables of a package are written and others are not: readers see none of it.
    assert cli.load(fault=FaultInjection(WRITE, "after", 3)).code == -9
    assert cli.query(VERSIONS) == before
    # What the killed load has written, a load without its working files does not need.
    shutil.rmtree(next(cli.folder.glob("emr_usage-filesystem-*.dlt")))
    assert cli.load().code == 0
    assert cli.run("compact", fault=FaultInjection("emr_usage.compact:write_compaction")).code == -9
    span = ("--from", (NOW - timedelta(days=INITIAL_DAYS)).isoformat(), "--to", NOW.isoformat())
    assert cli.run("backfill", "--json", *span, *cli.source_options).code == 0
    many = len(files(cli))
    assert cli.run("compact", "--json").facts["removed"] == 0
    cli.assert_whole()
    # The merged files, and those of the killed compaction, are past their retention.
    assert cli.run("compact", "--retention-hours", "0", "--json").facts["removed"] > many / 2
    assert len(files(cli)) < many / 2
    cli.load_whole()
    status = cli.run("status", "--json")
    (runs,) = cli.query("SELECT count(*) FROM emr_raw.job_runs")
    assert (status.code, status.facts["table_rows"]["job_runs"]) == (0, *runs)


def test_readers_see_only_committed_files(cli: LakeCliHarness) -> None:
    assert cli.load().code == 0
    (month,) = {f"{moment:%Y-%m}" for _, _, moment in cli.query(VERSIONS)}
    for path in files(cli, "job_runs"):
        ids = duckdb.read_parquet(str(path), hive_partitioning=False).unique("workspace_id").fetchall()
        assert path.parts[-3:-1] == (f"workspace={ids[0][0]}", f"month={month}")
        assert len(ids) == 1
    refused = cli.load("--table-format", "delta")
    assert (refused.code, "is loaded in the format parquet" in refused.err) == (2, True)
    pass_a_night(cli.emulator)
    assert cli.load().code == 0
    with open_reader(cli.target) as pipeline, pipeline.sql_client() as client:
        lake = pipeline.destination_client()
        assert isinstance(lake, LakeClient)
        found = list_lake(lake.fs_client, lake.dataset_path)
        assert (found.uncommitted, sum(map(len, found.visible.values()))) == ([], len(files(cli)))
        # A reader that began before a compaction reads to its end.
        tags = client.execute_sql("SELECT count(*) FROM job_run_tags")
        compact(cli.target, datetime.now(UTC), timedelta(hours=1))
        assert client.execute_sql("SELECT count(*) FROM job_run_tags") == tags
    # Two compactions at the same time merge the same files: their rows are there twice, and count once.
    (note,) = (cli.folder / "lake" / "emr_raw" / "_compactions").iterdir()
    first = note.read_bytes()
    note.unlink()
    compact(cli.target, datetime.now(UTC), timedelta(days=1))
    note.write_bytes(first)
    cli.assert_whole()
    with duckdb.connect(str(cli.target.database)) as connection:
        connection.execute("CREATE TABLE emr_raw._dlt_pipeline_state AS SELECT 'emr_usage' AS pipeline_name")
    with pytest.raises(CheckSettingsError, match=r"loaded into .* directly"):
        copy_lake(cli.target)


def test_a_lake_without_a_completed_load_is_reported(cli: LakeCliHarness) -> None:
    for command in ("status", "build", "compact"):
        done = cli.run(command)
        assert done.code == 1
        assert "holds no completed load" in done.err

"""Delta, Iceberg and S3: the latest rows equal the API, as in Parquet files on a local disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from cli_harness import INITIAL_DAYS, SEVERAL_PACKAGES
from lake_cli import BUCKET_URL, LakeCliHarness
from process_pool import FaultInjection, ProcessPool
from small_account import NOW, REGIONS, pass_a_night, served

pytestmark = [
    pytest.mark.lake,
    pytest.mark.skipif(find_spec("deltalake") is None, reason="the formats have an environment of their own: make lake"),
    # Of packages that we do not use ourselves.
    pytest.mark.filterwarnings("default"),
]

JOBS = "dlt.destinations.impl.filesystem.filesystem"
WRITES = {
    "parquet": "emr_usage.destinations.filesystem:PartitionedFileJob.run",
    "delta": f"{JOBS}:DeltaLoadFilesystemJob.run",
    "iceberg": f"{JOBS}:IcebergLoadFilesystemJob.run",
}
KEY = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "REGION_NAME": "us-east-1"}
VERSIONS = "SELECT workspace_id, job_run_id, observed_at FROM emr_raw.job_runs ORDER BY ALL"
NewHarness = Callable[..., LakeCliHarness]


@pytest.fixture
def new_harness(
    tmp_path: Path, process_pool: ProcessPool, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[NewHarness]:
    with served() as emulator:

        def make(bucket: str | None) -> LakeCliHarness:
            lake = {BUCKET_URL: str(tmp_path / "lake")}
            if bucket:
                settings = KEY | {"ENDPOINT_URL": create_bucket(request.getfixturevalue("s3_address"), bucket)}
                lake = {BUCKET_URL: f"s3://{bucket}/emr"}
                lake |= {f"DESTINATION__FILESYSTEM__CREDENTIALS__{name}": value for name, value in settings.items()}
            made = LakeCliHarness(tmp_path, emulator, REGIONS, process_pool, SEVERAL_PACKAGES, tuple(lake.items()))
            made.set_here(monkeypatch)
            return made

        yield make
        assert emulator.failures == []


def create_bucket(address: str, name: str) -> str:
    boto3 = pytest.importorskip("boto3")
    keys = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=address, **keys).create_bucket(Bucket=name)
    return address


@pytest.mark.parametrize(
    ("table_format", "bucket"), [("parquet", "parquet"), ("delta", None), ("delta", "delta"), ("iceberg", None)], ids=str
)
def test_loads_a_kill_a_backfill_and_a_compaction_lose_nothing(
    new_harness: NewHarness, table_format: str, bucket: str | None
) -> None:
    cli = new_harness(bucket)
    assert cli.load("--initial-days", "1", "--table-format", table_format).code == 0
    before = cli.query(VERSIONS)
    pass_a_night(cli.emulator)
    assert cli.load(fault=FaultInjection(WRITES[table_format], "after", 3)).code == -9
    assert cli.query(VERSIONS) == before
    assert cli.load().code == 0
    span = ("--from", (NOW - timedelta(days=INITIAL_DAYS)).isoformat(), "--to", NOW.isoformat())
    assert cli.run("backfill", "--json", *span, *cli.source_options).code == 0
    cli.assert_whole()
    pass_a_night(cli.emulator)
    cli.load_whole()
    compacted = cli.run("compact", "--json", "--retention-hours", "0")
    if table_format == "iceberg":
        assert (compacted.code, "does not support Iceberg" in compacted.err) == (2, True)
    else:
        assert (compacted.code, compacted.facts["files"] > compacted.facts["merged"] > 0) == (0, True)
        cli.assert_whole()
    status = cli.run("status", "--json")
    (runs,) = cli.query("SELECT count(*) FROM emr_raw.job_runs")
    assert (status.code, status.facts["table_rows"]["job_runs"]) == (0, *runs)


def test_marts_are_built_from_a_lake_on_s3(new_harness: NewHarness) -> None:
    cli = new_harness("marts")
    done = cli.run("run", "--json", "--month", "2026-10", *cli.source_options)
    assert (done.code, done.complaints) == (0, [])
    with duckdb.connect(str(cli.database)) as connection:
        used = connection.execute("SELECT sum(cu_hours) FROM emr_raw.job_runs").fetchall()
        assert connection.execute("SELECT sum(cu_hours) FROM emr_marts.job_run_hours").fetchall() == used
    assert "secret" not in done.out + done.err

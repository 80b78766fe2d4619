"""The marts that the job builds on Spark from a lake of Parquet files equal those of DuckDB."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emr_serverless import emr_serverless
from emr_serverless import run as run_source
from emr_usage.build import build
from emr_usage.emulator import DEFAULT_KEY, Emulator
from emr_usage.target import Target
from mart_cases import LARGE, TABLES, WINDOWS
from mart_fixtures import MARTS, SCHEMAS, Row, exact, tag
from small_account import REGIONS, pass_a_night, served
from spark_submit import JOB, PATIENCE_SECONDS, READER, ROOT, VERSIONS, Spark, environment_of

pytestmark = pytest.mark.spark
INPUTS = ("rates", "owners", "list_prices")
NOT_NULL = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'emr_raw' AND NOT is_nullable"
LOADED: dict[str, list[Row]] = TABLES | LARGE
# In raw tables a window's id is unique within its load.
LOADED["extraction_windows"] = [row | {"window_id": f"{row['workspace_id']} {row['axis']} {row['window_id']}"} for row in WINDOWS]
# One tag is composed and its rule is not.
LOADED["job_run_tags"] = [*LOADED["job_run_tags"], tag(LOADED["job_runs"][0], "\u00e9quipe", "caf\u00e9", 8)]
LOADED["owners"] = [*LOADED["owners"], {"rule_number": 7, "owner": "café", "tag_key": "e\u0301quipe", "tag_value": "CAFE\u0301"}]


class Tables:
    """The same raw tables in a lake, to which every load appends, and in a DuckDB file, whose rows are replaced."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.raw = folder / "lake" / "emr_raw"
        self.database = folder / "emr.duckdb"
        self.emulator = emulator

    def load(self) -> None:
        """Load the account into both, at the same time."""
        moment = datetime.now(UTC)
        key: Any = {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret}
        for destination in (
            dlt.destinations.filesystem(bucket_url=str(self.folder / "lake")),
            dlt.destinations.duckdb(str(self.database)),
        ):
            pipeline = dlt.pipeline(
                f"spark_{destination.destination_name}",
                destination=destination,
                dataset_name="emr_raw",
                pipelines_dir=str(self.folder / "pipelines"),
            )
            source = emr_serverless(
                credentials=key,
                region_ids=sorted(set(REGIONS.values())),
                endpoint=self.emulator.url,
                initial_days=8,
                as_of=self.emulator.clock.now(),
                clock=lambda: moment,
            )
            run_source(pipeline, source)

    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Add rows to a table, in the lake between an earlier version and one of a load that was killed."""
        now = table_of(name, rows)
        folder = self.raw / name / "workspace_id=w-1"
        folder.mkdir(parents=True)
        pq.write_table(now, folder / "now.parquet")
        if name == "job_runs":
            earlier = [row | {"observed_at": row["observed_at"] - timedelta(days=1), "cu_hours": 1000} for row in rows]
            pq.write_table(table_of(name, earlier), folder / "earlier.parquet")
            later = [row | {"observed_at": row["observed_at"] + timedelta(days=1), "cu_hours": 2000} for row in rows]
            pq.write_table(table_of(name, later, load_id="killed"), folder / "later.parquet")
        with duckdb.connect(str(self.database)) as connection:
            connection.register("added", now)
            for (column,) in connection.execute(NOT_NULL, [name]).fetchall():
                connection.execute(f"ALTER TABLE emr_raw.{name} ALTER {column} DROP NOT NULL")
            connection.execute(f"INSERT INTO emr_raw.{name} BY NAME FROM added")

    def files(self) -> dict[Path, bytes]:
        """Return the files of the lake's raw tables."""
        return {path: path.read_bytes() for path in self.raw.rglob("*") if path.is_file()}

    def replace(self, name: str, rows: Sequence[Row]) -> None:
        """Replace a table of inputs, in the lake with a copy of DuckDB's."""
        (self.raw / name).mkdir(exist_ok=True)
        with duckdb.connect(str(self.database)) as connection:
            connection.register("replaced", table_of(name, rows))
            connection.execute(f"CREATE OR REPLACE TABLE emr_raw.{name} AS FROM replaced")
            connection.execute(f"COPY emr_raw.{name} TO '{self.raw}/{name}/{name}.parquet'")


def table_of(name: str, rows: Sequence[Row], load_id: str = "cases") -> pa.Table:
    # The rows of cases have only the columns that the marts read.
    schema = pa.schema([column.with_nullable(nullable=True) for column in SCHEMAS[name]])
    return pa.Table.from_pylist([exact(row) | {"_dlt_load_id": load_id} for row in rows], schema=schema)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    with served() as emulator:
        yield Tables(tmp_path, emulator)


@pytest.fixture(params=VERSIONS)
def spark(request: pytest.FixtureRequest, tmp_path: Path) -> Spark:
    if not environment_of(request.param).exists():
        pytest.skip("Spark has environments of its own: make spark")
    return Spark(request.param, tmp_path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return str(built)


def run_job(spark: Spark, tables: Tables, wheel: str) -> tuple[int, str]:
    """Run the job, which must not change the raw tables; return its exit code and the last line that it wrote."""
    marts = tables.folder / "lake" / "emr_marts"
    before = tables.files()
    done = spark.submit(JOB, "--wheel", wheel, "--raw", str(tables.raw), "--marts", str(marts))
    assert tables.files() == before
    # spark-submit writes what Python writes to its standard output.
    return done.returncode, done.stdout.strip().rpartition("\n")[2]


def published(spark: Spark, tables: Tables) -> Path:
    """Return a folder with what the published schema shows, a folder of Parquet files for each table."""
    folder = tables.folder / "published"
    done = spark.submit(READER, str(folder), *MARTS, "builds")
    assert done.returncode == 0, done.stderr
    return folder


def assert_those_of_duckdb(tables: Tables, folder: Path) -> None:
    """See that each mart has the same columns, types and rows in both."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{tables.database}' AS duck (READ_ONLY)")
        for name in MARTS:
            ours, theirs = f"duck.emr_marts.{name}", f"read_parquet('{folder}/{name}/*.parquet')"
            described = [connection.execute(f"DESCRIBE FROM {table}").fetchall() for table in (ours, theirs)]
            columns, types = ([row[:2] for row in rows] for rows in described)
            assert types == columns, name
            for some, others in ((ours, theirs), (theirs, ours)):
                surplus = connection.execute(f"FROM {some} EXCEPT ALL FROM {others}").fetchmany(3)
                assert not surplus, f"{name}: only in {some}: {surplus}"


def builds(folder: Path) -> list[tuple[Any, ...]]:
    query = f"SELECT schema_name, checks FROM '{folder}/builds/*.parquet' ORDER BY build_number"
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def schemas(tables: Tables) -> set[str]:
    """Return the schemas of builds that there are, without their suffixes."""
    return {re.sub("_(raw|staging|intermediate)$", "", path.name) for path in tables.raw.parent.glob("emr_marts/*_build_*")}


@pytest.mark.timeout(3 * PATIENCE_SECONDS)
def test_builds_equal_those_of_duckdb_and_a_failed_build_changes_nothing(spark: Spark, tables: Tables, wheel: str) -> None:
    target = Target(database=tables.database)
    tables.load()
    (tables.raw / "_dlt_loads" / "emr_serverless__cases.jsonl").write_text("{}")
    for name, rows in LOADED.items():
        (tables.replace if name in INPUTS else tables.add)(name, rows)
    assert run_job(spark, tables, wheel)[0] == 0
    checks = build(target).checks
    assert_those_of_duckdb(tables, published(spark, tables))

    overlapping = LOADED["rates"][0] | {"row_number": 9, "valid_to": None}
    tables.replace("rates", [*LOADED["rates"], overlapping])
    code, message = run_job(spark, tables, wheel)
    assert code == 1
    assert re.search(r"The build failed, .*: rates_do_not_overlap: Got \d+ results?", message)
    assert_those_of_duckdb(tables, published(spark, tables))

    pass_a_night(tables.emulator)
    tables.load()
    tables.replace("rates", [row | {"price_per_cu_hour": "0.07"} for row in LOADED["rates"]])
    assert run_job(spark, tables, wheel)[0] == 0
    build(target)
    shown = published(spark, tables)
    assert_those_of_duckdb(tables, shown)
    assert [row[1] for row in builds(shown)] == [checks, checks]
    assert {row[0] for row in builds(shown)} == schemas(tables)


def test_a_lake_without_job_runs_is_refused(spark: Spark, tables: Tables, wheel: str) -> None:
    code, message = run_job(spark, tables, wheel)
    assert (code, message) == (1, f"There are no job runs in {tables.raw}: load into it first, or correct --raw.")

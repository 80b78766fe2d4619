"""PostgreSQL has the same guarantees as DuckDB: the command against a real server that the tests start."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import dlt
import psycopg2
import pyarrow as pa
import pytest

from cli_harness import INITIAL_DAYS, SEVERAL_PACKAGES
from emr_serverless import prepare
from emr_serverless.arrow.schema import RAW_TABLES
from emr_usage.emulator import Emulator
from oracle import query
from postgres import PostgresServer, postgres_server
from postgres_cli import PostgresCliHarness
from process_pool import FaultInjection, ProcessPool
from small_account import NOW, REGIONS, pass_a_night, served

# Parquet where its driver is installed, INSERT statements where it is not.
FORMATS = {"parquet": {}, "insert_values": {"DISABLE_ADBC_DETECTION": "true"}}
SQL_JOB = "dlt.destinations.job_client_impl:SqlLoadJob.run"
STEPS = {
    "after a staging copy": FaultInjection("dlt.destinations._adbc_jobs:AdbcParquetCopyJob.run", "after", 4),
    "after the merge": FaultInjection(SQL_JOB, "after"),
    "after the second package's merge": FaultInjection(SQL_JOB, "after", 2),
    "with the package recorded as loaded": FaultInjection(
        "dlt.destinations.job_client_impl:SqlJobClientBase.complete_load", "after"
    ),
    "before the package is moved away": FaultInjection("dlt.common.storages:PackageStorage.complete_loading_package", "after"),
}
HOSTILE = [
    "",
    " ",
    "NULL",
    "\\N",
    "\\",
    "a\\b\\'",
    "'; DROP TABLE x; --",
    '"quoted", comma',
    "two\nlines\r\n\tand;",
    "\ufffd风控🙂",
    "%s",
]
NewHarness = Callable[..., PostgresCliHarness]


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def new_harness(tmp_path: Path, process_pool: ProcessPool, server: PostgresServer) -> Iterator[NewHarness]:
    with served() as emulator:

        def make(name: str = "emr") -> PostgresCliHarness:
            return PostgresCliHarness(tmp_path, emulator, REGIONS, process_pool, address=server.new_database(name))

        yield make
        assert emulator.failures == []


@pytest.mark.parametrize("environment", FORMATS.values(), ids=FORMATS)
def test_loads_a_backfill_and_status(new_harness: NewHarness, environment: dict[str, str]) -> None:
    cli = new_harness()
    cli.environment = environment | SEVERAL_PACKAGES
    assert cli.load("--initial-days", "1").code == 0
    pass_a_night(cli.emulator)
    assert cli.load().code == 0
    span = ("--from", (NOW - timedelta(days=INITIAL_DAYS)).isoformat(), "--to", NOW.isoformat())
    assert cli.run("backfill", "--json", *span, *cli.source_options).code == 0
    cli.assert_whole()
    for _ in range(2):
        pass_a_night(cli.emulator)
        done = cli.load_whole()
    status = cli.run("status", "--json", "--metrics", "emr.prom")
    assert status.code == 0
    assert (status.facts["last_load"], status.facts["incomplete"]) == (done.facts["load"], [])
    until = cli.emulator.clock.now().isoformat(sep=" ")
    assert {(each["started_through"], each["ended_through"]) for each in status.facts["workspaces"]} == {(until, until)}
    counted = cli.query("SELECT workspace_id, count(*) FROM emr_raw.job_runs GROUP BY workspace_id")
    assert {each["workspace_id"]: each["job_runs"] for each in status.facts["workspaces"]} == dict(counted)
    comments = cli.query(
        "SELECT relname, count(*) FROM pg_description JOIN pg_class ON objoid = pg_class.oid"
        " WHERE relnamespace = 'emr_raw'::regnamespace GROUP BY relname"
    )
    assert {name: 1 + len(table.schema) for name, table in RAW_TABLES.items()}.items() <= dict(comments).items()
    metrics = (cli.folder / "emr.prom").read_text()
    (label, rows) = re.findall(r'^emr_usage_table_rows{database="(.*)",table="job_runs"} (.*)$', metrics, re.MULTILINE)[0]
    assert int(rows) == status.facts["table_rows"]["job_runs"] == sum(count for _, count in counted)
    assert re.fullmatch(r"postgres://[^@]*/emr", label), label


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_loses_and_duplicates_no_rows(new_harness: NewHarness, step: str) -> None:
    cli = new_harness()
    cli.environment = SEVERAL_PACKAGES
    assert cli.load(fault=STEPS[step]).code == -signal.SIGKILL
    pass_a_night(cli.emulator)
    cli.load_whole()


@pytest.mark.parametrize("ended", [0, 20])
def test_loads_without_open_runs(new_harness: NewHarness, ended: int) -> None:
    """dlt hands the driver a Parquet file without rows then, and again at each later load."""
    cli = new_harness()
    without_open_runs(cli.emulator, ended)
    cli.load_whole()
    pass_a_night(cli.emulator)
    cli.load_whole()


def test_a_pending_package_with_an_empty_table_is_loaded(new_harness: NewHarness) -> None:
    cli = new_harness()
    without_open_runs(cli.emulator, 20)
    assert cli.load(fault=FaultInjection("dlt.pipeline.pipeline:Pipeline.normalize", "after")).code == -signal.SIGKILL
    cli.load_whole()


def without_open_runs(emulator: Emulator, ended: int) -> None:
    """Leave of the past of each workspace only so many runs, all of which have ended."""
    now_ms = emulator.clock.now_ms()
    for workspace_id in REGIONS:
        past = [run for run in emulator.state.runs(workspace_id) if run.submit_ms <= now_ms]
        kept = [run for run in past if run.ended_by(now_ms)][:ended]
        for run in past:
            if run not in kept:
                emulator.state.forget(workspace_id, run.job_run_id)


ACCIDENTS = {
    "restored": ("DROP SCHEMA emr_raw CASCADE", "ALTER SCHEMA backup RENAME TO emr_raw"),
    "a table emptied": ("TRUNCATE emr_raw.job_run_tags",),
    "the audit emptied": ("TRUNCATE emr_raw.extraction_windows",),
    "a table dropped": ("DROP TABLE emr_raw.job_runs",),
    "dlt's state emptied": ("TRUNCATE emr_raw._dlt_pipeline_state",),
}


@pytest.mark.parametrize(
    "accident", ["restored", *(pytest.param(name, marks=pytest.mark.soak) for name in ACCIDENTS if name != "restored")]
)
def test_tables_are_repaired_after_an_accident(new_harness: NewHarness, accident: str) -> None:
    cli = new_harness()
    cli.load_whole()
    tables = [name for (name,) in cli.query("SELECT table_name FROM information_schema.tables WHERE table_schema = 'emr_raw'")]
    copies = [f"CREATE TABLE backup.{name} (LIKE emr_raw.{name} INCLUDING ALL)" for name in tables]
    filled = [f"INSERT INTO backup.{name} SELECT * FROM emr_raw.{name}" for name in tables]
    execute(cli.address, "CREATE SCHEMA backup", *copies, *filled)
    for _ in range(3):
        pass_a_night(cli.emulator)
        assert cli.load().code == 0
    execute(cli.address, *ACCIDENTS[accident])
    assert cli.load().code == 0
    cli.assert_whole()


def execute(address: str, *statements: str) -> None:
    with closing(psycopg2.connect(address)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_two_databases_of_one_server_share_no_state(new_harness: NewHarness) -> None:
    clis = [new_harness("emr"), new_harness("other")]
    for _ in range(2):
        for cli in clis:
            cli.load_whole()
        pass_a_night(clis[0].emulator)


@pytest.mark.parametrize("format_name", FORMATS)
def test_text_is_loaded_unchanged(
    tmp_path: Path, server: PostgresServer, monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    """dlt uses CSV by default and loads every empty text as NULL."""
    for name, value in FORMATS[format_name].items():
        monkeypatch.setenv(name, value)
    address = server.new_database("texts")
    pipeline = dlt.pipeline("texts", pipelines_dir=str(tmp_path), destination=dlt.destinations.postgres(address))
    prepare(pipeline)
    texts = [None, *HOSTILE]
    rows = pa.table({"id": range(len(texts)), "text": pa.array(texts, pa.string())})
    done = pipeline.run(rows, table_name="texts", write_disposition="merge", primary_key="id")
    jobs = done.load_packages[0].jobs["completed_jobs"]
    assert format_name in {job.job_file_info.file_format for job in jobs if job.job_file_info.table_name == "texts"}
    assert query(address, f"SELECT text FROM {pipeline.dataset_name}.texts ORDER BY id") == [(text,) for text in texts]


@pytest.mark.parametrize("command", ["load", "status"])
def test_an_unreachable_server_is_reported_in_one_sentence(new_harness: NewHarness, command: str) -> None:
    cli = new_harness()
    cli.address = "postgresql://emr:PlantedInAnAddress@127.0.0.1:1/emr"
    done = cli.run(command, *(cli.source_options if command == "load" else []))
    assert done.code == 1
    assert done.sentence == (
        "The destination postgres cannot be opened (OperationalError). Check that it is running, and its address and"
        " credentials in .dlt/secrets.toml or the environment; --verbose shows the error. Nothing was changed."
    )

"""After tables or the working folder are damaged, the next ordinary load converges to the state of the API."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest
from dlt.extract import DltSource

from cli_harness import assert_equal, assert_no_doubles
from emr_serverless import Backfill, Load, emr_serverless, prepare, run
from emr_usage.emulator import DEFAULT_KEY, Emulator
from oracle import actual_tables, expected_tables
from small_account import NOW, REGIONS, pass_a_night, served

INITIAL_DAYS = 8
CHILDREN = ("job_run_tags", "job_run_logs", "job_run_configurations", "job_run_arguments")
TABLES = ("job_runs", *CHILDREN, "extraction_windows", "job_run_observations", "workspaces")


@dataclass
class Installation:
    """A database and its working folder, which can be saved, restored and damaged."""

    folder: Path
    emulator: Emulator
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "emr.duckdb"

    @property
    def pipeline(self) -> dlt.Pipeline:
        return dlt.pipeline(
            "accidents",
            destination=dlt.destinations.duckdb(str(self.database)),
            dataset_name="emr_raw",
            pipelines_dir=str(self.folder / "pipelines"),
        )

    def load(self, backfill: Backfill | None = None, **settings: Any) -> Load:
        return run(self.pipeline, self.source(backfill=backfill, **settings))

    def source(self, **settings: Any) -> Any:
        defaults: dict[str, Any] = {
            "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
            "region_ids": sorted(set(REGIONS.values())),
            "endpoint": self.emulator.url,
            "initial_days": INITIAL_DAYS,
            "lookback_hours": 24,
            "as_of": self.emulator.clock.now(),
        }
        return emr_serverless(**(defaults | self.settings | settings))

    def nights(self, number: int) -> None:
        for _ in range(number):
            pass_a_night(self.emulator)
            self.load()

    def save(self, name: str) -> None:
        kept = self.folder / name
        kept.mkdir()
        shutil.copy(self.database, kept / "emr.duckdb")
        shutil.copytree(self.folder / "pipelines", kept / "pipelines")

    def restore_database(self, name: str) -> None:
        shutil.copy(self.folder / name / "emr.duckdb", self.database)

    def restore_folder(self, name: str) -> None:
        shutil.rmtree(self.folder / "pipelines")
        shutil.copytree(self.folder / name / "pipelines", self.folder / "pipelines")

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.database)) as connection:
            for statement in statements:
                connection.execute(statement)

    def replace_from(self, name: str, *tables: str) -> None:
        """Put the content of an older copy into tables."""
        self.execute(
            f"ATTACH '{self.folder / name / 'emr.duckdb'}' AS older (READ_ONLY)",
            *(f"DELETE FROM emr_raw.{table}" for table in tables),
            *(f"INSERT INTO emr_raw.{table} BY NAME SELECT * FROM older.emr_raw.{table}" for table in tables),
        )

    def assert_whole(self) -> None:
        assert_equal(actual_tables(self.database), expected_tables(self.emulator, REGIONS))
        assert_no_doubles(self.database)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A installation after some nights, with a backup of the first of them and a database that another working folder loaded."""
    folder = tmp_path_factory.mktemp("lived")
    with served() as emulator:
        installation = Installation(folder / "own", emulator)
        installation.folder.mkdir()
        installation.load()
        installation.nights(1)
        installation.save("backup")
        other = Installation(folder / "own" / "other", emulator)
        other.folder.mkdir()
        other.load()
        installation.nights(3)
        yield installation
        assert emulator.failures == []


@pytest.fixture
def installation(lived: Installation, tmp_path: Path) -> Installation:
    shutil.copytree(lived.folder, tmp_path / "own")
    return Installation(tmp_path / "own", lived.emulator)


def emptied(*tables: str) -> Callable[[Installation], None]:
    return lambda installation: installation.execute(
        *(f"CREATE OR REPLACE TABLE emr_raw.{t} AS FROM emr_raw.{t} WHERE false" for t in tables)
    )


def dropped(*tables: str) -> Callable[[Installation], None]:
    return lambda installation: installation.execute(*(f"DROP TABLE emr_raw.{table}" for table in tables))


def older(*tables: str) -> Callable[[Installation], None]:
    return lambda installation: installation.replace_from("backup", *tables)


def half_gone(installation: Installation) -> None:
    installation.execute("DELETE FROM emr_raw.job_runs WHERE hash(job_run_id) % 2 = 0")


def of_one_workspace(installation: Installation) -> None:
    installation.execute(*(f"DELETE FROM emr_raw.{table} WHERE workspace_id = 'w-two'" for table in TABLES))


def another_database(installation: Installation) -> None:
    """Another account's database has the name of this one; the folder stays."""
    installation.restore_database("other")


def no_database(installation: Installation) -> None:
    installation.database.unlink()


def no_folder(installation: Installation) -> None:
    shutil.rmtree(installation.folder / "pipelines")


def pending_package(installation: Installation) -> None:
    """A load is cut off before its package is loaded, and the database is replaced by a backup before the next one."""
    pipeline = installation.pipeline
    prepare(pipeline)
    pipeline.extract(installation.source())
    pipeline.normalize()
    installation.restore_database("backup")


def outrun_package(installation: Installation) -> None:
    """A load is cut off before its package is loaded, and another folder loads three nights into the same database."""
    pipeline = installation.pipeline
    prepare(pipeline)
    pipeline.extract(installation.source())
    pipeline.normalize()
    (installation.folder / "pipelines").rename(installation.folder / "cut off")
    installation.nights(3)
    shutil.rmtree(installation.folder / "pipelines")
    (installation.folder / "cut off").rename(installation.folder / "pipelines")


def both(*accidents: str) -> Callable[[Installation], None]:
    def happen(installation: Installation) -> None:
        for accident in accidents:
            ACCIDENTS[accident](installation)

    return happen


ACCIDENTS: dict[str, Callable[[Installation], None]] = {
    "database restored": lambda installation: installation.restore_database("backup"),
    "folder restored": lambda installation: installation.restore_folder("backup"),
    "database deleted": no_database,
    "folder deleted": no_folder,
    "another database": another_database,
    "everything emptied": emptied(*TABLES),
    "everything and dlt's state emptied": emptied(*TABLES, "_dlt_pipeline_state", "_dlt_loads"),
    "everything dropped": dropped(*TABLES),
    "schema dropped": lambda installation: installation.execute("DROP SCHEMA emr_raw CASCADE"),
    "dlt's state emptied": emptied("_dlt_pipeline_state"),
    "dlt's state dropped": dropped("_dlt_pipeline_state"),
    "dlt's loads emptied": emptied("_dlt_loads"),
    "dlt's tables dropped": dropped("_dlt_pipeline_state", "_dlt_loads", "_dlt_version"),
    "dlt's state older": older("_dlt_pipeline_state", "_dlt_loads"),
    "runs and audit older": older("job_runs", *CHILDREN, "extraction_windows"),
    "pending package": pending_package,
    "pending package is older": outrun_package,
    "half of the runs deleted": half_gone,
    "one workspace deleted": of_one_workspace,
    **{f"{table} emptied": emptied(table) for table in TABLES[:6]},
    **{f"{table} older": older(table) for table in TABLES[:6]},
    "runs dropped": dropped("job_runs"),
    "tags dropped": dropped("job_run_tags"),
}


ACCIDENTS |= {
    " and ".join(names): both(*names)
    for names in (
        ("database restored", "job_run_logs emptied"),
        ("database restored", "dlt's state emptied"),
        ("folder restored", "job_runs emptied"),
        ("folder restored", "extraction_windows older"),
        ("folder deleted", "job_run_tags emptied"),
        ("folder deleted", "runs dropped"),
        ("another database", "one workspace deleted"),
        ("pending package", "dlt's loads emptied"),
    )
}
# Nothing is left to say how far the tables reached: the next load is a first one.
NOTHING_LEFT = {"database deleted", "schema dropped", "everything and dlt's state emptied"}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_the_next_load_repairs_the_tables(accident: str, installation: Installation) -> None:
    ACCIDENTS[accident](installation)
    assert not installation.load(initial_days=30 if accident in NOTHING_LEFT else 1).stats.incomplete
    installation.assert_whole()


def test_a_second_load_has_nothing_left_to_repair(installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    ACCIDENTS["job_runs emptied"](installation)
    installation.load()
    assert "rows that were loaded are missing from job_runs" in caplog.text
    caplog.clear()
    installation.load()
    assert "are missing" not in caplog.text
    assert "certified only" not in caplog.text
    installation.assert_whole()


def test_a_pending_package_older_than_a_load_from_another_folder_is_dropped(installation: Installation) -> None:
    pass_a_night(installation.emulator)
    outrun_package(installation)
    before = actual_tables(installation.database)
    pipeline = installation.pipeline
    assert pipeline.has_pending_data
    prepare(pipeline)
    pipeline.run()
    assert_equal(actual_tables(installation.database), before)


def test_an_interrupted_load_continues_after_a_repair(installation: Installation) -> None:
    """Its first packages are committed with the cursors set back; the next load reads the rest."""
    ACCIDENTS["job_runs emptied"](installation)
    packages: list[object] = []

    def run_first(pipeline: dlt.Pipeline, source: DltSource) -> None:
        if packages:
            raise KeyboardInterrupt
        packages.append(pipeline.run(source))

    with pytest.raises(KeyboardInterrupt):
        run(installation.pipeline, installation.source(package_rows=20), run_package=run_first)
    installation.load()
    installation.assert_whole()


@pytest.mark.parametrize("accident", ["job_runs emptied", "extraction_windows emptied", "database restored"])
def test_a_backfill_whose_rows_are_lost_reads_its_range_again(accident: str, installation: Installation) -> None:
    """The same holds if its certificates are lost."""
    past = Backfill(NOW - timedelta(days=5), NOW - timedelta(days=3))
    assert installation.load(past).stats.rows
    assert not installation.load(past).stats.rows
    ACCIDENTS[accident](installation)
    again = installation.load(past)
    assert again.stats.rows
    assert not again.stats.certified_before

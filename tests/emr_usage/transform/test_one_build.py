"""Readers of the marts see one build whose data tests passed, even if later builds fail or are killed."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import duckdb
import pytest

from emr_usage.errors import BuildError, DataTestFailedError
from emr_usage.explanation import explain_run
from emr_usage.pipeline import open_pipeline
from mart_fixtures import MartDatabase, Row, built_mart_db, number, tag, utc
from one_build import CROSSING, MOMENTS, RATE, RUN, SUMS, rates, sums
from process_pool import ProcessPool

OWNERS = number([{"owner": "growth", "tag_key": "team", "tag_value": "growth"}], "rule_number")


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    tables: dict[str, list[Row]] = {"job_runs": [RUN], "job_run_tags": [tag(RUN, "team", "growth")]}
    return built_mart_db(folder, **tables, rates=rates(), owners=OWNERS).target.database


@pytest.fixture
def mart_db(built_file: Path, tmp_path: Path) -> MartDatabase:
    """Return a database with one build, of its own for each test."""
    return MartDatabase(Path(shutil.copy(built_file, tmp_path / "emr.duckdb")))


def change(mart_db: MartDatabase) -> None:
    mart_db.write(job_runs=[RUN, CROSSING], rates=rates("0.07"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_killing_a_build_at_any_step_changes_nothing(mart_db: MartDatabase, process_pool: ProcessPool, moment: str) -> None:
    before = mart_db.marts()
    change(mart_db)
    folder = mart_db.target.database.parent
    process_pool.start(["build"], folder, {"PATH": os.environ["PATH"], "HOME": str(folder)}, MOMENTS[moment])
    assert process_pool.wait().code == -signal.SIGKILL
    assert mart_db.marts() == before
    assert mart_db.ask("SELECT build_number FROM builds") == [(1,)]
    assert mart_db.ask(SUMS) == sums(5, "0.25")
    assert mart_db.ask("SELECT table_name FROM information_schema.tables WHERE table_name LIKE '%dbt%'") == []


def test_the_build_after_a_killed_build_is_complete(mart_db: MartDatabase, process_pool: ProcessPool) -> None:
    change(mart_db)
    folder = mart_db.target.database.parent
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    process_pool.start(["build"], folder, environment, MOMENTS["before the commit"])
    assert process_pool.wait().code == -signal.SIGKILL
    process_pool.start(["build"], folder, environment)
    done = process_pool.wait()
    assert done.code == 0, done
    assert "Build 2: " in done.out
    assert mart_db.ask(SUMS) == sums(9, "0.63")
    built = mart_db.marts()
    mart_db.change("DROP SCHEMA emr_marts CASCADE")
    mart_db.build()
    assert mart_db.marts() == built


def test_a_first_build_that_fails_leaves_no_marts(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[RUN], rates=number([RATE, RATE], "row_number"))
    with pytest.raises(DataTestFailedError):
        mart_db.build()
    with duckdb.connect(str(mart_db.target.database)) as connection:
        made = connection.execute("SELECT schema_name FROM duckdb_schemas() WHERE schema_name LIKE 'emr_marts%'")
        assert made.fetchall() == []
    with pytest.raises(BuildError, match="The marts are not built yet"):
        explain_run(open_pipeline(mart_db.target), "run")


def test_a_failed_data_test_leaves_the_marts_and_inputs_of_the_previous_build(mart_db: MartDatabase) -> None:
    before, explained = mart_db.marts(), explain_run(open_pipeline(mart_db.target), "run")
    mart_db.write(rates=number([RATE, RATE], "row_number"), owners=[OWNERS[0] | {"owner": "other"}])
    mart_db.write(job_runs=[RUN, CROSSING])
    with pytest.raises(DataTestFailedError):
        mart_db.build()
    assert mart_db.marts() == before
    assert mart_db.ask("SELECT owner FROM stg_owners") == [("growth",)]
    assert mart_db.ask("SELECT count(*) FROM stg_rates") == [(1,)]
    assert explain_run(open_pipeline(mart_db.target), "run") == explained


def test_only_the_model_that_failed_is_reported(mart_db: MartDatabase) -> None:
    before = mart_db.marts()
    mart_db.change("ALTER TABLE emr_raw.job_runs ALTER submit_time TYPE VARCHAR USING 'never'")
    with pytest.raises(BuildError, match="Conversion Error") as failed:
        mart_db.build()
    assert "aborted" not in str(failed.value)
    assert mart_db.marts() == before


def test_builds_record_their_inputs(mart_db: MartDatabase) -> None:
    change(mart_db)
    mart_db.build()
    told = "SELECT build_number, billing_time_zone, horizon, rates, owners, list_prices, job_runs, version FROM builds ORDER BY 1"
    assert mart_db.ask(told) == [
        (1, "Asia/Shanghai", None, 1, 1, 0, 1, "0.1.0"),
        (2, "Asia/Shanghai", None, 1, 1, 0, 2, "0.1.0"),
    ]
    assert mart_db.ask("SELECT count(DISTINCT inputs_version), min(checks) > 10, count(DISTINCT built_at) FROM builds") == [
        (2, True, 2)
    ]


def test_tags_loaded_after_the_build_are_marked(mart_db: MartDatabase) -> None:
    (told,) = explain_run(open_pipeline(mart_db.target), "run")
    assert (told.is_read_again, told.build["build_number"]) == (False, 1)
    again = RUN | {"observed_at": utc("2026-11-21 02:00")}
    mart_db.write(job_runs=[again], job_run_tags=[tag(again, "team", "other")])
    (told,) = explain_run(open_pipeline(mart_db.target), "run")
    assert told.is_read_again
    assert (told.run["owner"], told.tags) == ("growth", [{"tag_key": "team", "tag_value": "other"}])

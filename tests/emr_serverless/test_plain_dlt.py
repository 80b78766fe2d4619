"""The source used as any dlt source: `pipeline.run(emr_serverless(...))`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pytest

from cli_harness import assert_equal, assert_no_doubles
from emr_serverless import Backfill, CheckSettingsError, emr_serverless, run
from emr_serverless.arrow.schema import RAW_TABLES
from emr_usage.emulator import DEFAULT_KEY, Emulator
from oracle import actual_tables, expected_tables, query
from small_account import NOW, REGIONS, pass_a_night, served


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with served() as running:
        yield running


def pipeline_in(folder: Path) -> dlt.Pipeline:
    return dlt.pipeline(
        "plain",
        destination=dlt.destinations.duckdb(str(folder / "emr.duckdb")),
        dataset_name="emr_raw",
        pipelines_dir=str(folder / "pipelines"),
    )


def source(emulator: Emulator, **settings: Any) -> Any:
    defaults: dict[str, Any] = {
        "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
        "region_ids": sorted(set(REGIONS.values())),
        "endpoint": emulator.url,
        "initial_days": 30,
        "as_of": emulator.clock.now(),
    }
    return emr_serverless(**(defaults | settings))


def test_pipeline_run_loads_all_new_rows_in_one_package(emulator: Emulator, tmp_path: Path) -> None:
    database = tmp_path / "emr.duckdb"
    for _ in range(3):
        # Far fewer rows than there are: only `run` cuts a load into packages.
        pipeline_in(tmp_path).run(source(emulator, package_rows=5))
        assert_equal(actual_tables(database), expected_tables(emulator, REGIONS))
        assert_no_doubles(database)
        pass_a_night(emulator)
    assert query(database, "SELECT count(DISTINCT _dlt_load_id) FROM emr_raw.extraction_windows") == [(3,)]


def test_pipeline_run_loads_the_same_rows_as_a_load_in_packages(emulator: Emulator, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("plain", "packages")]
    pipeline_in(folders[0]).run(source(emulator))
    assert run(pipeline_in(folders[1]), source(emulator, package_rows=5)).stats.packages > 3
    plain, packages = (actual_tables(folder / "emr.duckdb") for folder in folders)
    assert_equal(plain, packages)


def test_a_source_object_can_be_run_repeatedly(emulator: Emulator, tmp_path: Path) -> None:
    again = source(emulator)
    pipeline_in(tmp_path).run(again)
    pipeline_in(tmp_path).run(again)
    run(pipeline_in(tmp_path), again)
    database = tmp_path / "emr.duckdb"
    assert query(database, "SELECT count(DISTINCT load) FROM emr_raw.extraction_windows") == [(3,)]
    assert_equal(actual_tables(database), expected_tables(emulator, REGIONS))


def test_backfill_and_horizon_can_be_passed_as_arguments(emulator: Emulator, tmp_path: Path) -> None:
    past = Backfill(NOW - timedelta(days=4), NOW - timedelta(days=2))
    pipeline_in(tmp_path).run(source(emulator, backfill=past))
    database = tmp_path / "emr.duckdb"
    (bounds,) = query(database, "SELECT min(submit_time), max(submit_time) FROM emr_raw.job_runs")
    assert past.first <= bounds[0] <= bounds[1] < past.after
    assert query(database, "SELECT DISTINCT mode FROM emr_raw.extraction_windows") == [("backfill",)]
    with pytest.raises(CheckSettingsError, match="later than"):
        source(emulator, as_of=NOW + timedelta(days=3650))


def test_each_call_of_the_source_reads_with_its_own_settings(emulator: Emulator, tmp_path: Path) -> None:
    pipeline_in(tmp_path).run(source(emulator, workspace_ids=["w-one"], region_ids=["cn-hangzhou"]))
    pipeline_in(tmp_path).run(source(emulator, redact="strict"))
    database = tmp_path / "emr.duckdb"
    assert query(database, "SELECT count(DISTINCT workspace_id) FROM emr_raw.job_runs") == [(3,)]
    values = "SELECT DISTINCT workspace_id FROM emr_raw.job_run_arguments WHERE argument LIKE '%杭州%'"
    # What was read again by the lookback has been masked since; of w-two and w-three nothing has ever landed as it is.
    assert {name for (name,) in query(database, values)} <= {"w-one"}


def test_with_resources_loads_only_the_selected_tables(emulator: Emulator, tmp_path: Path) -> None:
    some = source(emulator).with_resources("members", "workspaces", "extraction_windows")
    pipeline_in(tmp_path).run(some)
    database = tmp_path / "emr.duckdb"
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'emr_raw' AND table_name[1] <> '_'"
    assert {name for (name,) in query(database, tables)} == {"members", "workspaces", "extraction_windows"}
    assert {record.operation for record in emulator.requests} == {"ListWorkspaces", "ListMembers"}
    # What was left out is not taken for loaded.
    pipeline_in(tmp_path).run(source(emulator))
    assert_equal(actual_tables(database), expected_tables(emulator, REGIONS))


def test_table_and_column_comments_are_written_and_updated(emulator: Emulator, tmp_path: Path) -> None:
    comments = (
        "SELECT table_name, NULL, comment FROM duckdb_tables() WHERE schema_name = 'emr_raw'"
        " UNION ALL SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = 'emr_raw'"
    )
    described = {(name, None): table.description for name, table in RAW_TABLES.items()} | {
        (name, field.name): field.metadata[b"description"].decode()
        for name, table in RAW_TABLES.items()
        for field in table.schema
    }
    # Nothing of the source runs after the first load by plain dlt, so the second one writes them.
    pipeline_in(tmp_path).run(source(emulator))
    loads: list[Callable[[Any], object]] = [pipeline_in(tmp_path).run, partial(run, pipeline_in(tmp_path))]
    for load in loads:
        load(source(emulator))
        found = {(table, column): text for table, column, text in query(tmp_path / "emr.duckdb", comments)}
        assert described.items() <= found.items()
        with duckdb.connect(str(tmp_path / "emr.duckdb")) as connection:
            connection.execute("COMMENT ON COLUMN emr_raw.job_runs.state IS 'stale'; COMMENT ON TABLE emr_raw.members IS NULL")

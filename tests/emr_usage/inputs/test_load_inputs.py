"""Inputs in DuckDB: typed, replaced completely, and loaded without changing the job runs."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from dlt.destinations.exceptions import DatabaseTerminalException
from dlt.destinations.impl.duckdb.duck import DuckDbCopyJob

from cli_harness import CliHarness
from emr_usage.errors import BusyError, InvalidInputsError
from emr_usage.inputs import INPUT_TABLES, load_inputs, write_examples
from emr_usage.lock import exclusive
from emr_usage.pipeline import open_pipeline
from emr_usage.target import Target
from small_account import pass_a_night

RATES = """\
# a comment, with a "quote
region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source
cn-hangzhou,,,USD,0.0503,list,2026-01-01,2026-07-01,the page

cn-hangzhou,,,USD,0.045,contracted,2026-07-01,,"contract 17, page 2"
cn-hangzhou,w-one,dev_queue,CNY,99999999.9999999999,contracted,2026-01-01,,contract 18
"""
OWNERS = """\
owner,job_name,tag_key,tag_value,creator,resource_queue_id,workspace_id,valid_from,valid_to
增长/广告,ads_*,Team,广告,202077646755120000,dev_queue,w-one,2026-01-01,2026-07-01
platform,,,,,,,,
"""
LIST_PRICES = """\
region_id,currency,price_per_cu_hour,page_date,source
cn-hangzhou,USD,0.050302,2026-03-18,https://example.com/prices
"""


def write(folder: Path, **files: str) -> Path:
    """Write files of inputs and return their folder."""
    folder.mkdir(exist_ok=True)
    for table, text in files.items():
        (folder / f"{table}.csv").write_text(text, encoding="utf-8")
    return folder


def rows(database: Path, table: str) -> list[dict[str, Any]]:
    """Return a table's rows without dlt's load id, in the file's order."""
    with duckdb.connect(str(database)) as connection:
        cursor = connection.execute(f"SELECT * EXCLUDE (_dlt_load_id) FROM emr_raw.{table} ORDER BY row_number")
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(database=tmp_path / "emr.duckdb")


class TestTables:
    """The content of the tables."""

    def test_every_value_is_loaded_with_its_type(self, tmp_path: Path, target: Target) -> None:
        folder = write(tmp_path / "inputs", rates=RATES, owners=OWNERS, list_prices=LIST_PRICES)
        done = load_inputs(target, folder)
        assert (done.rows, done.missing) == ({"rates": 3, "owners": 2, "list_prices": 1}, [])
        assert done.sentence == f"Rows of inputs from {folder}: rates 3, owners 2, list_prices 1."
        everywhere = {"region_id": "cn-hangzhou", "workspace_id": None, "resource_queue_id": None, "currency": "USD"}
        first, second, third = rows(target.database, "rates")
        assert first == {
            "row_number": 3,
            **everywhere,
            "price_per_cu_hour": Decimal("0.050300"),
            "price_kind": "list",
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2026, 7, 1),
            "source": "the page",
        }
        assert (second["row_number"], second["valid_to"], second["source"]) == (5, None, "contract 17, page 2")
        assert third["price_per_cu_hour"] == Decimal("99999999.9999999999")
        assert rows(target.database, "owners") == [
            {
                "row_number": 2,
                "rule_number": 1,
                "owner": "增长/广告",
                "tag_key": "Team",
                "tag_value": "广告",
                "creator": "202077646755120000",
                "resource_queue_id": "dev_queue",
                "workspace_id": "w-one",
                "job_name": "ads_*",
                "valid_from": date(2026, 1, 1),
                "valid_to": date(2026, 7, 1),
            },
            {
                **dict.fromkeys([field.name for field in INPUT_TABLES["owners"].schema if field.name != "_dlt_load_id"]),
                "row_number": 3,
                "rule_number": 2,
                "owner": "platform",
            },
        ]
        (price,) = rows(target.database, "list_prices")
        assert (price["price_per_cu_hour"], price["page_date"]) == (Decimal("0.050302"), date(2026, 3, 18))

    def test_the_types_and_nullability_are_those_of_the_schemas(self, tmp_path: Path, target: Target) -> None:
        load_inputs(target, tmp_path / "nowhere")
        kinds = {"int64": "BIGINT", "string": "VARCHAR", "date32[day]": "DATE", "decimal128(18, 10)": "DECIMAL(18,10)"}
        for name, table in INPUT_TABLES.items():
            with duckdb.connect(str(target.database)) as connection:
                described = connection.execute(f"DESCRIBE emr_raw.{name}").fetchall()
            expected = [(field.name, kinds[str(field.type)], "YES" if field.nullable else "NO") for field in table.schema]
            assert [row[:3] for row in described] == expected

    def test_each_load_replaces_the_previous_rows(self, tmp_path: Path, target: Target) -> None:
        folder = write(tmp_path / "inputs", rates=RATES, owners=OWNERS, list_prices=LIST_PRICES)
        load_inputs(target, folder)
        write(folder, owners=OWNERS.replace("platform,", "data,"))
        (folder / "rates.csv").unlink()
        done = load_inputs(target, folder, allow_empty=True)
        assert done.missing == ["rates"]
        assert "without rates, all usage is unpriced; missing: rates.csv (create with emr-usage init-inputs)." in done.sentence
        assert rows(target.database, "rates") == []
        assert [row["owner"] for row in rows(target.database, "owners")] == ["增长/广告", "data"]
        assert len(rows(target.database, "list_prices")) == 1

    def test_a_missing_inputs_folder_leaves_the_inputs_empty(self, tmp_path: Path, target: Target) -> None:
        done = load_inputs(target, tmp_path / "nowhere")
        assert done.rows == {"rates": 0, "owners": 0, "list_prices": 0}
        assert "without rates, all usage is unpriced; without owners, all usage is unallocated" in done.sentence
        assert "\n" not in done.sentence
        assert [rows(target.database, table) for table in INPUT_TABLES] == [[], [], []]

    def test_files_from_init_inputs_load_unchanged(self, tmp_path: Path, target: Target) -> None:
        write_examples(tmp_path / "inputs")
        assert load_inputs(target, tmp_path / "inputs").rows == {"rates": 0, "owners": 0, "list_prices": 12}


class TestFailedLoads:
    """Loads that fail keep the previous rows."""

    def test_nothing_is_written_when_one_file_of_three_has_a_problem(self, tmp_path: Path, target: Target) -> None:
        folder = write(tmp_path / "inputs", rates=RATES, owners=OWNERS.replace("platform", "data//raw"), list_prices=LIST_PRICES)
        with pytest.raises(InvalidInputsError, match=r"owners.csv, row 3, column owner: 'data//raw' has an empty part"):
            load_inputs(target, folder)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["inputs"]

    def test_a_failed_load_keeps_the_previous_rows_and_the_next_load_succeeds(
        self, tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = write(tmp_path / "inputs", rates=RATES, owners=OWNERS, list_prices=LIST_PRICES)
        load_inputs(target, folder)
        before = {table: rows(target.database, table) for table in INPUT_TABLES}

        def fail(_: DuckDbCopyJob) -> None:
            raise DatabaseTerminalException(RuntimeError("the disk is gone"))

        write(folder, owners="owner,job_name,tag_key,tag_value,creator,resource_queue_id,workspace_id,valid_from,valid_to\n")
        with monkeypatch.context() as patch:
            patch.setattr(DuckDbCopyJob, "run", fail)
            with pytest.raises(Exception, match="the disk is gone"):
                load_inputs(target, folder, allow_empty=True)
        assert {table: rows(target.database, table) for table in INPUT_TABLES} == before
        load_inputs(target, folder, allow_empty=True)
        assert rows(target.database, "owners") == []

    def test_rows_left_by_a_killed_load_are_not_loaded(
        self, tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """dlt would load that package first and read no file."""
        load_inputs(target, tmp_path / "inputs")
        folder = write(tmp_path / "inputs", rates=RATES)

        def die(*_: object) -> None:
            raise RuntimeError("it is killed here")

        with monkeypatch.context() as patch:
            patch.setattr("dlt.load.load.Load.load_single_package", die)
            with pytest.raises(Exception, match="it is killed here"):
                load_inputs(target, folder)
        (folder / "rates.csv").unlink()
        load_inputs(target, folder, allow_empty=True)
        assert rows(target.database, "rates") == []

    def test_loading_inputs_fails_at_once_while_another_load_runs(self, tmp_path: Path, target: Target) -> None:
        with exclusive(open_pipeline(target)), pytest.raises(BusyError):
            load_inputs(target, tmp_path)
        assert not target.database.exists()


def status(cli: CliHarness) -> dict[str, Any]:
    """Return the status without the lag, which grows with the real clock."""
    facts = cli.run("status", "--json").facts
    lags = ("started_lag_seconds", "ended_lag_seconds")
    workspaces = [{name: value for name, value in each.items() if name not in lags} for each in facts["workspaces"]]
    return {name: value for name, value in facts.items() if not name.endswith("lag_seconds")} | {"workspaces": workspaces}


class TestJobRuns:
    """Job runs and their cursors are not changed."""

    def test_later_loads_are_not_treated_as_first_loads(self, cli: CliHarness) -> None:
        target = Target(database=cli.database)
        load_inputs(target, write(cli.folder / "inputs", rates=RATES))
        cli.load_whole()
        before = status(cli)
        first = len(cli.emulator.requests)
        load_inputs(target, cli.folder / "inputs")
        assert status(cli) == before
        pass_a_night(cli.emulator)
        cli.load_whole()
        # Not a first load again.
        assert len(cli.emulator.requests) - first < first
        assert len(rows(cli.database, "rates")) == 3

    def test_a_deleted_database_is_loaded_again_completely_also_if_inputs_were_loaded_first(self, cli: CliHarness) -> None:
        """The dataset then exists again, and only the load of the inputs has noticed that it is a new one."""
        cli.load_whole()
        cli.database.unlink()
        load_inputs(Target(database=cli.database), write(cli.folder / "inputs", rates=RATES))
        cli.load_whole()
        assert len(rows(cli.database, "rates")) == 3

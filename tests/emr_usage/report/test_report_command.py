"""The command `report`: its files, output and errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from emr_usage.cli import main
from mart_cases import TABLES
from mart_fixtures import MartDatabase, built_mart_db, job_run, utc


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), **TABLES)


def report(mart_db: MartDatabase, *options: str) -> Result:
    return CliRunner().invoke(main, ["report", "--database", str(mart_db.target.database), *options])


def test_a_page_is_written_next_to_the_database_and_its_path_is_printed(mart_db: MartDatabase) -> None:
    done = report(mart_db, "--month", "2026-10")
    assert done.exit_code == 0, done.output
    path = mart_db.target.database.parent / "reports" / "emr-usage-2026-10.html"
    assert done.stdout.splitlines()[-1] == f"Report: {path}"
    assert done.stdout.startswith("October 2026 (provisional): estimated USD ")
    assert path.read_text(encoding="utf-8").endswith("</html>")


def test_writing_a_month_again_replaces_its_page(mart_db: MartDatabase, tmp_path: Path) -> None:
    for _ in range(2):
        assert report(mart_db, "--month", "2026-10", "--output", str(tmp_path)).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["emr-usage-2026-10.html"]


def test_json_output_is_one_line(mart_db: MartDatabase, tmp_path: Path) -> None:
    done = report(mart_db, "--month", "2026-10", "--output", str(tmp_path), "--json")
    facts = json.loads(done.stdout)
    assert (facts["status"], facts["exit_code"], facts["month"]) == ("complete", 0, "2026-10")
    assert facts["files"] == [str(tmp_path / "emr-usage-2026-10.html")]


def read_csv(path: Path) -> pa.Table:
    return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(strings_can_be_null=True))


@pytest.mark.parametrize(("kind", "read"), [("csv", read_csv), ("parquet", pyarrow.parquet.read_table)])
def test_exported_chargeback_tables_equal_the_marts(
    mart_db: MartDatabase, tmp_path: Path, kind: str, read: Callable[[Path], pa.Table]
) -> None:
    done = report(mart_db, "--month", "2026-10", "--output", str(tmp_path), "--format", kind)
    assert done.exit_code == 0, done.output
    periods = {"chargeback_daily": "billing_date", "chargeback_monthly": "billing_month"}
    for name, period in periods.items():
        written = read(tmp_path / f"{name}-2026-10.{kind}").to_pylist()
        # Each row names its build besides.
        assert {row.pop("build_number") for row in written} == {1}
        assert all(row.pop("built_at") for row in written)
        rows = [tuple(row.values()) for row in written]
        october = f"{period} >= DATE '2026-10-01' AND {period} < DATE '2026-11-01'"
        expected = mart_db.ask(
            f"SELECT {period}, owner, workspace_id, currency, * EXCLUDE ({period}, owner, workspace_id, currency)"
            f" FROM {name} WHERE {october}"
        )
        assert sorted(map(exact, rows), key=repr) == sorted(map(exact, expected), key=repr)
        assert rows


def test_a_workbook_has_a_sheet_for_each_table(mart_db: MartDatabase, tmp_path: Path) -> None:
    done = report(mart_db, "--month", "2026-10", "--output", str(tmp_path), "--format", "xlsx")
    assert done.exit_code == 0, done.output
    path = tmp_path / "chargeback-2026-10.xlsx"
    assert done.stdout == f"Workbook: {path}\n"
    assert list(tmp_path.iterdir()) == [path]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["chargeback_daily", "chargeback_monthly"]
    ((rows,),) = mart_db.ask("SELECT count(*) FROM chargeback_monthly WHERE billing_month = DATE '2026-10-01'")
    assert book["chargeback_monthly"].max_row == 1 + rows


def exact(row: tuple[object, ...]) -> tuple[object, ...]:
    """Return a row with all its numbers as decimals."""
    return tuple(Decimal(str(value)) if isinstance(value, (int, float)) else value for value in row)


def test_the_default_month_is_that_of_yesterday(mart_db: MartDatabase, tmp_path: Path) -> None:
    done = report(mart_db, "--output", str(tmp_path), "--json")
    # Between the zones of this machine and of the bill it may be another day.
    nights = [date.today() - timedelta(days=days) for days in (0, 1, 2)]  # noqa: DTZ011  # either side of midnight is right
    assert json.loads(done.stdout)["month"] in {f"{night:%Y-%m}" for night in nights}


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--month", "october"], 2, "'october' is not a month; write it as 2026-10"),
        (["--month", "2026-13"], 2, "no month '2026-13'"),
        (["--format", "pdf"], 2, "'pdf' is not one of"),
        (["--database", "nowhere.duckdb"], 1, "nowhere.duckdb does not exist"),
        (["--destination", "dummy"], 2, "cannot use the destination dummy"),
    ],
)
def test_a_failed_report_is_reported(
    mart_db: MartDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, says: str
) -> None:
    # Working files of another destination stand where the command is run.
    monkeypatch.chdir(tmp_path)
    done = report(mart_db, *options)
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_an_unwritable_folder_is_reported(mart_db: MartDatabase, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = report(mart_db, "--month", "2026-10", "--output", str(tmp_path / "file" / "reports"))
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr
    assert "--output" in done.stderr


def test_missing_marts_are_reported_with_the_build_command(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[job_run("run", utc("2026-10-18 06:00"), utc("2026-10-18 08:30"), 5)])
    done = report(mart_db, "--month", "2026-10")
    assert done.exit_code == 1
    assert "Build them first: emr-usage build" in done.stderr


def test_the_memory_limit_of_loads_does_not_apply_to_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mart_db = built_mart_db(tmp_path, job_runs=[job_run("run", utc("2026-10-18 06:00"), utc("2026-10-18 08:30"), 5)])
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS__GLOBAL_CONFIG", '{"memory_limit": "1MB"}')
    done = report(mart_db, "--month", "2026-10")
    assert done.exit_code == 0, done.output

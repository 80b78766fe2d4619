"""The command `build`: its output and exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from emr_usage.cli import main
from mart_fixtures import READ_AT, MartDatabase, job_run, number, tag, utc

RUN = job_run("run", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)
RATE = {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1)}
HOLD = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"


@pytest.fixture
def mart_db(tmp_path: Path) -> MartDatabase:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[RUN], rates=number([RATE], "row_number"))
    return mart_db


def run_build(mart_db: MartDatabase, *options: str) -> Result:
    return CliRunner().invoke(main, ["build", "--database", str(mart_db.target.database), *options])


def test_build_reports_its_models_and_releases_the_database(mart_db: MartDatabase) -> None:
    done = run_build(mart_db, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["status"] == "complete"
    assert facts["models"] > 15
    assert facts["checks"] > 10
    with duckdb.connect(str(mart_db.target.database), read_only=True) as connection:
        assert connection.execute("SELECT job_runs FROM emr_marts.chargeback_monthly").fetchall() == [(1,)]


def test_build_writes_only_the_database_its_lock_and_working_files(mart_db: MartDatabase) -> None:
    assert run_build(mart_db).exit_code == 0
    folder = mart_db.target.database.parent
    beside = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}
    assert beside == {"emr.duckdb", "emr.duckdb.lock", "emr.duckdb.dlt"}


def test_a_failed_data_test_is_reported_by_its_description(mart_db: MartDatabase) -> None:
    mart_db.write(rates=number([RATE, RATE], "row_number"))
    done = run_build(mart_db, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "DataTestFailed"
    assert "Error: A data test failed: Rates of one scope do not overlap; correct rates.csv (1 rows)." in done.stderr


def test_a_database_that_is_open_in_another_program_is_reported(mart_db: MartDatabase) -> None:
    command = [sys.executable, "-c", HOLD, str(mart_db.target.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        done = run_build(mart_db, "--json")
        holder.communicate()
    assert done.exit_code == 4
    assert json.loads(done.stdout)["error"]["code"] == "DatabaseHeld"


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--billing-time-zone", "'; drop"], 2, "is not a time zone"),
        (["--billing-time-zone", "Mars/Olympus"], 2, "is not a time zone"),
        (["--billing-time-zone", "asia/shanghai"], 2, "is not a time zone"),
        (["--destination", "dummy"], 2, "cannot use the destination"),
        (["--database", "nowhere.duckdb"], 1, "nowhere.duckdb does not exist"),
    ],
)
def test_a_failed_build_is_reported(
    mart_db: MartDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: int, says: str
) -> None:
    # Working files of another destination stand where the command is run.
    monkeypatch.chdir(tmp_path)
    done = run_build(mart_db, *options)
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert "Traceback" not in done.output


def test_invalid_inputs_are_reported_together_and_change_nothing(mart_db: MartDatabase) -> None:
    assert run_build(mart_db).exit_code == 0
    before = mart_db.marts()
    inputs = mart_db.target.database.with_name("inputs")
    inputs.mkdir()
    (inputs / "rates.csv").write_text("region_id,currency\ncn-hangzhou,dollars\n")
    (inputs / "owners.csv").write_text("owner\n\n")
    done = run_build(mart_db, "--json")
    assert done.exit_code == 2
    assert "rates.csv, row 1, column price_per_cu_hour" in done.stderr
    assert "owners.csv, row 1, column tag_key" in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "InvalidInputs"
    assert mart_db.marts() == before


def test_explain_shows_days_rates_owner_rule_and_unpriced_use(mart_db: MartDatabase) -> None:
    crossing = job_run("crossing", utc("2026-11-18 15:00"), utc("2026-11-18 17:00"), 5, creator="2020")
    member = {"workspace_id": "w-1", "user_id": "2020", "user_name": "lei@acme", "display_name": "Li Lei", "observed_at": READ_AT}
    rate = RATE | {"valid_to": date(2026, 11, 19), "source": "contract 7", "price_kind": "contracted"}
    owner = {"owner": "data/growth", "tag_key": "team", "tag_value": "growth", "valid_from": date(2026, 1, 1)}
    mart_db.write(job_runs=[crossing], job_run_tags=[tag(crossing, "Team", "Growth")], rates=number([rate], "row_number"))
    mart_db.write(owners=number([owner], "rule_number"), members=[member])
    explain = ["explain", "crossing", "--database", str(mart_db.target.database)]
    before = CliRunner().invoke(main, explain)
    assert before.exit_code == 1
    assert "Build them first: emr-usage build" in before.stderr
    assert run_build(mart_db).exit_code == 0
    told = CliRunner().invoke(main, explain)
    assert told.exit_code == 0, told.output
    assert "Creator: Li Lei (2020)" in told.stdout
    assert "Used: 5.000000 CU-hours, estimated USD 0.125000 (partly priced)" in told.stdout
    assert "data/growth, by rule 1 of owners.csv: tag key is team and tag value is growth, from 2026-01-01" in told.stdout
    assert re.search(r"2026-11-18 +1 +2\.500000 +0\.125000 +USD 0\.05 +line 1,", told.stdout)
    assert re.search(r"2026-11-19 +1 +2\.500000 +- +unpriced", told.stdout)
    assert "Not priced: 2.500000 CU-hours, because" in told.stdout
    (facts,) = json.loads(CliRunner().invoke(main, [*explain, "--json"]).stdout)
    assert facts["run"]["owner"] == "data/growth"
    missing = CliRunner().invoke(main, ["explain", "nobody", "--database", str(mart_db.target.database)])
    assert missing.exit_code == 1
    assert "Job run nobody is not in the marts" in missing.stderr

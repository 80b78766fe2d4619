"""`close`, `statement` and `diff`: their output, errors and verification."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from shutil import copy

import pytest
from click.testing import CliRunner, Result

from closed_month import AFTER, NOVEMBER, NOW, OCTOBER, TABLES, run
from emr_usage.cli import main
from emr_usage.errors import DataTestFailedError, StatementError
from emr_usage.report import Month
from emr_usage.statements import close_month
from mart_cases import window
from mart_fixtures import MartDatabase, billing, job_run

NEW_RATES = """region_id,workspace_id,resource_queue_id,currency,price_per_cu_hour,price_kind,valid_from,valid_to,source
cn-hangzhou,,,USD,0.20,contracted,2026-01-01,,offer
"""
NEW_OWNERS = """owner,tag_key,tag_value,creator,resource_queue_id,workspace_id,job_name,valid_from,valid_to
ads,,,,,rate,,,
growth,,,,,,*,,
"""


@pytest.fixture(scope="module")
def built_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    mart_db = MartDatabase(tmp_path_factory.mktemp("built") / "emr.duckdb")
    december = run("same", "december", submit_time=billing("2026-12-05 00:00"), end_time=billing("2026-12-05 01:00"))
    mart_db.write(**TABLES | {"job_runs": [*TABLES["job_runs"], december]})
    mart_db.build()
    return mart_db.target.database


@pytest.fixture
def mart_db(built_file: Path, tmp_path: Path) -> MartDatabase:
    return MartDatabase(Path(copy(built_file, tmp_path)))


def invoke(mart_db: MartDatabase, *words: str) -> Result:
    return CliRunner().invoke(main, [*words, "--database", str(mart_db.target.database)])


def test_the_statement_of_a_closed_month_has_a_reproducible_hash(mart_db: MartDatabase) -> None:
    opened = invoke(mart_db, "statement", "--month", "2026-10")
    assert "October 2026 is open (final): its figures can change until it is closed." in opened.output
    assert "Total: USD\N{NO-BREAK SPACE}7.40" in opened.output
    closed = invoke(mart_db, "close", "--month", "2026-10", "--json")
    assert closed.exit_code == 0, closed.output
    sha256 = json.loads(closed.stdout)["sha256"]
    content = invoke(mart_db, "statement", "--month", "2026-10", "--format", "content").stdout
    assert hashlib.sha256(content.encode()).hexdigest() == sha256
    assert json.loads(content)["lines"][0]["estimated_cost"] == "1.000000"
    table = invoke(mart_db, "statement", "--month", "2026-10").output
    assert f"SHA-256 (verified): {sha256}" in table
    assert "Total: USD\N{NO-BREAK SPACE}7.40" in table
    csv = invoke(mart_db, "statement", "--month", "2026-10", "--format", "csv").stdout.splitlines()
    assert csv[1] == "2026-10-01,,,growth,all,USD,10.000000,0.000000,1.000000,0.000000,0.000000"
    again = invoke(mart_db, "close", "--month", "2026-10")
    assert again.exit_code == 1
    assert "Error: October 2026 is already closed, since " in again.stderr
    assert f"with the SHA-256 {sha256}." in again.stderr
    # A changed line is noticed by every reading, and by the next build.
    mart_db.change("UPDATE emr_statements.statement_lines SET estimated_cost = 2 WHERE workspace_id = 'all'")
    changed = invoke(mart_db, "statement", "--month", "2026-10")
    assert changed.exit_code == 1
    assert "Error: The statement of October 2026 was changed after the month was closed" in changed.stderr
    with pytest.raises(DataTestFailedError, match="restore them from a backup"):
        mart_db.build()


@pytest.mark.parametrize(
    ("month", "when", "sentence"),
    [
        (OCTOBER, billing("2026-10-31 23:59"), "October 2026 cannot be closed; missing: its end, 2026-10-31 16:00 UTC."),
        (Month(OCTOBER.previous.first), NOW, "No job run of September 2026 is in the marts"),
    ],
)
def test_a_month_that_cannot_be_closed_is_refused(mart_db: MartDatabase, month: Month, when: object, sentence: str) -> None:
    with pytest.raises(StatementError) as raised:
        close_month(mart_db.target, month, when)  # type: ignore[arg-type]
    assert sentence in str(raised.value)
    tables = mart_db.ask("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'emr_statements'")
    assert tables == [(0,)]


def test_months_are_closed_in_order(mart_db: MartDatabase) -> None:
    close_month(mart_db.target, OCTOBER, NOW)
    with pytest.raises(StatementError, match="because the earlier November 2026 is open"):
        close_month(mart_db.target, NOVEMBER.next, NOW + timedelta(days=30))
    with pytest.raises(StatementError, match="because the later October 2026 is closed already"):
        close_month(mart_db.target, OCTOBER.previous, NOW)


def test_closing_an_incomplete_month_requires_a_reason(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    open_run = job_run("open", billing("2026-10-20 00:00"), None, None, workspace_id="same", observed_at=NOW)
    short = window("2026-10-10 00:00", "2026-10-11 00:00", "short", workspace_id="same")
    mart_db.write(**TABLES | {"job_runs": [run("same"), AFTER, open_run]})
    mart_db.write(extraction_windows=[*TABLES["extraction_windows"], short])
    mart_db.build()
    refused = invoke(mart_db, "close", "--month", "2026-10")
    assert refused.exit_code == 1
    assert "missing: figures of 1 open run. Load and build when it is there, or give --anyway REASON" in refused.stderr
    assert invoke(mart_db, "close", "--month", "2026-10", "--anyway", " ").exit_code == 2
    assert invoke(mart_db, "close", "--month", "2026-10", "--anyway", "the stream is free").exit_code == 0
    printed = invoke(mart_db, "statement", "--month", "2026-10").output
    assert "Missing when it was closed: figures of 1 open run\nClosed anyway: the stream is free\n" in printed


def test_a_diff_shows_the_effect_of_new_inputs_and_writes_nothing(mart_db: MartDatabase, tmp_path: Path) -> None:
    before = mart_db.marts()
    rates, owners = tmp_path / "rates-2027.csv", tmp_path / "new.csv"
    rates.write_text(NEW_RATES)
    owners.write_text(NEW_OWNERS)
    done = invoke(mart_db, "diff", "--rates", str(rates), "--owners", str(owners), "--json")
    assert done.exit_code == 0, done.output
    changes = [(change["billing_month"], change["owner"], change["cost_change"]) for change in json.loads(done.stdout)["changes"]]
    assert changes == [
        # 10 CU-hours at 0.20 move to ads, the other 64 cost 0.10 more.
        ("2026-10-01", "ads", "2.000000"),
        ("2026-10-01", "growth", "5.400000"),
        ("2026-11-01", "growth", "1.000000"),
        ("2026-12-01", "growth", "1.000000"),
    ]
    assert mart_db.marts() == before
    assert mart_db.ask("SELECT count(*), max(price_per_cu_hour) < 0.2 FROM emr_raw.rates") == [(7, True)]
    rates.write_text(NEW_RATES.replace("0.20", "-1"))
    invalid = invoke(mart_db, "diff", "--rates", str(rates))
    assert invalid.exit_code == 2
    assert "rates.csv, row 2, column price_per_cu_hour" in invalid.stderr
    assert invoke(mart_db, "diff").exit_code == 2

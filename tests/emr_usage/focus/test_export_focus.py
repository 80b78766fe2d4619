"""`export focus`: costs equal the chargeback, and incomplete data is marked."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from emr_usage.cli import main
from emr_usage.focus.columns import COLUMNS
from mart_cases import LARGE, RATES, TABLES, window
from mart_fixtures import READ_AT, MartDatabase, Row, billing, built_mart_db, job_run, tag, utc

ACCOUNT = "1234567890123456"
ROOT = Path(__file__).parents[3]
WHOLE = [window("2026-09-30 16:00", "2026-11-20 02:00", axis=axis, finished_at=READ_AT) for axis in ("start", "end")]
FORMULA = job_run("formula", billing("2026-10-05 00:00"), billing("2026-10-05 01:00"), 2) | {"name": "=1+1"}
TAGS = [tag(FORMULA, "team", "a; =1"), tag(FORMULA, "@team", None, 1), tag(FORMULA, "team", "second", 2)]


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), **(TABLES | LARGE))


def export(mart_db: MartDatabase, folder: Path, *options: str, month: str = "2026-10") -> Result:
    words = ["export", "focus", "--database", str(mart_db.target.database), "--month", month, "--output", str(folder)]
    return CliRunner().invoke(
        main, [*words, *([] if "--billing-account" in options else ["--billing-account", ACCOUNT]), *options]
    )


def exported(mart_db: MartDatabase, folder: Path, *options: str) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """Return the path of the file, the metadata, and what is printed for programs."""
    done = export(mart_db, folder, *options, "--json")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    path, metadata = (Path(name) for name in facts["files"])
    return path, json.loads(metadata.read_text(encoding="utf-8")), facts


@pytest.mark.parametrize("kind", ["parquet", "csv"])
@pytest.mark.parametrize("version", ["1.4", "1.2"])
def test_costs_equal_the_chargeback_to_the_last_decimal(mart_db: MartDatabase, tmp_path: Path, version: str, kind: str) -> None:
    path, metadata, facts = exported(mart_db, tmp_path, "--version", version, "--format", kind)
    read = f"read_csv('{path}', all_varchar => true)" if kind == "csv" else f"'{path}'"
    amounts = "sum(cast(BilledCost AS DECIMAL(38, 6))), sum(cast(EffectiveCost AS DECIMAL(38, 6)))"
    grouped = f"""
        SELECT cast(x_BillingDate AS DATE), x_Owner, SubAccountId, BillingCurrency, {amounts},
          sum(cast(ConsumedQuantity AS DECIMAL(38, 6))), count(*)
        FROM {read} GROUP BY ALL ORDER BY ALL
    """
    october = "billing_date >= DATE '2026-10-01' AND billing_date < DATE '2026-11-01'"
    columns = "billing_date, owner, workspace_id, currency, estimated_cost, estimated_cost, cu_hours, job_runs"
    daily = mart_db.ask(f"SELECT {columns} FROM chargeback_daily WHERE {october} AND currency IS NOT NULL ORDER BY ALL")
    assert duckdb.execute(grouped).fetchall() == daily
    monthly = mart_db.ask(
        "SELECT currency, sum(estimated_cost) FROM chargeback_monthly"
        " WHERE billing_month = DATE '2026-10-01' AND currency IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    assert len(monthly) > 1
    # An adjustment of zero would not show that the file is without it.
    ((adjustment,),) = mart_db.ask(
        "SELECT sum(settlement_adjustment) FROM chargeback_monthly WHERE billing_month = DATE '2026-10-01'"
    )
    assert adjustment != 0
    for costs in (facts["costs"], metadata["x_BilledCost"]):
        assert [(currency, Decimal(cost)) for currency, cost in costs.items()] == monthly


def test_each_run_has_one_charge_per_day_with_exact_products(mart_db: MartDatabase, tmp_path: Path) -> None:
    path, metadata, _ = exported(mart_db, tmp_path)
    table = pq.read_table(path)
    assert not [name for name in table.schema.names if name.startswith("Allocated")]
    rows = table.to_pylist()
    assert len({(row["SubAccountId"], row["ResourceId"], row["x_BillingDate"]) for row in rows}) == len(rows) > 0
    for row in rows:
        assert row["ContractedCost"] == row["ContractedUnitPrice"] * row["PricingQuantity"]
        assert row["ListCost"] == row["ListUnitPrice"] * row["PricingQuantity"]
        assert abs(row["BilledCost"] - row["ContractedCost"]) <= Decimal("0.000001")
        assert utc("2026-09-30 16:00") == row["BillingPeriodStart"] <= row["ChargePeriodStart"]
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"] == utc("2026-10-31 16:00")
    # The last run of the month goes on into November.
    assert [row["ConsumedQuantity"] for row in rows if row["ResourceId"] == "boundary"] < [Decimal("1.000001")]
    definitions = metadata["Schema"][0]["ColumnDefinition"]
    assert [definition["ColumnName"] for definition in definitions] == table.schema.names


def test_the_list_price_comes_from_the_rate_or_the_list_prices_or_is_unknown(mart_db: MartDatabase, tmp_path: Path) -> None:
    path, _, _ = exported(mart_db, tmp_path)
    found = duckdb.execute(f"SELECT DISTINCT x_ListPriceSource, ListUnitPrice = ContractedUnitPrice FROM '{path}'").fetchall()
    # The rates in force are LARGE's: the first is a list price, the others are contracted; only IDR has a list price.
    assert ("rates.csv", True) in found
    assert ("none", True) in found
    assert {source for source, _ in found} <= {"rates.csv", "none", "list_prices.csv"}


@pytest.fixture(scope="module")
def final_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    runs = [
        FORMULA,
        job_run("stream", billing("2026-11-09 00:00"), None, 3, observed_at=billing("2026-11-12 06:00")),
        job_run("pending", billing("2026-11-14 00:00"), billing("2026-11-15 03:00"), None),
        job_run("elsewhere", billing("2026-12-01 00:00"), billing("2026-12-01 01:00"), 2, region_id="eu-nowhere"),
    ]
    tables: dict[str, list[Row]] = {"job_runs": runs, "job_run_tags": TAGS, "rates": RATES, "extraction_windows": WHOLE}
    workspaces = [{"workspace_id": "w-1", "region_id": "cn-hangzhou", "workspace_name": "分析", "observed_at": READ_AT}]
    return built_mart_db(tmp_path_factory.mktemp("final_db"), **tables, workspaces=workspaces)


def test_a_final_month_is_complete(final_db: MartDatabase, tmp_path: Path) -> None:
    path, metadata, facts = exported(final_db, tmp_path)
    assert (facts["month_status"], facts["missing"], facts["cu_hours_unpriced"]) == ("final", [], "0.000000")
    assert set(pq.read_table(path)["x_MonthStatus"].to_pylist()) == {"final"}
    (recency,) = metadata["Recency"]
    assert recency["DatasetInstanceComplete"] is True
    assert len(recency["TimeSectors"]) == 31
    assert recency["TimeSectors"][0]["TimeSectorStart"] == "2026-09-30T16:00:00Z"


def test_a_month_in_progress_is_marked_provisional_with_its_complete_days(final_db: MartDatabase, tmp_path: Path) -> None:
    done = export(final_db, tmp_path, month="2026-11")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("November 2026 (provisional): 4 charges, estimated USD 0.18; missing: ")
    metadata = json.loads((tmp_path / "focus-1.4-2026-11.metadata.json").read_text())
    assert metadata["x_MonthStatus"] == "provisional"
    assert len(metadata["x_Missing"]) == 3
    assert set(pq.read_table(tmp_path / "focus-1.4-2026-11.parquet")["x_MonthStatus"].to_pylist()) == {"provisional"}
    (recency,) = metadata["Recency"]
    assert recency["DatasetInstanceComplete"] is False
    complete = [sector["TimeSectorStart"] for sector in recency["TimeSectors"] if sector["TimeSectorComplete"]]
    # From the day on which the stream was last observed, its use is not known.
    assert complete == [f"2026-{month}-{day:02}T16:00:00Z" for month, day in [(10, 31), *((11, day) for day in range(1, 11))]]


def test_csv_cells_are_not_formulas_and_tags_are_unchanged(final_db: MartDatabase, tmp_path: Path) -> None:
    path, _, _ = exported(final_db, tmp_path, "--format", "csv")
    text = path.read_bytes()
    assert text.startswith(b"BilledCost,"), "a byte order mark would be a part of the first name"
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["ResourceName"] == "'=1+1"
    assert row["SubAccountName"] == "分析"
    assert row["ChargePeriodStart"] == "2026-10-04T16:00:00Z"
    assert ";" not in row["Tags"]
    assert json.loads(row["Tags"]) == {"team": "a; =1", "@team": None}


def test_an_export_that_is_rejected_keeps_the_earlier_file(
    final_db: MartDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EMR_USAGE__BILLING_ACCOUNT_ID", raising=False)
    path, _, _ = exported(final_db, tmp_path)
    before = path.read_bytes()
    none = export(final_db, tmp_path, month="2026-01")
    assert (none.exit_code, none.stderr) == (
        1,
        "Error: No use of CU-hours is known in January 2026. Months with use: 2026-10, 2026-11, 2026-12.\n",
    )
    unpriced = export(final_db, tmp_path, month="2026-12")
    assert unpriced.exit_code == 1
    assert "None of the 2.00 CU-hours of December 2026 has a rate" in unpriced.stderr
    unknown = export(final_db, tmp_path, "--billing-account", "")
    assert unknown.exit_code == 2
    assert "--billing-account" in unknown.stderr
    assert "EMR_USAGE__BILLING_ACCOUNT_ID" in unknown.stderr
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["focus-1.4-2026-10.metadata.json", "focus-1.4-2026-10.parquet"]


def test_a_secret_passed_as_the_billing_account_is_not_written_or_printed(final_db: MartDatabase, tmp_path: Path) -> None:
    secret = "LTAI5tMadeUpMadeUpMadeUp"
    done = export(final_db, tmp_path, "--billing-account", secret)
    assert done.exit_code == 2
    assert "digits only" in done.stderr
    assert secret not in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_account_can_be_a_setting(final_db: MartDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMR_USAGE__BILLING_ACCOUNT_ID", "9876543210987654")
    done = export(final_db, tmp_path, "--billing-account", "")
    assert done.exit_code == 0, done.output
    assert set(pq.read_table(tmp_path / "focus-1.4-2026-10.parquet")["BillingAccountId"].to_pylist()) == {"9876543210987654"}


def test_the_documentation_lists_every_column() -> None:
    text = (ROOT / "docs/focus.md").read_text(encoding="utf-8").split("## Columns")[1].split("## Metadata")[0]
    listed = [name for cell in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted(column.name for column in COLUMNS)

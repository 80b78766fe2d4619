"""The settlement of workspace hours, computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from emr_serverless import CheckSettingsError
from mart_fixtures import MartDatabase, Row, built_mart_db, job_run, number, utc

SIX, SEVEN, EIGHT = (utc(f"2026-10-20 0{hour}:00") for hour in (6, 7, 8))
RATE: Row = {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1)}
RATES = number([RATE, RATE | {"resource_queue_id": "dev", "price_per_cu_hour": "0.01"}], "row_number")
OWNERS = number([{"owner": "ads", "job_name": "cores"}], "rule_number")


def run(name: str, cores: int, gib: int, cu_hours: object, **fields: object) -> Row:
    """Return a run from six to seven with its core-hours and GiB-hours."""
    return job_run(name, SIX, SEVEN, cu_hours, vcore_seconds=cores * 3600, mb_seconds=gib * 3600 * 1024) | fields


# 1.9 GiB per core: 100 x 0.7. 20 GiB per core: 400 / 4.
CORES, MEMORY = run("cores", 100, 190, 70), run("memory", 20, 400, 100)
# Exactly 4 GiB per core, cut at odd times: rounded, the ratio would fall below 4 and into a discount.
EXACT = [
    job_run(f"run-{n}", utc(f"2026-10-20 05:0{n}:07"), utc(f"2026-10-20 07:1{n}:13"), Decimal(cores * 7) / 3600)
    | {"vcore_seconds": cores * 7, "mb_seconds": cores * 7 * 4096}
    for n, cores in enumerate((3600, 7200, 10800))
]
# A workspace for each case.
CASES: dict[str, list[Row]] = {
    "example": [CORES, MEMORY],
    "rates": [CORES | {"resource_queue_id": "dev"}, MEMORY | {"region_id": "eu-nowhere"}],
    # Alone 150 core-hours at 0.7 and 10 at 0.9.
    "above": [run("cores", 150, 299, 105), run("memory", 10, 36, 9)],
    "exact": EXACT,
    # The first hour shares the workspace with a run of much memory.
    "hours": [CORES | {"end_time": EIGHT}, MEMORY],
    "outside": [CORES, MEMORY, run("odd", 100, 400, 125), job_run("blank", SIX, SEVEN, 7), run("unknown", 1, 1, None)],
}


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    runs = [run | {"workspace_id": case} for case, runs in CASES.items() for run in runs]
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), job_runs=runs, rates=RATES, owners=OWNERS)


def rows(mart_db: MartDatabase, case: str, columns: str, mart: str) -> list[tuple[Any, ...]]:
    return mart_db.ask(f"SELECT {columns} FROM {mart} WHERE workspace_id = '{case}' ORDER BY ALL")


def hours(mart_db: MartDatabase, case: str) -> list[tuple[Any, ...]]:
    columns = "hour_start, core_hours, gib_hours, discount_factor, cu_hours, cu_hours_settled, cu_hours_difference"
    return [row[1:] for row in rows(mart_db, case, columns, "workspace_hours")]


def adjustments(mart_db: MartDatabase, case: str) -> list[tuple[Any, ...]]:
    return rows(mart_db, case, "job_run_id, owner, cu_hours, settlement_adjustment", "settlement_adjustments")


def test_the_settlement_difference_is_shared_in_proportion_to_use(mart_db: MartDatabase) -> None:
    # 120 core-hours, 590 GiB-hours: 4.92 GiB per core, 590 / 4.
    assert hours(mart_db, "example") == [(120, 590, 1, 170, Decimal("147.5"), Decimal("-22.5"))]
    # 22.5 x 70 / 170 = 9.2647058..., the rest is the other's.
    assert adjustments(mart_db, "example") == [
        ("cores", "ads", Decimal("-9.264706"), Decimal("-0.463235")),
        ("memory", "unallocated", Decimal("-13.235294"), Decimal("-0.661765")),
    ]


@pytest.mark.parametrize("mart", ["chargeback_daily", "chargeback_monthly"])
def test_the_adjustment_is_not_included_in_the_cost(mart_db: MartDatabase, mart: str) -> None:
    columns = "owner, cu_hours, estimated_cost, settlement_cu_hours, settlement_adjustment"
    assert rows(mart_db, "example", columns, mart) == [
        ("ads", 70, Decimal("3.5"), Decimal("-9.264706"), Decimal("-0.463235")),
        ("unallocated", 100, Decimal(5), Decimal("-13.235294"), Decimal("-0.661765")),
    ]


def test_each_run_is_adjusted_at_its_own_rate_and_one_without_a_rate_has_no_amount(mart_db: MartDatabase) -> None:
    assert adjustments(mart_db, "rates") == [
        ("cores", "ads", Decimal("-9.264706"), Decimal("-0.092647")),
        ("memory", "unallocated", Decimal("-13.235294"), None),
    ]


def test_an_hour_can_settle_above_the_sum_of_its_runs(mart_db: MartDatabase) -> None:
    # 335 GiB-hours on 160 cores, 2.09: all at 0.8.
    assert hours(mart_db, "above") == [(160, 335, Decimal("0.8"), 114, 128, 14)]
    assert sum(row[2] for row in adjustments(mart_db, "above")) == 14


def test_hours_with_one_discount_factor_settle_at_their_sum(mart_db: MartDatabase) -> None:
    assert rows(mart_db, "exact", "discount_factor, gib_per_core, cu_hours_difference", "workspace_hours") == [(1, 4, 0)] * 3
    assert adjustments(mart_db, "exact") == []


def test_cpu_and_memory_are_distributed_over_hours_by_use(mart_db: MartDatabase) -> None:
    assert hours(mart_db, "hours") == [
        (70, 495, 1, 135, Decimal("123.75"), Decimal("-11.25")),
        (50, 95, Decimal("0.7"), 35, 35, 0),
    ]


def test_runs_outside_the_formula_are_not_settled(mart_db: MartDatabase) -> None:
    assert hours(mart_db, "outside") == [(120, 590, 1, 302, Decimal("279.5"), Decimal("-22.5"))]
    assert rows(mart_db, "outside", "cu_hours_outside_formula, job_runs", "workspace_hours") == [(132, 4)]
    columns = "job_run_id, cu_hours_by_formula, cu_hours, cu_hours_difference"
    assert mart_db.ask(f"SELECT {columns} FROM cu_formula_check") == [("odd", 100, 125, 25)]


def test_a_discount_opportunity_is_the_saving_of_less_memory(mart_db: MartDatabase) -> None:
    # 120 cores at 0.9 are 108 CU-hours, 39.5 below 147.5; only the run with at least 4 GiB per core can save them.
    columns = "job_key, hours_at_full_price, job_runs, cu_hours, cu_hours_avoidable, estimated_saving"
    assert rows(mart_db, "example", columns, "discount_opportunities") == [
        ("memory", 1, 1, 100, Decimal("39.5"), Decimal("1.975")),
    ]


def test_the_adjustment_is_switched_off_by_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMR_USAGE__SETTLEMENT_ADJUSTMENT", "false")
    off = built_mart_db(tmp_path, job_runs=[CORES, MEMORY], rates=RATES, owners=OWNERS)
    assert off.ask("FROM settlement_adjustments") == []
    assert off.ask("SELECT sum(settlement_cu_hours), sum(settlement_adjustment) FROM chargeback_daily") == [(None, None)]
    assert off.ask("SELECT cu_hours_difference FROM workspace_hours") == [(Decimal("-22.5"),)]
    monkeypatch.setenv("EMR_USAGE__SETTLEMENT_ADJUSTMENT", "maybe")
    with pytest.raises(CheckSettingsError, match="settlement_adjustment is 'maybe'"):
        off.build()

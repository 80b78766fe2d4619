"""An incremental build computes only what changed, and its tables equal those of a full refresh."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from emr_usage.errors import DataTestFailedError
from mart_fixtures import MARTS, READ_AT, MartDatabase, Row, job_run, number, seen, tag, utc

NIGHT = READ_AT + timedelta(days=1)
RATES = number(
    [{"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1)}], "row_number"
)
OWNERS = number([{"owner": "growth", "tag_key": "team", "tag_value": "growth"}], "rule_number")
ENDED = job_run("ended", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)
OPEN = job_run("open", utc("2026-11-18 06:00"), None, 8)
OPEN_LATER = OPEN | {"cu_hours": Decimal(20), "observed_at": NIGHT}
CORRECTED = job_run("corrected", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)
LOST = job_run("lost", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)
NEW = job_run("new", utc("2026-11-20 06:00"), utc("2026-11-20 08:30"), 7, observed_at=NIGHT)
SEEN = [seen(OPEN, READ_AT, 8)]
MARK = "UPDATE emr_marts.job_run_hours SET region_id = 'mark'; UPDATE emr_marts.job_run_costs SET region_id = 'mark'"
MARKED = (
    "SELECT job_run_id FROM job_run_hours WHERE region_id = 'mark'"
    " INTERSECT SELECT job_run_id FROM job_run_costs WHERE region_id = 'mark' ORDER BY 1"
)


@pytest.fixture
def mart_db(tmp_path: Path) -> MartDatabase:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[ENDED, OPEN, CORRECTED, LOST], job_run_observations=SEEN, job_run_tags=[tag(ENDED, "team", "growth")])
    mart_db.write(rates=RATES, owners=OWNERS)
    mart_db.build()
    return mart_db


def load_the_next_night(mart_db: MartDatabase) -> None:
    unknown = CORRECTED | {"cu_hours": None, "observed_at": NIGHT}
    runs: list[Row] = [ENDED, OPEN_LATER, unknown, NEW]
    tags = [tag(ENDED, "team", "growth"), tag(NEW, "team", "growth")]
    mart_db.write(job_runs=runs, job_run_observations=[*SEEN, seen(OPEN, NIGHT, 20)], job_run_tags=tags)


def test_an_incremental_build_computes_changed_runs_and_equals_a_full_refresh(mart_db: MartDatabase) -> None:
    mart_db.change(MARK)
    load_the_next_night(mart_db)
    mart_db.build()
    assert mart_db.ask(MARKED) == [("ended",)]
    mart_db.change(
        "UPDATE emr_marts.job_run_hours SET region_id = 'cn-hangzhou';"
        "UPDATE emr_marts.job_run_costs SET region_id = 'cn-hangzhou'"
    )
    # What is made of the marked rows is made again, without the mark.
    mart_db.build()
    built = mart_db.marts()
    mart_db.change("DROP SCHEMA emr_marts CASCADE")
    mart_db.build(full_refresh=True)
    refreshed = mart_db.marts()
    for mart in MARTS:
        assert built[mart] == refreshed[mart], mart
    assert {row[1] for row in refreshed["job_run_costs"]} == {"ended", "open", "corrected", "new"}


def test_a_new_rate_reprices_the_whole_history_and_a_new_rule_reassigns_it(mart_db: MartDatabase) -> None:
    mart_db.change(MARK)
    mart_db.write(owners=[OWNERS[0] | {"owner": "platform"}])
    mart_db.build()
    assert mart_db.ask("SELECT DISTINCT region_id FROM job_run_hours") == [("mark",)]
    assert mart_db.ask("SELECT owner, estimated_cost FROM job_run_costs WHERE owner IS NOT NULL") == [
        ("platform", Decimal("0.25"))
    ]
    mart_db.write(rates=[RATES[0] | {"price_per_cu_hour": "0.06"}])
    mart_db.build()
    assert mart_db.ask("SELECT DISTINCT region_id FROM job_run_hours") == [("cn-hangzhou",)]
    assert mart_db.ask("SELECT owner, estimated_cost FROM job_run_costs WHERE owner IS NOT NULL") == [
        ("platform", Decimal("0.30"))
    ]


def test_child_rows_loaded_after_an_interrupted_load_are_included(mart_db: MartDatabase) -> None:
    mart_db.write(job_run_observations=[*SEEN, seen(OPEN, utc("2026-11-19 06:00"), 1)])
    mart_db.write(job_run_tags=[tag(run, "team", "growth") for run in (ENDED, OPEN)])
    mart_db.build()
    first_day = (
        "SELECT sum(cu_hours) FROM job_run_hours WHERE job_run_id = 'open' AND hour_start < TIMESTAMPTZ '2026-11-19 06:00Z'"
    )
    assert mart_db.ask(first_day) == [(Decimal(1),)]
    assert mart_db.ask("SELECT owner FROM job_run_costs WHERE job_run_id = 'open'") == [("growth",)]


def test_overlapping_rates_fail_a_described_data_test(mart_db: MartDatabase) -> None:
    mart_db.write(rates=number([RATES[0], RATES[0] | {"valid_from": date(2026, 6, 1)}], "row_number"))
    with pytest.raises(DataTestFailedError, match=r"Rates of one scope do not overlap; correct rates\.csv"):
        mart_db.build()


def test_usage_without_inputs_is_unpriced_and_unallocated(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[ENDED])
    mart_db.build()
    assert mart_db.ask("SELECT owner, cu_hours, cu_hours_unpriced, estimated_cost, currency FROM chargeback_monthly") == [
        ("unallocated", 5, 5, None, None)
    ]


def test_empty_raw_tables_produce_empty_marts(tmp_path: Path) -> None:
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[], rates=[], owners=[])
    mart_db.build()
    assert set(map(len, mart_db.marts().values())) == {0}

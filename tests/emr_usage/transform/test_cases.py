"""Cases whose figures were computed by hand, independently of the models."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mart_cases import BOUNDARY, RATES, TABLES, TIMEOUT
from mart_fixtures import MartDatabase, Row, built_mart_db, job_run, number, utc


@pytest.fixture(scope="module")
def mart_db(tmp_path_factory: pytest.TempPathFactory) -> MartDatabase:
    return built_mart_db(tmp_path_factory.mktemp("mart_db"), **TABLES)


def slices(mart_db: MartDatabase, job_run_id: str, columns: str) -> list[tuple[Any, ...]]:
    return mart_db.ask(f"SELECT {columns} FROM job_run_hours WHERE job_run_id = '{job_run_id}' ORDER BY hour_start")


def test_a_run_across_a_month_boundary_is_split_exactly(mart_db: MartDatabase) -> None:
    assert slices(mart_db, "boundary", "hour_start, billing_month, cu_hours, estimated_cost") == [
        (utc("2026-10-31 15:00"), date(2026, 10, 1), Decimal("0.500001"), Decimal("0.030000")),
        (utc("2026-10-31 16:00"), date(2026, 11, 1), Decimal("0.500000"), Decimal("0.030000")),
    ]


def test_a_price_change_during_a_run_applies_from_midnight_in_the_billing_time_zone(mart_db: MartDatabase) -> None:
    assert slices(mart_db, "price_change", "billing_date, price_per_cu_hour, rate_row_number, rate_kind, estimated_cost") == [
        (date(2026, 10, 15), Decimal("0.05"), 1, "list", Decimal("0.05")),
        (date(2026, 10, 16), Decimal("0.06"), 2, "contracted", Decimal("0.06")),
    ]
    assert mart_db.ask("SELECT estimated_cost FROM job_run_costs WHERE job_run_id = 'price_change'") == [(Decimal("0.11"),)]


def test_a_price_change_within_an_hour_is_rounded_once(tmp_path: Path) -> None:
    # Ten past midnight in Kolkata is in the hour that began at half past eleven: its price is that of the day before.
    after_midnight = job_run("after_midnight", utc("2026-10-15 18:40"), utc("2026-10-15 19:20"), "0.000020")
    rate = {"region_id": "cn-hangzhou", "currency": "USD"}
    before = rate | {"price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1), "valid_to": date(2026, 10, 16)}
    after = rate | {"price_per_cu_hour": "0.04", "valid_from": date(2026, 10, 16)}
    other = MartDatabase(tmp_path / "emr.duckdb")
    other.write(job_runs=[after_midnight], rates=number([before, after], "row_number"))
    other.build(billing_time_zone="Asia/Kolkata")
    assert other.ask("SELECT DISTINCT price_per_cu_hour FROM job_run_hours ORDER BY 1") == [
        (Decimal("0.04"),),
        (Decimal("0.05"),),
    ]
    # 0.0000005 + 0.0000004, rounded once; as if the second price had held all along it would be twice as much.
    assert other.ask("SELECT estimated_cost FROM job_run_costs") == [(Decimal("0.000001"),)]


def test_a_stream_is_charged_on_the_days_of_its_use(mart_db: MartDatabase) -> None:
    by_day = mart_db.ask(
        "SELECT billing_date, sum(cu_hours) FROM job_run_hours WHERE job_run_id = 'stream' GROUP BY ALL ORDER BY ALL"
    )
    uses = [Decimal(1)] * 4 + [Decimal("0.25")] * 4 + [Decimal(3)] * 8 + [Decimal("2.75")] * 4
    assert by_day == [(date(2026, 10, 1) + timedelta(days=day), use) for day, use in enumerate(uses)]


def test_a_figure_above_a_later_one_is_reduced_to_the_later_one(mart_db: MartDatabase) -> None:
    hours = [cu_hours for (cu_hours,) in slices(mart_db, "falling", "cu_hours")]
    assert hours == [Decimal(6), Decimal(0), Decimal(1), Decimal(1)]


def test_a_run_without_duration_has_one_hour(mart_db: MartDatabase) -> None:
    assert slices(mart_db, "instant", "hour_start, cu_hours") == [(utc("2026-10-02 05:00"), Decimal("0.25"))]


def test_use_without_a_rate_is_shown_and_has_no_amount(mart_db: MartDatabase) -> None:
    costs = "cu_hours, cu_hours_unpriced, estimated_cost, currency, pricing_status"
    assert mart_db.ask(f"SELECT {costs} FROM job_run_costs WHERE job_run_id = 'elsewhere'") == [(3, 3, None, None, "unpriced")]
    daily = "SELECT owner, cu_hours, cu_hours_unpriced, estimated_cost, job_runs FROM chargeback_daily WHERE currency IS NULL"
    assert mart_db.ask(daily) == [("unallocated", 3, 3, None, 1)]


def test_a_run_without_a_figure_is_listed_without_hours(mart_db: MartDatabase) -> None:
    assert slices(mart_db, "no_figure", "hour_start") == []
    costs = "SELECT cu_hours, cu_hours_unpriced, estimated_cost, pricing_status FROM job_run_costs"
    assert mart_db.ask(f"{costs} WHERE job_run_id = 'no_figure'") == [(None, 0, None, "no_usage")]


def test_the_most_specific_rate_applies(mart_db: MartDatabase) -> None:
    prices = mart_db.ask("SELECT job_run_id, price_per_cu_hour FROM job_run_hours WHERE job_run_id LIKE 'scope%'")
    assert dict(prices) == {
        "scope_w-1_root": Decimal("0.06"),
        "scope_w-1_fast": Decimal("0.10"),
        "scope_w-2_root": Decimal("0.04"),
        "scope_w-2_fast": Decimal("0.03"),
    }


def test_the_first_rule_valid_on_the_day_determines_the_owner(mart_db: MartDatabase) -> None:
    owners = mart_db.ask("SELECT job_run_id, owner, owner_rule_number FROM job_run_costs WHERE owner IS NOT NULL")
    assert sorted(owners) == [
        ("ads_100%_day_7", "ads", 4),
        ("ads_1000_day", "late", 6),
        ("after", "data/platform", 2),
        ("before", "data/growth", 1),
        ("both", "night", 5),
        ("中文", "data/增长", 3),
    ]


def test_attempts_are_chained_up_to_the_first_success(mart_db: MartDatabase) -> None:
    columns = "first_failure_job_run_id, attempts, recovered_at, seconds_to_recovery, cu_hours_wasted, cu_hours_wasted_unpriced"
    chains = mart_db.ask(f"SELECT {columns}, estimated_cost_wasted FROM job_failure_chains ORDER BY 1")
    assert chains == [
        ("attempt-2", 3, utc("2026-10-05 08:30"), 25200, 2, 0, Decimal("0.10")),
        ("attempt-4", 1, None, None, 1, 0, Decimal("0.05")),
        # Six and a half hours later it is another day's run.
        ("attempt-6", 1, None, None, 1, 0, Decimal("0.05")),
    ]


def test_outcomes_are_counted_by_day_and_job(mart_db: MartDatabase) -> None:
    columns = "billing_date, job_key, job_runs, failed, cancelled, timed_out, failure_rate, p50_duration_seconds"
    days = mart_db.ask(
        f"SELECT {columns}, cu_hours_wasted, estimated_cost_wasted FROM job_reliability_daily WHERE workspace_id = 'w-3'"
    )
    assert sorted(days) == [
        (date(2026, 10, 5), "nightly_load", 6, 4, 0, 2, Decimal("0.666667"), 1800, 4, Decimal("0.20")),
        (date(2026, 10, 6), "nightly_load", 2, 0, 0, 0, 0, 1740, 0, 0),
    ]


def test_failures_with_the_same_reason_are_grouped(mart_db: MartDatabase) -> None:
    columns = "state_change_code, reason, job_runs, example_job_run_id, example_message"
    assert mart_db.ask(f"SELECT {columns} FROM failures_by_reason ORDER BY 1 NULLS LAST") == [
        ("ERR-1", "No file <address> in <n> s", 2, "attempt-6", "No file oss://c/2.csv in 9 s"),
        ("ERR-2", TIMEOUT, 1, "attempt-3", TIMEOUT),
        (None, "(no message)", 1, "attempt-4", None),
    ]
    wasted = "state_change_code, cu_hours_wasted, cu_hours_wasted_unpriced, estimated_cost_wasted, currency"
    assert mart_db.ask(f"SELECT {wasted} FROM failures_by_reason ORDER BY 1 NULLS LAST") == [
        ("ERR-1", 2, 0, Decimal("0.10"), "USD"),
        ("ERR-2", 1, 0, Decimal("0.05"), "USD"),
        (None, 1, 0, Decimal("0.05"), "USD"),
    ]


def test_a_failure_with_another_message_is_not_a_timeout(tmp_path: Path) -> None:
    waited = {"state": "Failed", "execution_timeout_seconds": 600}
    at = (utc("2026-10-05 00:00"), utc("2026-10-05 01:00"))
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(
        job_runs=[
            job_run("told", *at, 1, state_change_message=TIMEOUT) | waited,
            job_run("other", *at, 1, state_change_message="No such table") | waited,
            job_run("silent", *at, 1) | waited,
            job_run("unlimited", *at, 1) | waited | {"execution_timeout_seconds": -1},
        ]
    )
    mart_db.build()
    timed_out = mart_db.ask("SELECT job_run_id FROM job_run_costs WHERE is_timed_out ORDER BY 1")
    assert timed_out == [("silent",), ("told",)]
    assert mart_db.ask("SELECT near_timeouts FROM job_performance_weekly WHERE job_key = 'unlimited'") == [(0,)]


def test_runs_near_their_timeout_are_counted_by_week(mart_db: MartDatabase) -> None:
    weeks = mart_db.ask(
        "SELECT week_start, job_runs, near_timeouts, p95_before FROM job_performance_weekly WHERE workspace_id = 'w-3'"
    )
    assert weeks == [(date(2026, 10, 5), 8, 2, None)]


def test_unallocated_use_is_shown_by_submitter(mart_db: MartDatabase) -> None:
    months = mart_db.ask("SELECT billing_month, creator, cu_hours, currency FROM spend_unallocated WHERE workspace_id = 'w-3'")
    assert months == [(date(2026, 10, 1), None, 8, "USD")]


def test_the_billing_time_zone_is_a_setting(mart_db: MartDatabase, tmp_path: Path) -> None:
    other = MartDatabase(tmp_path / "emr.duckdb")
    other.write(job_runs=[BOUNDARY], rates=RATES)
    other.build(billing_time_zone="UTC")
    assert other.ask("SELECT billing_month, cu_hours FROM chargeback_monthly") == [(date(2026, 10, 1), Decimal("1.000001"))]
    other.build(billing_time_zone="Asia/Shanghai", change_time_zone=True)
    assert len(other.ask("FROM chargeback_monthly")) == len(slices(mart_db, "boundary", "hour_start")) == 2


def test_adjacent_and_overlapping_ranges_are_merged_and_gaps_are_kept(mart_db: MartDatabase) -> None:
    ranges = mart_db.ask("SELECT workspace_id, axis, certified_from, certified_until FROM certified_ranges ORDER BY ALL")
    assert ranges == [
        ("w-1", "end", utc("2026-10-01 00:00"), utc("2026-10-05 00:00")),
        ("w-1", "start", utc("2026-10-01 00:00"), utc("2026-10-03 00:00")),
        ("w-1", "start", utc("2026-10-04 00:00"), utc("2026-10-05 00:00")),
        ("w-1", "start", utc("2026-10-05 23:00"), utc("2026-10-07 12:00")),
    ]


def test_a_range_is_incomplete_until_a_later_load_certifies_it(mart_db: MartDatabase) -> None:
    windows = mart_db.ask(
        "SELECT workspace_id, axis, window_start, status, rows_distinct, error_code FROM incomplete_windows ORDER BY ALL"
    )
    assert windows == [
        ("w-1", "start", utc("2026-10-03 00:00"), "short", 9, None),
        ("w-2", "open", None, "failed", 9, None),
        ("w-2", "start", utc("2026-10-01 00:00"), "failed", 0, "Forbidden"),
    ]


def test_a_rate_is_compared_with_the_newest_list_price_in_its_currency(mart_db: MartDatabase) -> None:
    columns = "rate_row_number, price_per_cu_hour, cu_hours, list_price_currency, list_price_per_cu_hour, cost_at_list_price"
    october = "billing_month = DATE '2026-10-01' AND rate_row_number IN (3, 5)"
    assert mart_db.ask(f"SELECT {columns} FROM rates_by_month WHERE {october} ORDER BY ALL") == [
        (3, Decimal("0.10"), 1, "USD", Decimal("0.08"), Decimal("0.08")),
        (5, Decimal("0.03"), 1, "USD", Decimal("0.08"), Decimal("0.08")),
    ]


def test_unpriced_use_is_shown_at_the_list_price_and_has_no_cost(mart_db: MartDatabase) -> None:
    columns = "region_id, currency, estimated_cost, cu_hours, list_price_currency, cost_at_list_price"
    assert mart_db.ask(f"SELECT {columns} FROM rates_by_month WHERE rate_row_number IS NULL") == [
        ("eu-nowhere", None, None, 3, "EUR", Decimal("0.27")),
    ]


def test_a_success_during_the_failed_run_is_not_a_recovery(tmp_path: Path) -> None:
    failed = job_run("failed", utc("2026-10-05 00:00"), utc("2026-10-05 06:00"), 1, state="Failed") | {"name": "job"}
    beside = job_run("beside", utc("2026-10-05 01:00"), utc("2026-10-05 02:00"), 1) | {"name": "job"}
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=[failed, beside])
    mart_db.build()
    assert mart_db.ask("SELECT attempts, recovered_at, seconds_to_recovery FROM job_failure_chains") == [(2, None, None)]


# By the job's name, the later runs of one whose first run failed, when it recovered, and when it next succeeded.
FAILURES: dict[str, tuple[list[tuple[str, ...]], str | None, str | None]] = {
    "alone": ([], None, None),
    "again": ([("again", "2026-10-05 02:00", "2026-10-05 03:00")], "2026-10-05 03:00", "2026-10-05 03:00"),
    "other": ([("other", "2026-10-05 02:00", "2026-10-05 03:00", "Success", "b")], None, "2026-10-05 03:00"),
    "next-day": ([("later", "2026-10-06 00:00", "2026-10-06 01:00")], None, "2026-10-06 01:00"),
    "next-month": ([("later", "2026-11-06 00:00", "2026-11-06 01:00", "Success", "c")], None, "2026-11-06 01:00"),
    # Submitted before, ended after the failure.
    "longer": ([("longer", "2026-10-04 23:00", "2026-10-05 05:00", "Success", "b")], None, "2026-10-05 05:00"),
    "before": ([("before", "2026-10-04 02:00", "2026-10-04 03:00")], None, None),
    "failing": ([("fails too", "2026-10-06 02:00", "2026-10-06 03:00", "Failed", "b")], None, None),
    # A success beside the failure does not keep the one after it from being the recovery.
    "beside": (
        [("beside", "2026-10-05 00:10", "2026-10-05 00:20"), ("after", "2026-10-05 04:00", "2026-10-05 05:00")],
        "2026-10-05 05:00",
        "2026-10-05 05:00",
    ),
}


def job(name: str, run: str, submitted: str, ended: str, state: str = "Success", arguments: str = "a") -> Row:
    row = job_run(f"{name}: {run}", utc(submitted), utc(ended), 1, state=state)
    return row | {"name": name, "arguments_digest": arguments}


def test_a_job_that_succeeded_after_its_failure_has_recovered(tmp_path: Path) -> None:
    failed = [job(name, "failed", "2026-10-05 00:00", "2026-10-05 01:00", "Failed") for name in FAILURES]
    later = [job(name, *run) for name, (runs, _, _) in FAILURES.items() for run in runs]
    mart_db = built_mart_db(tmp_path, job_runs=failed + later)
    columns = "first_failure_job_run_id, recovered_at, job_succeeded_at"
    chains = {first: tuple(times) for first, *times in mart_db.ask(f"SELECT {columns} FROM job_failure_chains")}
    for name, (_, *times) in FAILURES.items():
        assert chains[f"{name}: failed"] == tuple(time and utc(time) for time in times), name


def test_a_failure_reason_has_one_row_per_currency(tmp_path: Path) -> None:
    runs = [
        job_run(
            name, utc("2026-10-05 00:00"), utc("2026-10-05 01:00"), 1, state="Failed", region_id=name, state_change_message=""
        )
        for name in ("cn-hangzhou", "eu-nowhere")
    ]
    other = {**RATES[0], "region_id": "eu-nowhere", "currency": "EUR"}
    mart_db = MartDatabase(tmp_path / "emr.duckdb")
    mart_db.write(job_runs=runs, rates=[RATES[0], {**other, "row_number": 9}])
    mart_db.build()
    reasons = "SELECT reason, currency, job_runs, estimated_cost_wasted FROM failures_by_reason ORDER BY currency"
    assert mart_db.ask(reasons) == [("(no message)", "EUR", 1, Decimal("0.05")), ("(no message)", "USD", 1, Decimal("0.05"))]

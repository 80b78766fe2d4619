"""Large amounts, several currencies and queued runs, computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from emr_usage.explanation import explain_run, explanation_lines
from emr_usage.pipeline import open_pipeline
from emr_usage.report import Month, headline, write_page
from emr_usage.report.numbers import money
from mart_fixtures import READ_AT, MartDatabase, Row, billing, built_mart_db, job_run, number, seen, utc

OCTOBER = Month(date(2026, 10, 1))
RATE = {"region_id": "cn-hangzhou", "currency": "IDR", "price_per_cu_hour": "1100", "valid_from": date(2026, 1, 1)}
OVER_MIDNIGHT = job_run("over", billing("2026-10-15 22:00"), billing("2026-10-16 01:00"), 3, state="Failed", arguments_digest="a")
HOSTILE_PRICE = Decimal("99999999.9999999999")
LARGEST = Decimal("999999999999.999999")


def rates(*changes: Row) -> list[Row]:
    return number([RATE | change for change in changes], "row_number")


@pytest.mark.parametrize(
    ("price", "cu_hours", "cost"),
    [
        ("1100", "1000", "1100000"),
        ("1100", "1000000", "1100000000"),
        ("0.0000000001", "1000000", "0.0001"),
        ("16500000", "60606060.606061", "1000000000000006.5"),
        (HOSTILE_PRICE, LARGEST, "99999999999999999800.000000"),
    ],
)
def test_large_prices_and_usage_are_multiplied_exactly(tmp_path: Path, price: str, cu_hours: str, cost: str) -> None:
    runs = [
        job_run(name, billing("2026-10-15 22:00"), billing(end), cu_hours, state="Failed")
        for name, end in (("one", "2026-10-15 23:30"), ("two", "2026-10-16 00:30"), ("three", "2026-10-15 22:00"))
    ]
    offered = number([{**RATE, "price_per_cu_hour": price, "page_date": date(2026, 1, 1)}], "row_number")
    mart_db = built_mart_db(
        tmp_path,
        job_runs=runs,
        rates=rates({"price_per_cu_hour": price}),
        list_prices=[{"source": "page", **row} for row in offered],
    )
    three = (Decimal(cost) * 3).quantize(Decimal("0.000001"))
    assert mart_db.ask("SELECT DISTINCT estimated_cost FROM job_run_costs") == [(Decimal(cost),)]
    for mart in ("job_run_hours", "job_run_costs", "job_run_amounts", "chargeback_daily", "chargeback_monthly", "rates_by_month"):
        assert mart_db.ask(f"SELECT sum(estimated_cost) FROM {mart}") == [(three,)], mart
    assert mart_db.ask("SELECT sum(estimated_cost) FROM spend_unallocated") == [(three,)]
    for mart in ("job_reliability_daily", "failures_by_reason", "job_failure_chains"):
        assert mart_db.ask(f"SELECT sum(estimated_cost_wasted) FROM {mart}") == [(three,)], mart
    ((at_list_price,),) = mart_db.ask("SELECT cost_at_list_price FROM rates_by_month")
    assert abs(at_list_price - three) <= Decimal("0.000003")
    _, figures = write_page(open_pipeline(mart_db.target), OCTOBER, tmp_path, READ_AT)
    assert money(three, "IDR").replace("\u00a0", " ") in headline(figures)


def test_a_run_has_a_cost_in_each_currency_of_its_rates(tmp_path: Path) -> None:
    changed = rates(
        {"valid_to": date(2026, 10, 16), "currency": "CNY", "price_per_cu_hour": "0.5"},
        {"valid_from": date(2026, 10, 16), "currency": "USD", "price_per_cu_hour": "0.07"},
    )
    other = job_run("other", billing("2026-10-15 22:00"), billing("2026-10-15 23:00"), 1, state="Failed", arguments_digest="b")
    mart_db = built_mart_db(tmp_path, job_runs=[OVER_MIDNIGHT | {"name": "job"}, other | {"name": "job"}], rates=changed)
    amounts = "SELECT currency, cu_hours, estimated_cost FROM job_run_amounts WHERE job_run_id = 'over' ORDER BY 1"
    assert mart_db.ask(amounts) == [("CNY", 2, Decimal("1.0")), ("USD", 1, Decimal("0.07"))]
    columns = "currencies, currency, estimated_cost, cu_hours_unpriced, pricing_status"
    assert mart_db.ask(f"SELECT {columns} FROM job_run_costs WHERE job_run_id = 'over'") == [(2, None, None, 0, "priced")]
    daily = "SELECT billing_date, currency, estimated_cost, job_runs FROM chargeback_daily ORDER BY 1"
    assert mart_db.ask(daily) == [
        (date(2026, 10, 15), "CNY", Decimal("1.5"), 2),
        (date(2026, 10, 16), "USD", Decimal("0.07"), 1),
    ]
    assert mart_db.ask("SELECT currency, estimated_cost FROM chargeback_monthly ORDER BY 1") == [
        ("CNY", Decimal("1.5")),
        ("USD", Decimal("0.07")),
    ]


def test_costs_in_two_currencies_are_not_summed(tmp_path: Path) -> None:
    # The rate of the queue ends, and that of the region, in another currency, holds again.
    changed = rates(
        {"resource_queue_id": "root", "valid_to": date(2026, 10, 16), "currency": "CNY", "price_per_cu_hour": "0.5"},
        {"currency": "USD", "price_per_cu_hour": "0.07"},
    )
    after = job_run("after", billing("2026-10-16 02:00"), billing("2026-10-16 03:00"), 1, state="Failed", arguments_digest="a")
    mart_db = built_mart_db(tmp_path, job_runs=[OVER_MIDNIGHT | {"name": "job"}, after | {"name": "job"}], rates=changed)
    wasted = "cu_hours_wasted, cu_hours_wasted_unpriced, estimated_cost_wasted, currency"
    assert mart_db.ask(f"SELECT {wasted} FROM job_failure_chains") == [(4, 0, None, None)]
    assert mart_db.ask(f"SELECT {wasted} FROM job_reliability_daily") == [(4, 0, None, None)]
    assert mart_db.ask(f"SELECT {wasted} FROM failures_by_reason ORDER BY currency") == [
        (1, 0, Decimal("0.07"), "USD"),
        (3, 0, None, None),
    ]
    path, figures = write_page(open_pipeline(mart_db.target), OCTOBER, tmp_path, READ_AT)
    assert figures.total.costs == {"CNY": Decimal("1.0"), "USD": Decimal("0.14")}
    assert [(row["currency"], row["estimated_cost"]) for row in figures.asked["wasted"].rows] == [
        ("CNY", Decimal("1.0")),
        ("USD", Decimal("0.14")),
    ]
    (reason,) = figures.asked["reasons"].rows
    assert (reason["job_runs"], reason["currency"], reason["estimated_cost"]) == (2, None, None)
    assert path.read_text(encoding="utf-8").count("several currencies</td>") == 3


def test_explain_shows_the_cost_in_each_currency(tmp_path: Path) -> None:
    changed = rates(
        {"valid_to": date(2026, 10, 16), "currency": "CNY", "price_per_cu_hour": "0.5"},
        {"valid_from": date(2026, 10, 16), "currency": "USD", "price_per_cu_hour": "0.07"},
    )
    mart_db = built_mart_db(tmp_path, job_runs=[OVER_MIDNIGHT], rates=changed)
    (explanation,) = explain_run(open_pipeline(mart_db.target), "over")
    assert "Used: 3.000000 CU-hours, estimated CNY 1.000000 and USD 0.070000 (priced)" in explanation_lines(explanation)
    assert [(day["currency"], day["estimated_cost"]) for day in explanation.days] == [
        ("CNY", Decimal("1.0")),
        ("USD", Decimal("0.07")),
    ]


def hours(mart_db: MartDatabase) -> list[tuple[object, ...]]:
    return mart_db.ask("SELECT hour_start, cu_hours FROM job_run_hours ORDER BY 1")


@pytest.mark.parametrize("state", ["Submitted", "Pending"])
@pytest.mark.parametrize("figure", [None, 0])
def test_a_run_observed_as_queued_has_no_earlier_usage(tmp_path: Path, state: str, figure: int | None) -> None:
    run = job_run("late", utc("2026-10-02 00:00"), utc("2026-10-02 06:30"), 3)
    sights = [seen(run, utc("2026-10-02 02:00"), figure, state), seen(run, utc("2026-10-02 05:00"), figure, state)]
    mart_db = built_mart_db(tmp_path, job_runs=[run], job_run_observations=sights)
    assert hours(mart_db) == [(utc("2026-10-02 05:00"), 2), (utc("2026-10-02 06:00"), 1)]


def test_a_late_figure_replaces_the_uniform_estimate(tmp_path: Path) -> None:
    run = job_run("late", utc("2026-10-02 00:00"), utc("2026-10-02 08:00"), 10)
    sights = [seen(run, utc("2026-10-02 05:00"), None, "Pending"), seen(run, utc("2026-10-02 06:00"), 8)]
    mart_db = built_mart_db(tmp_path, job_runs=[run], job_run_observations=sights)
    assert hours(mart_db) == [(utc(f"2026-10-02 0{hour}:00"), used) for hour, used in ((5, 8), (6, 1), (7, 1))]
    assert mart_db.ask("SELECT submit_time, duration_seconds FROM job_run_costs") == [(utc("2026-10-02 00:00"), 28800)]


def test_a_later_loaded_observation_as_queued_is_included(tmp_path: Path) -> None:
    run = job_run("late", utc("2026-10-02 00:00"), utc("2026-10-02 02:00"), 2)
    mart_db = built_mart_db(tmp_path, job_runs=[run], job_run_observations=[])
    assert hours(mart_db) == [(utc("2026-10-02 00:00"), 1), (utc("2026-10-02 01:00"), 1)]
    # Our clock was ahead of the API's: what is seen after the end says nothing.
    mart_db.write(
        job_run_observations=[
            seen(run, utc("2026-10-02 01:00"), None, "Pending"),
            seen(run, utc("2026-10-02 02:00"), None, "Pending"),
        ]
    )
    mart_db.build()
    assert hours(mart_db) == [(utc("2026-10-02 01:00"), 2)]

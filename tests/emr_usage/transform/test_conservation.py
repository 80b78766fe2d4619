"""Every model conserves the sums of the raw tables for any history, compared with an independent calculation in fractions."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mart_fixtures import MartDatabase, Row, job_run, number, seen, tag, utc

FIRST = utc("2026-10-25 00:00")
HOUR = timedelta(hours=1)
ZONE = timedelta(hours=8)
MICROSECOND = timedelta(microseconds=1)

moments = st.integers(0, 12 * 24 * 3600 * 10**6).map(lambda us: FIRST + timedelta(microseconds=us))
figures = st.none() | st.one_of(st.integers(0, 10**10), st.integers(0, 10**18 - 1)).map(Decimal).map(
    lambda count: count.scaleb(-6)
)
states = st.sampled_from(["Running", "Running", "Submitted", "Pending", None])
lengths = st.one_of(
    st.just(0),
    st.integers(1, 10**6),
    st.integers(10**6, 3 * 3600 * 10**6),
    st.integers(1, 20).map(lambda days: days * 86_400 * 10**6),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Row]]:
    """Draw runs, their observations and their tags."""
    runs: list[Row] = []
    observations: list[Row] = []
    tags: list[Row] = []
    for index in range(draw(st.integers(30, 60))):
        submitted = draw(moments)
        ended = submitted + timedelta(microseconds=draw(lengths)) if draw(st.integers(0, 3)) else None
        run = job_run(f"run-{index}", submitted, ended, draw(figures), workspace_id=draw(st.sampled_from(["w-1", "w-2"])))
        run |= {
            "region_id": draw(st.sampled_from(["cn-hangzhou", "eu-nowhere"])),
            "resource_queue_id": draw(st.sampled_from([None, "root"])),
        }
        run |= {"observed_at": draw(moments) + timedelta(days=6)}
        times = draw(st.sets(moments, max_size=4))
        runs.append(run)
        observations += [seen(run, at, draw(figures), draw(states)) for at in sorted(times)]
        tags += [tag(run, "team", value) for value in draw(st.lists(st.sampled_from(["a", "b"]), max_size=1))]
    return runs, observations, tags


RATES = number(
    [
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.0503020001", "valid_from": date(2026, 1, 1)}
        | {"valid_to": date(2026, 10, 28)},
        {
            "region_id": "cn-hangzhou",
            "currency": "IDR",
            "price_per_cu_hour": "99999999.9999999999",
            "valid_from": date(2026, 10, 30),
        },
        {"region_id": "cn-hangzhou", "currency": "CNY", "price_per_cu_hour": "0.01", "valid_from": date(2026, 11, 1)}
        | {"workspace_id": "w-2", "valid_to": date(2026, 11, 3)},
    ],
    "row_number",
)
LIST_PRICES = number(
    [
        {"region_id": "cn-hangzhou", "currency": "IDR", "price_per_cu_hour": "1100.1234567891", "page_date": date(2026, 3, 1)},
        {"region_id": "eu-nowhere", "currency": "USD", "price_per_cu_hour": "0.0671060001", "page_date": date(2026, 3, 1)},
    ],
    "row_number",
)
OWNERS = number([{"owner": "a", "tag_key": "team", "tag_value": "A"}], "rule_number")


def rounded(value: Fraction) -> Fraction:
    """Round to millionths, halves up."""
    return Fraction((value * 10**6 * 2 + 1) // 2, 10**6)


def split(run: Row, observations: list[Row]) -> dict[datetime, Fraction]:
    """Split a run's figure over the hours: the differences of a rising curve at their ends."""
    if run["cu_hours"] is None:
        return {}
    end = run["end_time"] or run["observed_at"]
    waits = [seen["observed_at"] for seen in observations if seen["state"] in {"Submitted", "Pending"}]
    first = max([run["submit_time"], *(at for at in waits if at < end)])
    last = max(end, first + MICROSECOND)
    between = [seen for seen in observations if seen["cu_hours"] is not None and first < seen["observed_at"] < last]
    known = [(seen["observed_at"], Fraction(seen["cu_hours"])) for seen in between]
    curve = [(first, Fraction(0)), *known, (last, Fraction(run["cu_hours"]))]
    points = [(at, min(figure for _, figure in curve[index:])) for index, (at, _) in enumerate(curve)]
    parts: dict[datetime, Fraction] = {}
    hour = first.replace(minute=0, second=0, microsecond=0)
    while hour < last:
        parts[hour] = _used(points, min(hour + HOUR, last)) - _used(points, max(hour, first))
        hour += HOUR
    return parts


def _used(points: list[tuple[datetime, Fraction]], moment: datetime) -> Fraction:
    for (start, before), (end, after) in pairwise(points):
        if start <= moment <= end and end > start:
            share = Fraction((moment - start) // MICROSECOND, (end - start) // MICROSECOND)
            return before + rounded((after - before) * share)
    raise AssertionError(moment)


def rate_of(run: Row, hour: datetime) -> Row | None:
    """Return the rate of an hour, one of the three above."""
    day = (hour + ZONE).date()
    if run["region_id"] != "cn-hangzhou":
        return None
    if run["workspace_id"] == "w-2" and date(2026, 11, 1) <= day < date(2026, 11, 3):
        return RATES[2]
    if day < date(2026, 10, 28):
        return RATES[0]
    return RATES[1] if day >= date(2026, 10, 30) else None


def amounts_of(run: Row, parts: dict[datetime, Fraction]) -> dict[str | None, tuple[Fraction, Fraction | None]]:
    """Return a run's CU-hours and cost in each currency; those without a rate have no cost."""
    used: dict[str | None, Fraction] = defaultdict(Fraction)
    costs: dict[str | None, Fraction] = defaultdict(Fraction)
    for hour, cu_hours in parts.items():
        rate = rate_of(run, hour)
        currency = rate["currency"] if rate else None
        used[currency] += cu_hours
        costs[currency] += cu_hours * Fraction(rate["price_per_cu_hour"]) if rate else 0
    return {currency: (cu_hours, rounded(costs[currency]) if currency else None) for currency, cu_hours in used.items()}


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(histories())
def test_every_model_conserves_the_sums_of_the_raw_tables(history: tuple[list[Row], list[Row], list[Row]]) -> None:
    runs, observations, tags = history
    with TemporaryDirectory() as folder:
        mart_db = MartDatabase(Path(folder, "emr.duckdb"))
        mart_db.write(job_runs=runs, job_run_observations=observations, job_run_tags=tags)
        mart_db.write(rates=RATES, owners=OWNERS, list_prices=LIST_PRICES)
        mart_db.build()
        by_run: dict[str, list[Row]] = defaultdict(list)
        for observation in observations:
            by_run[observation["job_run_id"]].append(observation)
        expected = {run["job_run_id"]: split(run, by_run[run["job_run_id"]]) for run in runs}
        _check_hours(mart_db, expected)
        amounts = {run["job_run_id"]: amounts_of(run, expected[run["job_run_id"]]) for run in runs}
        _check_costs(mart_db, runs, amounts)
        _check_sums(mart_db, amounts)
        _check_list_prices(mart_db)


def _check_hours(mart_db: MartDatabase, expected: dict[str, dict[datetime, Fraction]]) -> None:
    found: dict[str, dict[datetime, Fraction]] = defaultdict(dict)
    for job_run_id, hour, cu_hours in mart_db.ask("SELECT job_run_id, hour_start, cu_hours FROM job_run_hours"):
        found[job_run_id][hour] = Fraction(cu_hours)
        assert cu_hours >= 0
    assert found == {job_run_id: parts for job_run_id, parts in expected.items() if parts}


Amounts = dict[str | None, tuple[Fraction, Fraction | None]]


def _check_costs(mart_db: MartDatabase, runs: list[Row], amounts: dict[str, Amounts]) -> None:
    found: dict[str, Amounts] = {run["job_run_id"]: {} for run in runs}
    for job_run_id, currency, cu_hours, cost in mart_db.ask(
        "SELECT job_run_id, currency, cu_hours, estimated_cost FROM job_run_amounts"
    ):
        found[job_run_id][currency] = (Fraction(cu_hours), None if cost is None else Fraction(cost))
    assert found == amounts
    columns = "job_run_id, cu_hours, cu_hours_unpriced, currencies, currency, estimated_cost"
    costs = {row[0]: row[1:] for row in mart_db.ask(f"SELECT {columns} FROM job_run_costs")}
    for run in runs:
        of_run = amounts[run["job_run_id"]]
        unpriced, _ = of_run.get(None, (0, None))
        priced = [(currency, cost) for currency, (_, cost) in of_run.items() if currency]
        single = priced[0] if len(priced) == 1 else (None, None)
        assert costs[run["job_run_id"]] == (run["cu_hours"], unpriced, len(priced), *single)


def _check_sums(mart_db: MartDatabase, amounts: dict[str, Amounts]) -> None:
    expected: dict[str | None, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for of_run in amounts.values():
        for currency, (cu_hours, cost) in of_run.items():
            expected[currency][0] += cu_hours
            expected[currency][1] += cost or 0
    for mart in ("job_run_hours", "chargeback_daily", "chargeback_monthly", "rates_by_month"):
        sums = mart_db.ask(f"SELECT currency, sum(cu_hours), coalesce(sum(estimated_cost), 0) FROM {mart} GROUP BY ALL")
        assert {currency: [Fraction(value) for value in values] for currency, *values in sums} == expected, mart


def _check_list_prices(mart_db: MartDatabase) -> None:
    prices = "cu_hours, list_price_per_cu_hour, cost_at_list_price"
    for cu_hours, price, cost in mart_db.ask(f"SELECT {prices} FROM rates_by_month WHERE list_price_per_cu_hour IS NOT NULL"):
        assert Fraction(cost) == rounded(Fraction(cu_hours) * Fraction(price))

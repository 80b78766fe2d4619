"""Sums are conserved through every stage, for any history: compared with a split in fractions, written without the models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from paper import Paper, Row, job_run, number, seen, tag, utc

FIRST = utc("2026-10-25 00:00")
HOUR = timedelta(hours=1)
ZONE = timedelta(hours=8)
MICROSECOND = timedelta(microseconds=1)
MILLIONTH = Decimal("0.000001")

moments = st.integers(0, 12 * 24 * 3600 * 10**6).map(lambda us: FIRST + timedelta(microseconds=us))
figures = st.none() | st.integers(0, 10**10).map(lambda millionths: Decimal(millionths) * MILLIONTH)
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
        observations += [seen(run, at, draw(figures)) for at in sorted(times)]
        tags += [tag(run, "team", value) for value in draw(st.lists(st.sampled_from(["a", "b"]), max_size=1))]
    return runs, observations, tags


RATES = number(
    [
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.050302", "valid_from": date(2026, 1, 1)}
        | {"valid_to": date(2026, 10, 28)},
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.333333", "valid_from": date(2026, 10, 30)},
        {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.01", "valid_from": date(2026, 11, 1)}
        | {"workspace_id": "w-2", "valid_to": None},
    ],
    "row_number",
)
OWNERS = number([{"owner": "a", "tag_key": "team", "tag_value": "A"}], "rule_number")


def rounded(value: Fraction) -> Decimal:
    """Round to millionths, halves up."""
    return Decimal(int(value * 10**6 * 2 + 1) // 2) * MILLIONTH if value >= 0 else -rounded(-value)


def split(run: Row, observations: list[Row]) -> dict[datetime, Decimal]:
    """Split a run's figure over the hours: the differences of a rising curve at their ends."""
    if run["cu_hours"] is None:
        return {}
    first = run["submit_time"]
    last = max(run["end_time"] or run["observed_at"], first + MICROSECOND)
    between = [seen for seen in observations if seen["cu_hours"] is not None and first < seen["observed_at"] < last]
    curve = [(first, Decimal(0)), *((seen["observed_at"], seen["cu_hours"]) for seen in between), (last, run["cu_hours"])]
    points = [(at, min(figure for _, figure in curve[index:])) for index, (at, _) in enumerate(curve)]
    parts: dict[datetime, Decimal] = {}
    hour = first.replace(minute=0, second=0, microsecond=0)
    while hour < last:
        parts[hour] = _used(points, min(hour + HOUR, last)) - _used(points, max(hour, first))
        hour += HOUR
    return parts


def _used(points: list[tuple[datetime, Decimal]], moment: datetime) -> Decimal:
    for (start, before), (end, after) in pairwise(points):
        if start <= moment <= end and end > start:
            share = Fraction((moment - start) // MICROSECOND, (end - start) // MICROSECOND)
            return before + rounded(Fraction(after - before) * share)
    raise AssertionError(moment)


def rate_of(run: Row, hour: datetime) -> Decimal | None:
    """Return the price of an hour, from the three lines above."""
    day = (hour + ZONE).date()
    if run["region_id"] != "cn-hangzhou":
        return None
    if run["workspace_id"] == "w-2" and day >= date(2026, 11, 1):
        return Decimal("0.01")
    if day < date(2026, 10, 28):
        return Decimal("0.050302")
    return Decimal("0.333333") if day >= date(2026, 10, 30) else None


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(histories())
def test_every_stage_holds_what_the_raw_tables_hold(history: tuple[list[Row], list[Row], list[Row]]) -> None:
    runs, observations, tags = history
    with TemporaryDirectory() as folder:
        paper = Paper(Path(folder, "emr.duckdb"))
        paper.write(job_runs=runs, job_run_observations=observations, job_run_tags=tags, rates=RATES, owners=OWNERS)
        paper.build()
        by_run: dict[str, list[Row]] = defaultdict(list)
        for observation in observations:
            by_run[observation["job_run_id"]].append(observation)
        expected = {run["job_run_id"]: split(run, by_run[run["job_run_id"]]) for run in runs}
        _check_hours(paper, expected)
        _check_costs(paper, runs, expected)
        _check_sums(paper, runs)


def _check_hours(paper: Paper, expected: dict[str, dict[datetime, Decimal]]) -> None:
    found: dict[str, dict[datetime, Decimal]] = defaultdict(dict)
    for job_run_id, hour, cu_hours in paper.ask("SELECT job_run_id, hour_start, cu_hours FROM job_run_hours"):
        found[job_run_id][hour] = cu_hours
        assert cu_hours >= 0
    assert found == {job_run_id: parts for job_run_id, parts in expected.items() if parts}


def _check_costs(paper: Paper, runs: list[Row], expected: dict[str, dict[datetime, Decimal]]) -> None:
    costs = {
        row[0]: row[1:] for row in paper.ask("SELECT job_run_id, cu_hours, cu_hours_unpriced, estimated_cost FROM job_run_costs")
    }
    assert len(costs) == len(runs)
    for run in runs:
        parts = [(cu_hours, rate_of(run, hour)) for hour, cu_hours in expected[run["job_run_id"]].items()]
        exact = sum((cu_hours * rate for cu_hours, rate in parts if rate is not None), Decimal(0))
        amount = exact.quantize(MILLIONTH, ROUND_HALF_UP) if any(rate is not None for _, rate in parts) else None
        unpriced = sum((cu_hours for cu_hours, rate in parts if rate is None), Decimal(0))
        assert costs[run["job_run_id"]] == (run["cu_hours"], unpriced, amount)


def _check_sums(paper: Paper, runs: list[Row]) -> None:
    used = sum((run["cu_hours"] or Decimal(0) for run in runs), Decimal(0))
    sums = "coalesce(sum(cu_hours), 0), sum(estimated_cost)"
    stages: Iterator[list[tuple[Any, ...]]] = (
        paper.ask(f"SELECT {sums} FROM {mart}")
        for mart in ("job_run_hours", "job_run_costs", "chargeback_daily", "chargeback_monthly")
    )
    (first,), *others = stages
    assert first[0] == used
    assert others == [[first]] * 3

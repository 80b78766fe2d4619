"""What changes a closed month becomes adjustments with their cause; computed by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from emr_usage.report import Month
from emr_usage.statements import close_month
from mart_cases import window
from mart_fixtures import READ_AT, MartDatabase, Row, billing, job_run, number, tag

OCTOBER, NOVEMBER, DECEMBER = (Month(date(2026, month, 1)) for month in (10, 11, 12))
NOW = billing("2026-12-20 00:00")
WHOLE = [window("2026-08-31 16:00", "2026-12-31 16:00", axis=axis, finished_at=READ_AT) for axis in ("start", "end")]
GROWTH = job_run("growth", billing("2026-10-05 00:00"), billing("2026-10-05 01:00"), 10)
ADS = job_run("ads", billing("2026-10-06 00:00"), billing("2026-10-06 01:00"), 4)
AFTER = job_run("after", billing("2026-11-05 00:00"), billing("2026-11-05 01:00"), 1)
TAGS = [tag(GROWTH, "team", "growth"), tag(ADS, "team", "ads"), tag(AFTER, "team", "ads")]
USD: Row = {"region_id": "cn-hangzhou", "currency": "USD", "price_kind": "contracted", "valid_from": date(2026, 1, 1)}
LINES = "SELECT adjusted_month, cause, owner, currency, cu_hours, estimated_cost FROM emr_statements.statement_lines"


def rates(price: str, **fields: Any) -> list[Row]:
    return number([USD | {"price_per_cu_hour": price, "source": "p. 1"} | fields], "row_number")


def owners(*names: str) -> list[Row]:
    """Return rules that give the tags growth and ads to owners."""
    return number(
        [{"owner": owner, "tag_key": "team", "tag_value": name} for owner, name in zip(names, ("growth", "ads"), strict=True)],
        "rule_number",
    )


@pytest.fixture(scope="module")
def closed_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return marts with a closed October of USD 1.00 for growth and USD 0.40 for ads."""
    mart_db = MartDatabase(tmp_path_factory.mktemp("closed") / "emr.duckdb")
    mart_db.write(job_runs=[GROWTH, ADS, AFTER], job_run_tags=TAGS, extraction_windows=WHOLE)
    mart_db.write(rates=rates("0.10"), owners=owners("growth", "ads"))
    mart_db.build()
    close_month(mart_db.target, OCTOBER, NOW)
    return mart_db.target.database


@pytest.fixture
def mart_db(closed_file: Path, tmp_path: Path) -> MartDatabase:
    return MartDatabase(Path(copy(closed_file, tmp_path)))


def adjustments(mart_db: MartDatabase) -> list[tuple[Any, ...]]:
    """Return the adjustments as texts."""
    columns = "strftime(booked_month, '%m'), strftime(adjusted_month, '%m'), cause, owner, currency, cu_hours, estimated_cost"
    rows = mart_db.ask(f"SELECT {columns} FROM chargeback_adjustments ORDER BY ALL")
    return [tuple(f"{value.normalize():f}" if isinstance(value, Decimal) else value for value in row) for row in rows]


def test_nothing_is_adjusted_without_a_change(mart_db: MartDatabase) -> None:
    mart_db.build(full_refresh=True)
    assert adjustments(mart_db) == []
    assert mart_db.ask(f"{LINES} ORDER BY owner") == [
        (None, None, "ads", "USD", Decimal(4), Decimal("0.4")),
        (None, None, "growth", "USD", Decimal(10), Decimal(1)),
    ]


LATE = job_run("late", billing("2026-10-31 23:30"), billing("2026-11-01 00:30"), 2)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            # 12 instead of 10 CU-hours, and the part in October of a run that was not known.
            {"job_runs": [GROWTH | {"cu_hours": 12, "observed_at": NOW}, ADS, AFTER, LATE]},
            [
                ("11", "10", "late_figures", "growth", "USD", "2", "0.2"),
                ("11", "10", "late_figures", "unallocated", "USD", "1", "0.1"),
            ],
            id="use",
        ),
        pytest.param(
            {"job_runs": [ADS, AFTER]}, [("11", "10", "late_figures", "growth", "USD", "-10", "-1")], id="a run that is gone"
        ),
        pytest.param(
            {"rates": rates("0.15")},
            [("11", "10", "rate", "ads", "USD", "0", "0.2"), ("11", "10", "rate", "growth", "USD", "0", "0.5")],
            id="rate",
        ),
        pytest.param(
            {"rates": rates("0.50", currency="CNY", valid_from=date(2026, 10, 6))},
            [
                ("11", "10", "rate", "ads", "CNY", "4", "2"),
                ("11", "10", "rate", "ads", "USD", "-4", "-0.4"),
                ("11", "10", "rate", "growth", "USD", "-10", "-1"),
                ("11", "10", "rate", "growth", None, "10", None),
            ],
            id="currency, and a date without a rate",
        ),
        pytest.param(
            {"owners": owners("marketing", "ads")},
            [("11", "10", "owner", "growth", "USD", "-10", "-1"), ("11", "10", "owner", "marketing", "USD", "10", "1")],
            id="owner",
        ),
        pytest.param(
            # 2 CU-hours more at 0.10, then 12 at 0.05 more, then 12 at 0.15 to the other owner.
            {
                "job_runs": [GROWTH | {"cu_hours": 12, "observed_at": NOW}, ADS, AFTER],
                "job_run_tags": [tag(GROWTH | {"observed_at": NOW}, "team", "growth"), *TAGS[1:]],
                "rates": rates("0.15", valid_to=date(2026, 10, 6))
                + [{**rates("0.10", valid_from=date(2026, 10, 6))[0], "row_number": 2}],
                "owners": owners("marketing", "ads"),
            },
            [
                ("11", "10", "late_figures", "growth", "USD", "2", "0.2"),
                ("11", "10", "owner", "growth", "USD", "-12", "-1.8"),
                ("11", "10", "owner", "marketing", "USD", "12", "1.8"),
                ("11", "10", "rate", "growth", "USD", "0", "0.6"),
            ],
            id="all at once",
        ),
    ],
)
def test_each_cause_has_its_adjustment(
    mart_db: MartDatabase, changed: dict[str, list[Row]], expected: list[tuple[Any, ...]]
) -> None:
    before = mart_db.ask(LINES)
    mart_db.write(**changed)
    mart_db.build()
    assert adjustments(mart_db) == expected
    assert mart_db.ask(LINES) == before


def test_an_adjustment_is_carried_once_in_the_statement_of_the_month_it_is_booked_in(mart_db: MartDatabase) -> None:
    mart_db.write(rates=rates("0.15"))
    mart_db.build()
    close_month(mart_db.target, NOVEMBER, NOW)
    booked = [("11", "10", "rate", "ads", "USD", "0", "0.2"), ("11", "10", "rate", "growth", "USD", "0", "0.5")]
    assert adjustments(mart_db) == booked
    november = "WHERE billing_month = DATE '2026-11-01' ORDER BY cause, owner"
    assert mart_db.ask(f"{LINES} {november}") == [
        (OCTOBER.first, "rate", "ads", "USD", Decimal(0), Decimal("0.2")),
        (OCTOBER.first, "rate", "growth", "USD", Decimal(0), Decimal("0.5")),
        (None, None, "ads", "USD", Decimal(1), Decimal("0.15")),
    ]
    # October again, by another cause: only what November's statement does not have, at its rate.
    mart_db.write(owners=owners("marketing", "ads"))
    mart_db.build()
    moved = [("12", "10", "owner", "growth", "USD", "-10", "-1.5"), ("12", "10", "owner", "marketing", "USD", "10", "1.5")]
    assert adjustments(mart_db) == booked + moved
    invoiced = "SELECT billing_month, owner, estimated_cost, adjustment_cost, is_closed FROM chargeback_invoiced ORDER BY 1, 2"
    assert mart_db.ask(invoiced) == [
        (OCTOBER.first, "ads", Decimal("0.4"), 0, True),
        (OCTOBER.first, "growth", 1, 0, True),
        (NOVEMBER.first, "ads", Decimal("0.15"), Decimal("0.2"), True),
        (NOVEMBER.first, "growth", None, Decimal("0.5"), True),
        (DECEMBER.first, "growth", None, Decimal("-1.5"), False),
        (DECEMBER.first, "marketing", None, Decimal("1.5"), False),
    ]


def test_a_change_that_is_undone_leaves_no_adjustment(mart_db: MartDatabase) -> None:
    for price in ("0.15", "0.10"):
        mart_db.write(rates=rates(price))
        mart_db.build()
    assert adjustments(mart_db) == []


def test_another_time_zone_is_a_cause_of_its_own(mart_db: MartDatabase) -> None:
    mart_db.write(job_runs=[GROWTH, ADS, AFTER, LATE])
    mart_db.build(billing_time_zone="UTC", change_time_zone=True)
    assert {row[2] for row in adjustments(mart_db)} == {"settings"}

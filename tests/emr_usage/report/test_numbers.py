from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emr_usage.report.month import Month
from emr_usage.report.numbers import amount, change, duration, moment, money, percent


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1234567.895"), "1,234,567.90"),
        (Decimal(0), "0.00"),
        (Decimal("0.004"), "<\u00a00.01"),
        (Decimal("0.005"), "0.01"),
        (Decimal("-3.5"), "\u22123.50"),
        (None, "\u2013"),
    ],
)
def test_an_amount_has_two_decimals_and_a_small_amount_is_not_shown_as_zero(value: Decimal | None, written: str) -> None:
    assert amount(value) == written


@given(st.decimals("-1e12", "1e12", places=6))
def test_a_formatted_amount_differs_by_at_most_half_a_cent(value: Decimal) -> None:
    written = amount(value)
    if written.startswith(("<", ">")):
        assert 0 < abs(value) < Decimal("0.005")
        assert (value < 0) is ("\u2212" in written)
    else:
        assert abs(Decimal(written.replace(",", "").replace("\u2212", "-")) - value) <= Decimal("0.005")


@pytest.mark.parametrize(
    ("value", "currency", "written"),
    [
        ("1234.5", "JPY", "JPY\u00a01,235"),
        ("0.4", "JPY", "JPY\u00a0<\u00a01"),
        ("1234.5675", "KWD", "KWD\u00a01,234.568"),
        ("1100.005", "IDR", "IDR\u00a01,100.01"),
        # Two in the standard, none in CLDR.
        ("2.5", "RSD", "RSD\u00a02.50"),
        ("0.00005", "CLF", "CLF\u00a00.0001"),
        # More digits than Python's decimals have by default.
        ("123456789012345678901234567890.123456", "USD", "USD\u00a0123,456,789,012,345,678,901,234,567,890.12"),
        # From a package's user, whose rates did not come from our files.
        ("1.234", "ABC", "ABC\u00a01.23"),
    ],
)
def test_money_has_the_decimals_of_its_currency(value: str, currency: str, written: str) -> None:
    assert money(Decimal(value), currency) == written


def test_money_needs_a_currency() -> None:
    assert money(Decimal(5), "USD") == "USD\u00a05.00"
    assert money(Decimal(5), None) == "\u2013"
    assert money(None, "USD") == "\u2013"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0, "0\u00a0s"), (59.6, "1\u00a0min"), (3600, "1\u00a0h"), (3661, "1\u00a0h 1\u00a0min"), (90_061, "1\u00a0d 1\u00a0h")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_a_total_of_zero_has_no_shares_and_no_change() -> None:
    assert percent(Decimal(1), Decimal(0)) == "\u2013"
    assert change(Decimal(1), Decimal(0)) == "\u2013"
    assert change(Decimal(1), None) == "\u2013"
    assert percent(Decimal(1), Decimal(8)) == "12.5\u00a0%"
    assert change(Decimal(3), Decimal(4)) == "\u221225.0\u00a0%"


def test_times_are_in_the_billing_time_zone() -> None:
    assert moment(datetime(2026, 10, 31, 16, 30, tzinfo=UTC), "Asia/Shanghai") == "2026-11-01 00:30"


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_adjacent_months_share_their_bounds(day: date) -> None:
    month = Month(day.replace(day=1))
    assert month.previous.next == month == month.next.previous
    assert Month.parse(str(month)) == month
    assert month.bounds("Asia/Shanghai")[1] == month.next.bounds("Asia/Shanghai")[0]


@pytest.mark.parametrize("text", ["9999-12", "0001-01", "2026-13", "2026-1", "october", "0000-01", "2026-10-01", ""])
def test_an_invalid_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-10"):
        Month.parse(text)


def test_the_default_month_is_that_of_yesterday_in_the_billing_time_zone() -> None:
    assert str(Month.of_yesterday(datetime(2026, 11, 1, 15, tzinfo=UTC), "Asia/Shanghai")) == "2026-10"
    assert str(Month.of_yesterday(datetime(2026, 11, 1, 16, tzinfo=UTC), "Asia/Shanghai")) == "2026-11"

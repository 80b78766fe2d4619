"""Formats figures: with unit or currency, grouped digits, and only significant ones."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from emr_usage.currencies import minor_unit

# No line break between an amount and its unit.
GAP: Final = "\N{NO-BREAK SPACE}"
NOTHING: Final = "\N{EN DASH}"
_UNITS: Final = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


def amount(value: Decimal | int | None, decimals: int = 2) -> str:
    """Return an amount with a number of decimals; a small amount is not shown as 0."""
    if value is None:
        return NOTHING
    exact, smallest = Decimal(value), Decimal(1).scaleb(-decimals)
    # quantize fails for more digits than the context has; sums of amounts have up to 38.
    rounded = exact.quantize(smallest, ROUND_HALF_UP, Context(prec=60))
    if exact and not rounded:
        return f"<{GAP}{smallest}" if exact > 0 else f">{GAP}\N{MINUS SIGN}{smallest}"
    return f"{rounded:,}".replace("-", "\N{MINUS SIGN}")


def money(value: Decimal | None, currency: str | None) -> str:
    """Return an amount with the code of its currency and the currency's number of decimals."""
    return f"{currency}{GAP}{amount(value, minor_unit(currency))}" if value is not None and currency else NOTHING


def price(value: Decimal | None, currency: str | None) -> str:
    """Return a price with all its decimals, without trailing zeros."""
    return NOTHING if value is None or not currency else f"{currency}{GAP}{value.normalize():f}"


def cu_hours(value: Decimal | None) -> str:
    """Return CU-hours with their unit."""
    return NOTHING if value is None else f"{amount(value)}{GAP}CU-hours"


def count(value: int | Decimal | None) -> str:
    """Return a whole number."""
    return NOTHING if value is None else f"{int(value):,}"


def percent(part: Decimal | float | None, whole: Decimal | float | None) -> str:
    """Return a share in per cent, or a dash for a share of 0."""
    if part is None or not whole:
        return NOTHING
    return f"{float(part) / float(whole):.1%}".replace("%", f"{GAP}%")


def change(value: Decimal | None, before: Decimal | None) -> str:
    """Return the change of a figure in per cent, or a dash compared with 0."""
    if value is None or before is None or not before:
        return NOTHING
    return f"{float(value) / float(before) - 1:+.1%}".replace("%", f"{GAP}%").replace("-", "\N{MINUS SIGN}")


def duration(seconds: Decimal | float | None) -> str:
    """Return a length of time in its two largest units."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    for size, unit, smaller, smaller_unit in _UNITS:
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size}{GAP}{unit}" + (f" {rest}{GAP}{smaller_unit}" if rest else "")
    return f"{whole}{GAP}s"


def ratio(value: Decimal | None) -> str:
    """Return how many times as much."""
    return NOTHING if value is None else f"{float(value):,.1f}{GAP}\N{MULTIPLICATION SIGN}"


def moment(value: datetime | None, billing_time_zone: str) -> str:
    """Return a time in the billing time zone, to the minute."""
    return NOTHING if value is None else f"{value.astimezone(ZoneInfo(billing_time_zone)):%Y-%m-%d %H:%M}"


def plain(value: Any) -> str:
    """Return a text, or a dash for none."""
    return NOTHING if value is None or value == "" else str(value)

"""The report as one self-contained HTML page: no scripts, and no fonts or images from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib import resources
from importlib.metadata import version
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from emr_usage.currencies import minor_unit

from . import numbers
from .charts import bars_by_day, series_of, stacked_days
from .figures import ENOUGH_RUNS, LONG_SECONDS, SLOW_SECONDS, SLOWER, Figures

MAX_OWNERS: Final = 25
MAX_RECOVERIES: Final = 10


@dataclass(frozen=True)
class Chart:
    """A chart with its legend and description.

    Attributes:
        title: what the bars show, with the unit.
        svg: the picture.
        text: the description for screen readers.
        legend: names and colours of its series.
    """

    title: str
    svg: Markup
    text: str
    legend: dict[str, str]


def render_page(figures: Figures) -> str:
    """Return the page for the figures of a month."""
    environment = Environment(
        loader=PackageLoader("emr_usage.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "amount": numbers.amount,
        "count": numbers.count,
        "cu_hours": numbers.cu_hours,
        "duration": numbers.duration,
        "moment": partial(numbers.moment, billing_time_zone=figures.billing_time_zone),
        "plain": numbers.plain,
        "ratio": numbers.ratio,
    }
    environment.globals |= {
        "money": numbers.money,
        "price": numbers.price,
        "percent": numbers.percent,
        "change": numbers.change,
        "nothing": numbers.NOTHING,
    }
    style = resources.files(__package__).joinpath("templates", "page.css").read_text(encoding="utf-8")
    return environment.get_template(
        "page.html.j2"
    ).render(
        figures=figures,
        month=figures.month,
        asked=figures.asked,
        style=Markup(style),  # noqa: S704  # a file of ours
        headlines=[_headline(figures, currency) for currency in figures.currencies],
        owner_charts=_owner_charts(figures),
        failure_chart=_failure_chart(figures),
        owners=figures.owners[:MAX_OWNERS],
        limits={
            "owners": MAX_OWNERS,
            "recoveries": MAX_RECOVERIES,
            "slower": SLOWER,
            "slow_seconds": SLOW_SECONDS,
            "enough_runs": ENOUGH_RUNS,
            "long_seconds": LONG_SECONDS,
        },
        version=version("emr-usage"),
    )


def _headline(figures: Figures, currency: str) -> dict[str, Any]:
    """Return the cost per day in one currency and that of the previous month; months differ in length."""
    now, before = figures.total.costs[currency], figures.total_before.costs.get(currency)
    a_day_before = before / figures.total_before.days if before is not None and figures.is_comparable else None
    return {
        "currency": currency,
        "cost": now,
        "before": before,
        "a_day": now / figures.total.days if figures.total.days else None,
        "a_day_before": a_day_before,
    }


def _owner_charts(figures: Figures) -> list[Chart]:
    """Return one chart for each currency, or one of CU-hours where nothing is priced."""
    rows = figures.asked["owners_by_day"].rows
    if not rows:
        return []
    if not figures.currencies:
        return [_owner_chart(figures, [(row["billing_date"], row["owner"], row["cu_hours"]) for row in rows], "CU-hours")]
    return [
        _owner_chart(
            figures,
            [(row["billing_date"], row["owner"], row["estimated_cost"]) for row in rows if row["currency"] == currency],
            f"estimated {currency}",
            minor_unit(currency),
        )
        for currency in figures.currencies
    ]


def _owner_chart(figures: Figures, rows: list[tuple[Any, str, Decimal]], unit: str, decimals: int = 2) -> Chart:
    sums: dict[str, float] = {}
    for _, owner, value in rows:
        sums[owner] = sums.get(owner, 0) + float(value)
    colours = series_of(sums)
    svg = stacked_days([(day, owner, float(value)) for day, owner, value in rows], figures.month, colours)
    by_day: dict[Any, Decimal] = {}
    for day, _, value in rows:
        by_day[day] = by_day.get(day, Decimal(0)) + value
    highest = max(by_day, key=lambda day: by_day[day])
    text = (
        f"Stacked bars: {unit} by day and owner in {figures.month.label}. The highest day is {highest} with"
        f" {numbers.amount(by_day[highest], decimals)}; the largest owner is {max(sums, key=lambda owner: sums[owner])}."
    )
    return Chart(f"{unit[0].upper()}{unit[1:]} by day and owner", Markup(svg), text, colours)  # noqa: S704  # the library escapes the names in it


def _failure_chart(figures: Figures) -> Chart | None:
    rows = [(row["billing_date"], int(row["failed"])) for row in figures.asked["failures_by_day"].rows]
    if not any(failed for _, failed in rows):
        return None
    worst, most = max(rows, key=lambda row: row[1])
    svg = bars_by_day([(day, float(failed)) for day, failed in rows], figures.month, "var(--bad)")
    text = f"Bars: failed runs by day in {figures.month.label}. The most are {most:,} on {worst}."
    return Chart("Failed runs by day", Markup(svg), text, {})  # noqa: S704  # figures only

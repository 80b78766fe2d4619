"""Charts as SVG, without scripts, in the colours of the page's light and dark themes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

import altair as alt
import vl_convert

from .figures import UNALLOCATED
from .month import Month

# More colours would not be distinguishable; the table below a chart has all owners.
MAX_SERIES: Final = 7
OTHERS: Final = "other owners"
_WIDTH: Final = 860
_HEIGHT: Final = 240
_TEXT: Final = "currentColor"
_LINE: Final = "var(--line)"


def colour(place: int) -> str:
    """Return the colour of a series by its place."""
    return f"var(--series-{place + 1})"


def series_of(amounts: Mapping[str, float]) -> dict[str, str]:
    """Return the series, largest first, each with its colour: the largest owners, and one for all others."""
    ranked = sorted((name for name in amounts if name != UNALLOCATED), key=lambda name: (-amounts[name], name))
    shown = ranked if len(ranked) <= MAX_SERIES else ranked[: MAX_SERIES - 1]
    colours = {name: colour(place) for place, name in enumerate(shown)}
    if len(shown) < len(ranked):
        colours[OTHERS] = colour(MAX_SERIES - 1)
    if UNALLOCATED in amounts:
        colours[UNALLOCATED] = "var(--unallocated)"
    return colours


def stacked_days(rows: Sequence[tuple[date, str, float]], month: Month, colours: Mapping[str, str]) -> str:
    """Return bars by day, in parts by owner.

    Args:
        rows: day, owner and amount.
        month: each of its days has a place, even without a bar.
        colours: of the series, from the bottom up; owners without one are part of the others.
    """
    sums: dict[tuple[date, str], float] = defaultdict(float)
    for day, owner, value in rows:
        sums[day, owner if owner in colours else OTHERS] += value
    names = list(colours)
    values = [{"day": str(day), "name": name, "value": value, "place": names.index(name)} for (day, name), value in sums.items()]
    encoding = {
        "color": alt.Color("name:N", legend=None, scale=alt.Scale(domain=names, range=list(colours.values()))),
        "order": alt.Order("place:Q"),
    }
    return _bars(values, month, encoding)


def bars_by_day(rows: Sequence[tuple[date, float]], month: Month, fill: str) -> str:
    """Return one bar for each day, in one colour."""
    values = [{"day": str(day), "value": value} for day, value in rows]
    return _bars(values, month, {"color": alt.value(fill)})


def _bars(values: list[dict[str, Any]], month: Month, encoding: Mapping[str, Any]) -> str:
    days = [str(month.first + timedelta(days=place)) for place in range((month.next.first - month.first).days)]
    axis = alt.Axis(title=None, labelAngle=0, labelExpr="parseInt(slice(datum.value, 8))", ticks=False, labelPadding=6)
    chart = (
        alt.Chart(alt.Data(values=values), width=_WIDTH, height=_HEIGHT, background="transparent")
        .mark_bar(aria=False)
        .encode(
            x=alt.X("day:O", axis=axis, scale=alt.Scale(domain=days, paddingInner=0.2)),
            y=alt.Y("value:Q", axis=alt.Axis(title=None, tickCount=5, format="~s", domain=False, ticks=False)),
            **encoding,
        )
        .configure(font="system-ui, sans-serif", aria=False)
        .configure_axis(labelColor=_TEXT, labelFontSize=12, gridColor=_LINE, domainColor=_LINE)
        .configure_view(stroke=None)
    )
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))

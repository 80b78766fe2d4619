"""Prints what each rate and rule matched, as tables of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.table import Table

from emr_usage.matches import Match, Matches
from emr_usage.report.numbers import amount, count, money

from .terminal import output


def print_matches(matches: Matches) -> None:
    """Print every rate and rule with what it matched in all loaded history."""
    for title, number, some in (("rates.csv", "row", matches.rates), ("owners.csv", "rule", matches.rules)):
        if some:
            output().print(_table(title, number, some))


def _table(title: str, number: str, matches: Sequence[Match]) -> Table:
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0), title=f"What {title} matched", title_justify="left")
    table.add_column(number, justify="right", no_wrap=True)
    table.add_column("what", overflow="fold")
    for head in ("job runs", "CU-hours", "estimated cost"):
        table.add_column(head, justify="right", no_wrap=True)
    for match in matches:
        costs = "\n".join(money(cost, currency) for currency, cost in match.costs.items() if cost is not None)
        table.add_row(str(match.number), match.says, count(match.job_runs), amount(match.cu_hours), costs or "-")
    return table

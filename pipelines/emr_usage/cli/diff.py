"""`emr-usage diff`: shows what new rates or owner rules would change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import target_options, time_zone_option, wait_option
from .report_errors import report_errors
from .require import require_database
from .terminal import echo, output, print_json, wait_at_most

if TYPE_CHECKING:
    from emr_usage.input_diff import Change

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("diff", short_help="Show what new rates or owners would change.")
@target_options
@click.option("--rates", type=_FILE, help="New rates.csv.  [default: the loaded rates]")
@click.option("--owners", type=_FILE, help="New owners.csv.  [default: the loaded rules]")
@time_zone_option
@wait_option
def command(
    *,
    rates: Path | None,
    owners: Path | None,
    billing_time_zone: str | None,
    destination: str,
    database: Path,
    wait_seconds: int,
    as_json: bool,
    verbose: bool,
) -> None:
    """\b
    Examples:
      emr-usage diff --rates new-rates.csv
      emr-usage diff --rates new-rates.csv --owners new-owners.csv --json

    Show what new rates or owner rules would change, by month, owner and currency, before they are loaded: the marts are built
    with them in a transaction that is rolled back. Other commands that write wait until it has finished.
    """
    from emr_usage.input_diff import diff_inputs
    from emr_usage.target import Target

    files = {table: path for table, path in (("rates", rates), ("owners", owners)) if path}
    if not files:
        raise click.UsageError("Give --rates FILE, --owners FILE or both.")
    target = Target(destination, database, wait_at_most(wait_seconds)).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose):
        changes = diff_inputs(target, files, billing_time_zone)
    if as_json:
        facts = [{**vars(change), "cost_change": change.cost_change} for change in changes]
        print_json({"status": "complete", "exit_code": 0, "target": str(target), "changes": facts})
    else:
        _print_changes(changes)


def _print_changes(changes: Sequence[Change]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from emr_usage.report.numbers import amount, money

    if not changes:
        echo("Nothing would change.")
        return
    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    for title in ("month", "owner", "now", "then", "change"):
        table.add_column(title, overflow="fold", justify="left" if title in {"month", "owner"} else "right")
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for change in changes:
        month = f"{change.billing_month:%Y-%m}{' (closed)' if change.is_closed else ''}"
        if change.currency:
            totals[month, change.currency] += change.cost_change
            values = [money(value, change.currency) for value in (change.estimated_cost, change.estimated_cost_after)]
            table.add_row(month, change.owner, *values, _signed(money(change.cost_change, change.currency), change.cost_change))
        else:
            values = [f"{amount(value)} unpriced" for value in (change.cu_hours, change.cu_hours_after)]
            table.add_row(month, change.owner, *values, _signed(amount(change.cu_hours_change), change.cu_hours_change))
    output().print(table)
    echo(*(f"{month}: {_signed(money(total, currency), total)}" for (month, currency), total in totals.items()))
    if any(change.is_closed for change in changes):
        echo("The statements of closed months would not change: the differences would be adjustments in the open month.")


def _signed(text: str, value: Decimal) -> str:
    """Return an amount with its sign before the number."""
    from emr_usage.report.numbers import GAP

    currency, gap, number = text.rpartition(GAP)
    return f"{currency}{gap}+{number}" if value > 0 else text

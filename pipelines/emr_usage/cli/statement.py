"""`emr-usage statement`: prints what is to be invoiced for a month."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from .options import MonthName, target_options
from .report_errors import report_errors
from .require import require_database
from .terminal import echo, fail, output, print_json

if TYPE_CHECKING:
    from emr_usage.report import Month
    from emr_usage.statements import MonthStatement, Statement


@click.command("statement", short_help="Print the statement of a month.")
@target_options
@click.option("--month", type=MonthName(), required=True, help="Billing month, such as 2026-10.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["table", "csv", "content"]),
    default="table",
    show_default=True,
    help="table: for reading. csv: the lines, with all decimals. content: of a closed month, the text whose SHA-256 it has.",
)
def command(
    *, month: Month, kind: Literal["table", "csv", "content"], destination: str, database: Path, as_json: bool, verbose: bool
) -> None:
    """\b
    Examples:
      emr-usage statement --month 2026-10
      emr-usage statement --month 2026-10 --format csv > statement.csv
      emr-usage statement --month 2026-10 --format content | sha256sum

    Print what each owner pays for a month: of a closed month what was frozen, after verifying its SHA-256, and of an open one
    what it would be now.
    """
    from emr_usage.pipeline import open_reader
    from emr_usage.statements import read_statement
    from emr_usage.target import Target

    target = Target(destination, database).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        found = read_statement(pipeline, month)
    if kind == "content" and not found.statement:
        fail(
            f"{month.label} is open and has no SHA-256. Close it first: emr-usage close --month {month}", "Open", as_json=as_json
        )
    if as_json:
        print_json(_facts(found))
    elif kind == "content" and found.statement:
        echo(found.statement.content.rstrip("\n"))
    elif kind == "csv":
        echo(*_csv(found))
    else:
        _print_tables(found)


def _facts(found: MonthStatement) -> dict[str, Any]:
    of_statement = {**found.statement.header, "sha256": found.statement.sha256} if found.statement else {}
    status = {"month": str(found.month), "is_closed": found.statement is not None, "month_status": found.month_status}
    return {**status, "statement": of_statement, "lines": found.lines, "later_adjustments": found.later}


def _csv(found: MonthStatement) -> list[str]:
    from emr_usage.report.csv_file import csv_cell
    from emr_usage.statements.tables import LINE_COLUMNS

    columns = [name for name in LINE_COLUMNS if name != "billing_month"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["billing_month", *columns])
    writer.writerows([found.month.first, *(csv_cell(line[name]) for name in columns)] for line in found.lines)
    return text.getvalue().splitlines()


def _print_tables(found: MonthStatement) -> None:
    from emr_usage.report.numbers import cu_hours, money

    echo(*(_about(found.statement) if found.statement else _about_open(found)))
    own = [line for line in found.lines if line["cause"] is None]
    adjustments = [line for line in found.lines if line["cause"] is not None]
    if own:
        _print_lines(f"Use of {found.month.label}", own, lambda line: line["owner"])
    if adjustments:
        _print_lines(
            "Adjustments of closed months",
            adjustments,
            lambda line: f"{line['owner']}, {line['adjusted_month']:%Y-%m}: {line['cause'].replace('_', ' ')}",
        )
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for line in found.lines:
        if line["currency"]:
            totals[line["currency"]] += line["estimated_cost"]
    unpriced = sum(line["cu_hours_unpriced"] for line in found.lines)
    echo(*(f"Total: {money(total, currency)}" for currency, total in totals.items()))
    if unpriced:
        echo(f"Unpriced: {cu_hours(unpriced)}")
    for change in found.later:
        amount = money(change["estimated_cost"], change["currency"]) if change["currency"] else cu_hours(change["cu_hours"])
        booked = f"booked in {change['booked_month']:%B %Y}{'' if change['is_frozen'] else ', which is open'}"
        echo(f"Changed since: {amount} by {change['cause'].replace('_', ' ')}, {booked}")
    if found.statement:
        echo(f"SHA-256 (verified): {found.statement.sha256}")


def _about(statement: Statement) -> list[str]:
    header = statement.header
    build = f"build {header['build_number']} of {header['built_at']:%Y-%m-%d %H:%M} UTC"
    lines = [f"Closed {header['closed_at']:%Y-%m-%d %H:%M} UTC from {build}, by emr-usage {header['version']}"]
    if header["missing"]:
        lines.append(f"Missing when it was closed: {header['missing']}")
    if header["reason"]:
        lines.append(f"Closed anyway: {header['reason']}")
    lines += [f"{what.capitalize()}: SHA-256 {header[f'{what}_sha256']}" for what in ("rates", "owners")]
    return lines


def _about_open(found: MonthStatement) -> list[str]:
    status = found.month_status or "without job runs"
    return [f"{found.month.label} is open ({status}): its figures can change until it is closed."]


def _print_lines(title: str, lines: list[Any], label: Any) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from emr_usage.report.numbers import amount, money

    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
    table.add_column("owner", overflow="fold")
    table.add_column("workspace", overflow="fold")
    for head in ("CU-hours", "estimated cost", "settlement"):
        table.add_column(head, justify="right", no_wrap=True)
    for line in lines:
        cost = money(line["estimated_cost"], line["currency"]) if line["currency"] else "unpriced"
        table.add_row(
            label(line),
            line["workspace_id"],
            amount(line["cu_hours"]),
            cost,
            money(line["settlement_adjustment"], line["currency"]),
        )
    output().print(table)

"""`emr-usage close`: freezes the statement of a month."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import MonthName, target_options, wait_option
from .report_errors import report_errors
from .require import require_database
from .step_result import StepResult, echo_result
from .terminal import now, wait_at_most

if TYPE_CHECKING:
    from emr_usage.report import Month


@click.command("close", short_help="Close a month: freeze its statement.")
@target_options
@click.option("--month", type=MonthName(), required=True, help="Billing month, such as 2026-10.")
@click.option(
    "--anyway",
    metavar="REASON",
    help="Close it although something is missing; the statement shows the reason and what was missing.",
)
@wait_option
def command(
    *, month: Month, anyway: str | None, destination: str, database: Path, wait_seconds: int, as_json: bool, verbose: bool
) -> None:
    """\b
    Examples:
      emr-usage close --month 2026-10
      emr-usage close --month 2026-10 --anyway "workspace w-3 was deleted"

    Freeze what each owner pays for a month, from the marts of the last build, and build the marts again. What changes the month
    later is booked as adjustments in the first month that is not closed. Months are closed in order, and only when they have
    ended, are certified, and no figure is pending.
    """
    from emr_usage.pipeline import open_reader
    from emr_usage.statements import close_month, read_statement
    from emr_usage.target import Target

    if anyway is not None and not anyway.strip():
        raise click.UsageError("--anyway needs a reason.")
    target = Target(destination, database, wait_at_most(wait_seconds)).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose):
        made = close_month(target, month, now(), anyway.strip() if anyway else None)
        with open_reader(target) as pipeline:
            statement = read_statement(pipeline, month).statement
    if statement is None:
        raise LookupError(str(month))
    facts = {"month": str(month), "lines": len(statement.lines), "sha256": statement.sha256, "build": made.record.build_number}
    lines = [
        f"{month.label} is closed: {len(statement.lines):,} lines, SHA-256 {statement.sha256}.",
        f"Print it with: emr-usage statement --month {month}",
    ]
    if statement.header["missing"]:
        lines.insert(1, f"Closed anyway ({statement.header['reason']}); missing: {statement.header['missing']}.")
    echo_result(StepResult(facts, lines), target, as_json=as_json)

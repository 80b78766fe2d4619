"""`emr-usage export`: the estimated cost of a month in a standard format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import month_option, reports_option, target_options
from .report_errors import report_errors
from .require import require_database
from .step_result import StepResult, echo_result
from .terminal import now

if TYPE_CHECKING:
    from emr_usage.focus import FocusFile, Kind, Version
    from emr_usage.report import Month


@click.group("export", short_help="Export a month's cost in a standard format: FOCUS.")
def command() -> None:
    """\b
    Examples:
      emr-usage export focus --month 2026-10 --billing-account 1234567890123456

    Export the estimated cost of a month in a format that other programs read.
    """


@command.command("focus", short_help="Write a month's cost as a FOCUS file, one charge for each job run and day.")
@target_options
@month_option
@reports_option
@click.option("--version", type=click.Choice(["1.4", "1.2"]), default="1.4", show_default=True, help="Version of FOCUS.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["parquet", "csv"]),
    default="parquet",
    show_default=True,
    help="parquet keeps the types; csv marks texts that a spreadsheet would run as formulas with a leading '.",
)
@click.option(
    "--billing-account", "billing_account_id", help="UID of the account that pays.  [default: the setting billing_account_id]"
)
def focus(
    *,
    month: Month | None,
    reports: Path | None,
    version: Version,
    kind: Kind,
    billing_account_id: str | None,
    destination: str,
    database: Path,
    as_json: bool,
    verbose: bool,
) -> None:
    """\b
    Examples:
      emr-usage export focus --month 2026-10 --billing-account 1234567890123456
      emr-usage export focus --month 2026-10 --version 1.2 --format csv

    Write the estimated cost of a month in the format of the FinOps Open Cost and Usage Specification (FOCUS), one charge for each
    job run and billing day. Its metadata, with the days that are complete, is written beside it.
    """
    from emr_usage.billing_account import checked_billing_account
    from emr_usage.focus import write_focus
    from emr_usage.pipeline import open_reader
    from emr_usage.report import Month, default_folder, read_billing_time_zone
    from emr_usage.target import Target

    target = Target(destination, database).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose):
        account = checked_billing_account(billing_account_id)
        with open_reader(target) as pipeline:
            month = month or Month.of_yesterday(now(), read_billing_time_zone(pipeline))
            done = write_focus(pipeline, month, reports or default_folder(target.database), account, version, kind)
    echo_result(_result(done, month, version), target, as_json=as_json)


def _result(done: FocusFile, month: Month, version: Version) -> StepResult:
    from emr_usage.report.numbers import cu_hours, money

    costs = " and ".join(money(cost, currency) for currency, cost in sorted(done.costs.items()))
    text = f"{month.label} ({done.month_status}): {done.charges:,} charges, estimated {costs}"
    if done.cu_hours_unpriced:
        text += f"; without a rate and not in the file: {cu_hours(done.cu_hours_unpriced)}"
    if done.missing:
        text += f"; missing: {', '.join(done.missing)}"
    facts = {
        "month": str(month),
        "month_status": done.month_status,
        "missing": done.missing,
        "focus_version": version,
        "files": [str(done.path), str(done.metadata)],
        "charges": done.charges,
        "costs": {currency: f"{cost:f}" for currency, cost in sorted(done.costs.items())},
        "cu_hours_unpriced": f"{done.cu_hours_unpriced:f}",
    }
    lines = [f"{text.replace(chr(0xA0), ' ')}.", f"FOCUS {version}: {done.path}", f"Metadata: {done.metadata}"]
    return StepResult(facts, lines)

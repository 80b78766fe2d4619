"""`emr-usage report`: a month as an HTML page, or its chargeback tables as files."""

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
    import dlt

    from emr_usage.report import Format, Month


@click.command("report", short_help="Write a month's report as an HTML page, or its tables as files.")
@target_options
@month_option
@reports_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "csv", "parquet", "xlsx"]),
    default="html",
    show_default=True,
    help="html: the report. csv, parquet: the chargeback tables. xlsx: both tables in one workbook.",
)
def command(
    *,
    month: Month | None,
    reports: Path | None,
    kind: Format,
    destination: str,
    database: Path,
    as_json: bool,
    verbose: bool,
) -> None:
    """\b
    Examples:
      emr-usage report --month 2026-10
      emr-usage report --month 2026-10 --format csv --output /srv/finance
      emr-usage report --month 2026-10 --format xlsx

    Write the report of a month as one HTML file that can be opened offline: estimated cost by owner and day, failures, and what
    is missing. Or write the tables chargeback_daily and chargeback_monthly of that month as files.
    """
    from emr_usage.pipeline import open_reader
    from emr_usage.report import default_folder as default_reports
    from emr_usage.target import Target

    target = Target(destination, database).marts
    require_database(target, as_json=as_json)
    with report_errors(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        made = write_report(pipeline, month, reports or default_reports(target.database), kind)
    echo_result(made, target, as_json=as_json)


def write_report(pipeline: dlt.Pipeline, month: Month | None, folder: Path, kind: Format = "html") -> StepResult:
    """Write the report of a month into a folder; by default of yesterday's month."""
    from emr_usage.report import Month, headline, read_billing_time_zone, write_chargeback_workbook, write_page, write_tables

    month = month or Month.of_yesterday(now(), read_billing_time_zone(pipeline))
    if kind == "xlsx":
        path, rounded = write_chargeback_workbook(pipeline, month, folder)
        lines = [f"Workbook: {path}"]
        if rounded:
            lines.append(
                f"{rounded:,} figures have more than 15 digits and are rounded in the workbook; csv and parquet are exact."
            )
        return StepResult({"month": str(month), "files": [str(path)], "rounded": rounded}, lines)
    if kind != "html":
        paths = [str(path) for path in write_tables(pipeline, month, folder, kind)]
        return StepResult({"month": str(month), "files": paths}, [f"Table: {path}" for path in paths])
    path, figures = write_page(pipeline, month, folder, now())
    text = headline(figures)
    return StepResult({"month": str(month), "files": [str(path)], "headline": text}, [f"{text}.", f"Report: {path}"])

"""Commands that turn what is loaded into costs, and say where they come from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE
from rich.table import Table

from emr_usage.build import build as build_marts
from emr_usage.explanation import Explanation, explain_run, explanation_lines
from emr_usage.failures import FolderError
from emr_usage.inputs import default_folder, load_inputs, write_examples
from emr_usage.load import Target, open_pipeline
from emr_usage.report import Format, Month, headline, read_billing_time_zone, write_page, write_tables
from emr_usage.report import default_folder as default_reports

from .options import database_option, inputs_option, month_option, reports_option, target_options, time_zone_option, wait_option
from .terminal import OUTPUT, demand_database, explained, fail, now, tell, wait_at_most

NO_INPUTS = "There is no folder {folder}: rates and owners stay as they are. emr-usage init-inputs makes it."


@click.command("init-inputs", short_help="Make the files for prices and owners, with examples.")
@database_option
@inputs_option
def init_inputs(*, inputs: Path | None, database: Path) -> None:
    """\b
    Examples:
      emr-usage init-inputs
      emr-usage init-inputs --inputs /srv/chargeback

    Make the files that say what a CU-hour costs and who pays for a run: rates.csv, owners.csv and list_prices.csv, with
    commented examples to take into use. A file that is there already stays as it is.
    """
    folder = inputs or default_folder(database)
    try:
        made = write_examples(folder)
    except OSError as error:
        fail(str(FolderError(folder, "--inputs", error)), "NoFolder", as_json=False)
    for name, is_new in made.items():
        tell(f"{folder / name}: {'made' if is_new else 'is there already'}")


@click.command(short_help="Make the marts from what is loaded: costs, owners, reliability.")
@target_options
@inputs_option
@click.option("--full-refresh", is_flag=True, help="Compute every run again; the tables come out the same.")
@time_zone_option
@wait_option
def build(
    *,
    full_refresh: bool,
    billing_time_zone: str,
    inputs: Path | None,
    destination: str,
    database: Path,
    wait_seconds: int,
    as_json: bool,
    verbose: bool,
) -> None:
    """\b
    Examples:
      emr-usage build
      emr-usage build --database /data/emr.duckdb --json
      emr-usage build --full-refresh --billing-time-zone Europe/Berlin

    Take in the files of rates and owners, make the tables of the dataset emr_marts, and check their sums. Runs that changed are
    computed again; changed rates or owners compute all of them again, without asking the API. Fails when a check finds a
    promise broken. Exits with 4 while another process uses the database.
    """
    target = Target(destination, database, wait_at_most(wait_seconds))
    demand_database(target, as_json=as_json)
    demand_inputs(inputs)
    with explained(target, as_json=as_json, verbose=verbose):
        made = make_marts(target, inputs, full_refresh=full_refresh, billing_time_zone=billing_time_zone)
    _tell_made(made, target, as_json=as_json)


def demand_inputs(inputs: Path | None) -> None:
    """End the command where a folder of inputs is named that is not there."""
    if inputs and not inputs.is_dir():
        raise click.UsageError(f"There is no folder {inputs}. Make it with: emr-usage init-inputs --inputs {inputs}")


@dataclass(frozen=True)
class Made:
    """A step of a command that ended well.

    Attributes:
        facts: for machines.
        lines: for people.
    """

    facts: dict[str, Any]
    lines: list[str]


def _tell_made(made: Made, target: Target, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"status": "complete", "exit_code": 0, "target": str(target), **made.facts}))
    else:
        tell(*made.lines)


def make_marts(target: Target, inputs: Path | None, *, full_refresh: bool = False, billing_time_zone: str) -> Made:
    """Take in the inputs, build the marts and check them."""
    began = now()
    folder = inputs or default_folder(target.database)
    # Without a folder nothing is taken in, and nothing taken away.
    taken = load_inputs(target, folder).sentence if folder.is_dir() else NO_INPUTS.format(folder=folder)
    built = build_marts(target, full_refresh=full_refresh, billing_time_zone=billing_time_zone)
    seconds = (now() - began).total_seconds()
    return Made(
        {"models": built.models, "checks": built.checks, "seconds": round(seconds, 3)},
        [taken, f"{built.models} models made and {built.checks} checks kept in {seconds:.1f} s, in {target}."],
    )


@click.command("explain", short_help="Where a run's cost and owner come from.")
@target_options
@click.argument("job_run_id")
def explain_cost(*, job_run_id: str, destination: str, database: Path, as_json: bool, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage explain jr-0123456789abcdef
      emr-usage explain jr-0123456789abcdef --json

    Show the days a run is charged on, the rate of each and where it is from, the rule that names the owner, and what
    is not priced.
    """
    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose):
        explanations = explain_run(open_pipeline(target), job_run_id)
    if not explanations:
        fail(f"There is no job run {job_run_id} in the marts of {target}.", "NoSuchRun", as_json=as_json)
    if as_json:
        click.echo(json.dumps([vars(explanation) for explanation in explanations], default=str))
    else:
        for explanation in explanations:
            _print_explanation(explanation)


def _print_explanation(explanation: Explanation) -> None:
    run = explanation.run
    tell(*explanation_lines(explanation))
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("billing date", "hours", "CU-hours", "estimated cost", "rate", "from rates.csv"):
        table.add_column(title, no_wrap=title != "from rates.csv", overflow="fold")
    for day in explanation.days:
        cost, rate, line = "-", "unpriced", "-"
        if day["currency"]:
            cost, rate = str(day["estimated_cost"]), f"{day['currency']} {day['price_per_cu_hour']}"
            line = ", ".join(filter(None, (f"line {day['rate_row_number']}", day["rate_kind"], day["rate_source"])))
        table.add_row(str(day["billing_date"]), str(day["hours"]), str(day["cu_hours"]), cost, rate, line)
    if explanation.days:
        OUTPUT.print(table)
    if run["cu_hours_unpriced"]:
        place = ", ".join(str(run[name]) for name in ("region_id", "workspace_id", "resource_queue_id") if run[name])
        told = f"Not priced: {run['cu_hours_unpriced']} CU-hours, because no line of rates.csv holds for {place} on those dates."
        tell(told)


@click.command(short_help="A month as a page to mail and read, or as files.")
@target_options
@month_option
@reports_option
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "csv", "parquet"]),
    default="html",
    show_default=True,
    help="A page, or the chargeback tables.",
)
def report(
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

    Write what a month is estimated to have cost, by owner and day, what failed and what is missing, as one HTML file that needs
    no network to be opened; or the tables chargeback_daily and chargeback_monthly of that month as files.
    """
    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose):
        made = make_report(target, month, reports, kind)
    _tell_made(made, target, as_json=as_json)


def make_report(target: Target, month: Month | None, folder: Path | None, kind: Format = "html") -> Made:
    """Write a report of a month, by default that of yesterday, into a folder, by default beside the database."""
    pipeline = open_pipeline(target)
    folder = folder or default_reports(target.database)
    month = month or Month.of_yesterday(now(), read_billing_time_zone(pipeline))
    if kind != "html":
        paths = [str(path) for path in write_tables(pipeline, month, folder, kind)]
        return Made({"month": str(month), "files": paths}, [f"Table: {path}" for path in paths])
    path, figures = write_page(pipeline, month, folder, now())
    told = headline(figures)
    return Made({"month": str(month), "files": [str(path)], "headline": told}, [f"{told}.", f"Report: {path}"])

"""Commands that turn what is loaded into costs, and say where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import (
    allow_empty_inputs_option,
    change_time_zone_option,
    database_option,
    inputs_option,
    month_option,
    reports_option,
    target_options,
    time_zone_option,
    wait_option,
)
from .terminal import demand_database, explained, fail, now, output, print_json, tell, wait_at_most

if TYPE_CHECKING:
    import dlt

    from emr_usage.explanation import Explanation
    from emr_usage.load import Target
    from emr_usage.matches import Matches
    from emr_usage.report import Format, Month

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
    from emr_usage.failures import FolderError
    from emr_usage.inputs import default_folder, write_examples

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
@change_time_zone_option
@allow_empty_inputs_option
def build(
    *,
    full_refresh: bool,
    billing_time_zone: str | None,
    change_time_zone: bool,
    allow_empty_inputs: bool,
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
      emr-usage build --billing-time-zone Europe/Berlin --change-time-zone

    Take in the files of rates and owners, make the tables of the dataset emr_marts, and check their sums. Runs that changed are
    computed again; changed rates or owners compute all of them again, without asking the API. Fails when a check finds a
    promise broken; whoever reads emr_marts then sees the build before, as during a build. Exits with 4 while another process uses
    the database.
    """
    from emr_usage.load import Target

    from .matched import print_matches

    target = Target(destination, database, wait_at_most(wait_seconds))
    demand_database(target, as_json=as_json)
    demand_inputs(inputs)
    with explained(target, as_json=as_json, verbose=verbose):
        made = make_marts(
            target,
            inputs,
            full_refresh=full_refresh,
            billing_time_zone=billing_time_zone,
            change_time_zone=change_time_zone,
            allow_empty_inputs=allow_empty_inputs,
        )
    if not as_json and made.matches:
        print_matches(made.matches)
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
        matches: what each rate and rule matched, where marts were built.
    """

    facts: dict[str, Any]
    lines: list[str]
    matches: Matches | None = None


def _tell_made(made: Made, target: Target, *, as_json: bool) -> None:
    if as_json:
        print_json({"status": "complete", "exit_code": 0, "target": str(target), **made.facts})
    else:
        tell(*made.lines)


def make_marts(
    target: Target,
    inputs: Path | None,
    *,
    full_refresh: bool = False,
    billing_time_zone: str | None,
    change_time_zone: bool,
    allow_empty_inputs: bool,
) -> Made:
    """Take in the inputs, build the marts and check them."""
    from emr_usage.build import build as build_marts
    from emr_usage.inputs import default_folder, load_inputs
    from emr_usage.loaded import require_runs
    from emr_usage.matches import read_matches, read_set_aside
    from emr_usage.reader import open_reader

    began = now()
    with open_reader(target) as pipeline, pipeline.sql_client() as client:
        require_runs(client)
    folder = inputs or default_folder(target.database)
    # Without a folder nothing is taken in, and nothing taken away.
    taken = NO_INPUTS.format(folder=folder)
    if folder.is_dir():
        taken = load_inputs(target, folder, allow_empty=allow_empty_inputs).sentence
    built = build_marts(target, full_refresh=full_refresh, billing_time_zone=billing_time_zone, change_time_zone=change_time_zone)
    with open_reader(target) as pipeline:
        matches, set_aside = read_matches(pipeline), read_set_aside(pipeline)
    seconds = (now() - began).total_seconds()
    told = f"Build {built.record.build_number}: {built.models} models made and {built.checks} checks kept"
    facts = {"build": built.record.build_number, "models": built.models, "checks": built.checks, "seconds": round(seconds, 3)}
    lines = [taken, *matches.hints, *set_aside, f"{told} in {seconds:.1f} s, in {target}."]
    return Made(facts | matches.facts | {"set_aside": set_aside}, lines, matches)


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
    from emr_usage.explanation import explain_run
    from emr_usage.load import Target
    from emr_usage.reader import open_reader

    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        explanations = explain_run(pipeline, job_run_id)
    if not explanations:
        fail(f"There is no job run {job_run_id} in the marts of {target}.", "NoSuchRun", as_json=as_json)
    if as_json:
        print_json([vars(explanation) for explanation in explanations])
    else:
        for explanation in explanations:
            _print_explanation(explanation)


def _print_explanation(explanation: Explanation) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from emr_usage.explanation import explanation_lines

    run = explanation.run
    tell(*explanation_lines(explanation))
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("billing date", "hours", "CU-hours", "estimated cost", "rate", "from rates.csv"):
        table.add_column(title, no_wrap=title != "from rates.csv", overflow="fold")
    for day in explanation.days:
        cost, rate, line = "-", "unpriced", "-"
        if day["currency"]:
            cost, rate = str(day["estimated_cost"]), f"{day['currency']} {day['price_per_cu_hour'].normalize():f}"
            line = ", ".join(filter(None, (f"line {day['rate_row_number']}", day["rate_kind"], day["rate_source"])))
        table.add_row(str(day["billing_date"]), str(day["hours"]), str(day["cu_hours"]), cost, rate, line)
    if explanation.days:
        output().print(table)
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
    type=click.Choice(["html", "csv", "parquet", "xlsx"]),
    default="html",
    show_default=True,
    help="A page, or the chargeback tables; xlsx is one workbook with both.",
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
      emr-usage report --month 2026-10 --format xlsx

    Write what a month is estimated to have cost, by owner and day, what failed and what is missing, as one HTML file that needs
    no network to be opened; or the tables chargeback_daily and chargeback_monthly of that month as files.
    """
    from emr_usage.load import Target
    from emr_usage.reader import open_reader
    from emr_usage.report import default_folder as default_reports

    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        made = make_report(pipeline, month, reports or default_reports(target.database), kind)
    _tell_made(made, target, as_json=as_json)


def make_report(pipeline: dlt.Pipeline, month: Month | None, folder: Path, kind: Format = "html") -> Made:
    """Write a report of a month, by default that of yesterday, into a folder."""
    from emr_usage.report import Month, headline, read_billing_time_zone, write_chargeback_workbook, write_page, write_tables

    month = month or Month.of_yesterday(now(), read_billing_time_zone(pipeline))
    if kind == "xlsx":
        path, rounded = write_chargeback_workbook(pipeline, month, folder)
        lines = [f"Workbook: {path}"]
        if rounded:
            lines.append(
                f"{rounded:,} figures have more than 15 digits and are rounded in it; --format csv and parquet are exact."
            )
        return Made({"month": str(month), "files": [str(path)], "rounded": rounded}, lines)
    if kind != "html":
        paths = [str(path) for path in write_tables(pipeline, month, folder, kind)]
        return Made({"month": str(month), "files": paths}, [f"Table: {path}" for path in paths])
    path, figures = write_page(pipeline, month, folder, now())
    told = headline(figures)
    return Made({"month": str(month), "files": [str(path)], "headline": told}, [f"{told}.", f"Report: {path}"])

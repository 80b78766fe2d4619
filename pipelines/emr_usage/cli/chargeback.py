"""Commands that turn what is loaded into costs, and say where they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE
from rich.table import Table

from emr_usage.build import DEFAULT_TIME_ZONE, Built
from emr_usage.build import build as build_marts
from emr_usage.explanation import Explanation, explain_run, explanation_lines
from emr_usage.inputs import default_folder, load_inputs, write_examples
from emr_usage.load import Target, open_pipeline

from .options import database_option, inputs_option, target_options
from .terminal import OUTPUT, demand_database, explained, fail, now, tell

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
        fail(f"{folder} cannot be written ({error.strerror}). Give another folder with --inputs.", "NoFolder", as_json=False)
    for name, is_new in made.items():
        tell(f"{folder / name}: {'made' if is_new else 'is there already'}")


@click.command(short_help="Make the marts from what is loaded: costs, owners, reliability.")
@target_options
@inputs_option
@click.option("--full-refresh", is_flag=True, help="Compute every run again; the tables come out the same.")
@click.option(
    "--billing-time-zone", default=DEFAULT_TIME_ZONE, show_default=True, help="Zone by which bills cut days and months."
)
def build(
    *,
    full_refresh: bool,
    billing_time_zone: str,
    inputs: Path | None,
    destination: str,
    database: Path,
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
    promise broken.
    """
    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    folder = inputs or default_folder(database)
    if inputs and not inputs.is_dir():
        raise click.UsageError(f"There is no folder {inputs}. Make it with: emr-usage init-inputs --inputs {inputs}")
    began = now()
    with explained(target, as_json=as_json, verbose=verbose):
        # Without a folder nothing is taken in, and nothing taken away.
        taken = load_inputs(target, folder).sentence if folder.is_dir() else NO_INPUTS.format(folder=folder)
        built = build_marts(target, full_refresh=full_refresh, billing_time_zone=billing_time_zone)
    seconds = (now() - began).total_seconds()
    if as_json:
        click.echo(json.dumps(_build_facts(built, target, seconds)))
    else:
        tell(taken)
        told = f"{built.models} models made and {built.checks} checks kept in {seconds:.1f} s, in {target}."
        tell(told)


def _build_facts(built: Built, target: Target, seconds: float) -> dict[str, Any]:
    return {
        "status": "complete",
        "exit_code": 0,
        "target": str(target),
        "models": built.models,
        "checks": built.checks,
        "seconds": round(seconds, 3),
    }


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
    for line in explanation_lines(explanation):
        tell(line)
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

"""`emr-usage build`: loads prices and owners, builds the marts and tests them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .monitoring import MonitoringOptions, monitored, monitoring_options
from .options import (
    allow_empty_inputs_option,
    change_time_zone_option,
    inputs_option,
    target_options,
    time_zone_option,
    wait_option,
)
from .report_errors import report_errors
from .require import require_database, require_inputs
from .step_result import StepResult, echo_result
from .terminal import now, wait_at_most

if TYPE_CHECKING:
    from emr_usage.target import Target

NO_INPUTS = "The folder {folder} does not exist, so rates and owners are not changed. Create it with: emr-usage init-inputs"


@click.command("build", short_help="Build the marts: costs, owners, reliability.")
@target_options
@inputs_option
@click.option("--full-refresh", is_flag=True, help="Recompute every run. The result is the same.")
@time_zone_option
@wait_option
@change_time_zone_option
@allow_empty_inputs_option
@monitoring_options()
def command(
    *,
    monitoring: MonitoringOptions,
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

    Load the CSV files of rates and owners, build the tables of the dataset emr_marts, and test them. Only runs that changed
    are recomputed; after a change of rates or owners, all are. No request is sent to the API. During a build, and after one
    whose data tests failed, readers of emr_marts see the previous build. Exits with 4 while another process uses the database.
    """
    from emr_usage.target import Target

    from .match_tables import print_matches

    target = Target(destination, database, wait_at_most(wait_seconds))
    with monitored("build", target, monitoring, as_json=as_json, verbose=verbose) as monitor:
        require_database(target, as_json=as_json)
        require_inputs(inputs)
        with report_errors(target, as_json=as_json, verbose=verbose), monitor.step("build"):
            made = build_marts(
                target,
                inputs,
                full_refresh=full_refresh,
                billing_time_zone=billing_time_zone,
                change_time_zone=change_time_zone,
                allow_empty_inputs=allow_empty_inputs,
            )
        if not as_json and made.matches:
            print_matches(made.matches)
        echo_result(made, target, as_json=as_json)


def build_marts(
    target: Target,
    inputs: Path | None,
    *,
    full_refresh: bool = False,
    billing_time_zone: str | None,
    change_time_zone: bool,
    allow_empty_inputs: bool,
) -> StepResult:
    """Load the inputs, build the marts and test them."""
    from emr_usage.build import build
    from emr_usage.inputs import default_folder, load_inputs
    from emr_usage.lake_copy import copy_lake
    from emr_usage.loaded import require_runs
    from emr_usage.matches import read_matches, read_set_aside
    from emr_usage.pipeline import open_reader

    began = now()
    with open_reader(target) as pipeline, pipeline.sql_client() as client:
        require_runs(client)
    if target.is_lake:
        copy_lake(target)
        target = target.marts
    folder = inputs or default_folder(target.database)
    # Without a folder, the loaded inputs are kept.
    taken = NO_INPUTS.format(folder=folder)
    if folder.is_dir():
        taken = load_inputs(target, folder, allow_empty=allow_empty_inputs).sentence
    built = build(target, full_refresh=full_refresh, billing_time_zone=billing_time_zone, change_time_zone=change_time_zone)
    with open_reader(target) as pipeline:
        matches, set_aside = read_matches(pipeline), read_set_aside(pipeline)
    seconds = (now() - began).total_seconds()
    text = f"Build {built.record.build_number}: {built.models} models built, {built.checks} data tests passed"
    facts = {"build": built.record.build_number, "models": built.models, "checks": built.checks, "seconds": round(seconds, 3)}
    lines = [taken, *matches.hints, *set_aside, f"{text} in {seconds:.1f} s, in {target}."]
    return StepResult(facts | matches.facts | {"set_aside": set_aside}, lines, matches)

"""`emr-usage run`: loads, builds and reports, for a schedule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .build import build_marts
from .load import load_job_runs
from .load_output import print_failure, print_load
from .monitoring import MonitoringOptions, monitored, monitoring_options
from .options import (
    allow_empty_inputs_option,
    change_time_zone_option,
    forget_workspace_option,
    initial_days_option,
    inputs_option,
    month_option,
    reports_option,
    source_options,
    time_zone_option,
)
from .report import write_report
from .report_errors import report_errors
from .require import require_inputs
from .terminal import echo, now, print_json, wait_at_most

if TYPE_CHECKING:
    from emr_usage.report import Month


@click.command("run", short_help="Load, build and report, for a scheduler.")
@source_options
@initial_days_option
@forget_workspace_option
@inputs_option
@time_zone_option
@change_time_zone_option
@allow_empty_inputs_option
@month_option
@reports_option
@monitoring_options(can_ping=True)
def command(
    *,
    monitoring: MonitoringOptions,
    inputs: Path | None,
    billing_time_zone: str | None,
    change_time_zone: bool,
    allow_empty_inputs: bool,
    month: Month | None,
    reports: Path | None,
    destination: str,
    database: Path,
    wait_seconds: int,
    as_json: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """\b
    Examples:
      emr-usage run --region cn-hangzhou
      emr-usage run --region cn-hangzhou --region ap-southeast-1 --database /data/emr.duckdb --json

    Load what is new, build the marts and write the report of yesterday's month. If a window or workspace is incomplete, the
    command still builds and reports, and exits with 3. If nothing could be loaded, marts and report do not change. If the
    build or the report fails, loaded rows remain and the exit code is 1, 2, or 4 if another process uses the database.
    """
    from emr_usage.load import failure_of_all
    from emr_usage.load_summary import load_facts
    from emr_usage.pipeline import open_reader
    from emr_usage.report import default_folder
    from emr_usage.target import Target

    began = now()
    target = Target(destination, database, wait_at_most(wait_seconds))
    with monitored("run", target, monitoring, as_json=as_json, verbose=verbose) as monitor:
        require_inputs(inputs)
        done, missing = load_job_runs(target, None, monitor, as_json=as_json, verbose=verbose, **options)
        loaded = load_facts(done, target, missing, now())
        facts: dict[str, Any] = {name: loaded[name] for name in ("status", "exit_code", "target")} | {"load": loaded}
        if not as_json:
            print_load(done, target, missing)
        print_failure(done)
        if not failure_of_all(done):
            with report_errors(target, as_json=as_json, verbose=verbose, so_far=facts):
                with monitor.step("build"):
                    marts = build_marts(
                        target,
                        inputs,
                        billing_time_zone=billing_time_zone,
                        change_time_zone=change_time_zone,
                        allow_empty_inputs=allow_empty_inputs,
                    )
                facts["build"] = marts.facts
                if not as_json:
                    echo(*marts.lines)
                with monitor.step("report"), open_reader(target.marts) as pipeline:
                    page = write_report(pipeline, month, reports or default_folder(target.database))
                facts["report"] = page.facts
                if not as_json:
                    echo(*page.lines)
        if as_json:
            print_json(facts | {"seconds": round((now() - began).total_seconds(), 3)})
        sys.exit(facts["exit_code"])

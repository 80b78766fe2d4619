"""The command `emr-usage`. Only this package reads the clock and prints."""

from __future__ import annotations

import sys

import click

from emr_usage.defaults import set_environment_defaults
from emr_usage.errors import NO_SPACE

from . import (
    backfill,
    build,
    close,
    compact,
    demo,
    diff,
    emulator,
    explain,
    export,
    init_inputs,
    load,
    report,
    run,
    statement,
    status,
)
from .streams import SafeGroup


@click.group(cls=SafeGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="emr-usage")
def main() -> None:
    """\b
    Examples:
      emr-usage demo                          load, price and report an emulated company
      emr-usage load --region cn-hangzhou     load what is new into emr.duckdb
      emr-usage status                        show how far each workspace is certified
      emr-usage build                         build the marts: costs, owners, reliability
      emr-usage report --month 2026-10        write the report of a month as an HTML page
      emr-usage export focus --month 2026-10  write the cost of a month in the FOCUS format
      emr-usage run --region cn-hangzhou      load, build and report, for a scheduler

    Load the job-run history of Alibaba Cloud EMR Serverless Spark into DuckDB, PostgreSQL or a lake of files, prove that it is
    complete, and report what each run is estimated to cost and who pays for it.

    \b
    Exit codes: 0 complete; 1 failed; 2 invalid options or settings; 3 loaded, but a window or workspace is incomplete;
    4 another process uses the database.
    """
    set_environment_defaults()
    sys.unraisablehook = _skip_full_disk


def _skip_full_disk(unraisable: sys.UnraisableHookArgs) -> None:
    """Leave out the traceback of a Parquet file that cannot be completed when it is discarded: the error is reported already."""
    error = unraisable.exc_value
    if not (isinstance(error, OSError) and error.errno in NO_SPACE):
        sys.__unraisablehook__(unraisable)


for module in (
    *(run, load, backfill, status, init_inputs, build, diff, report, export, explain),
    *(close, statement, compact, emulator, demo),
):
    main.add_command(module.command)

"""`emr-usage load`: loads what is new."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .load_output import print_failure, print_load
from .monitoring import Monitor, MonitoringOptions, monitored, monitoring_options
from .options import forget_workspace_option, initial_days_option, source_options
from .report_errors import report_errors
from .terminal import errors, log_to, now, print_json, wait_at_most

if TYPE_CHECKING:
    from emr_serverless import Backfill, Load
    from emr_usage.missing_figures import MissingFigures
    from emr_usage.target import Target


@click.command("load", short_help="Load what is new since the last load.")
@source_options
@initial_days_option
@forget_workspace_option
@monitoring_options(can_ping=True)
def command(*, monitoring: MonitoringOptions, **options: Any) -> None:
    """\b
    Examples:
      emr-usage load --region cn-hangzhou
      emr-usage load --region cn-hangzhou --region ap-southeast-1 --workspace w-1234abcd --json
      emr-usage load --region cn-hangzhou --destination postgres --wait 600

    Load every job run that is new or has changed, up to a minute ago. You can interrupt and repeat a load: it resumes
    after the last committed package. Exits with 4 while another process uses the database.
    """
    load_and_exit("load", None, monitoring, **options)


def load_and_exit(
    command: str,
    backfill: Backfill | None,
    monitoring: MonitoringOptions,
    *,
    destination: str,
    database: Path,
    wait_seconds: int,
    as_json: bool,
    verbose: bool,
    **options: Any,
) -> NoReturn:
    """Load, print the summary, and exit with its code."""
    from emr_usage.load_summary import load_facts
    from emr_usage.target import Target

    target = Target(destination, database, wait_at_most(wait_seconds))
    with monitored(command, target, monitoring, as_json=as_json, verbose=verbose) as monitor:
        done, missing = load_job_runs(target, backfill, monitor, as_json=as_json, verbose=verbose, **options)
        facts = load_facts(done, target, missing, now())
        if as_json:
            print_json(facts)
        else:
            print_load(done, target, missing)
        print_failure(done)
        sys.exit(facts["exit_code"])


def load_job_runs(
    target: Target,
    backfill: Backfill | None,
    monitor: Monitor,
    *,
    regions: tuple[str, ...],
    workspaces: tuple[str, ...],
    endpoint: str | None,
    as_of: datetime | None,
    max_connections: str | None,
    table_format: str | None,
    initial_days: str | None = None,
    forget_workspaces: tuple[str, ...] = (),
    as_json: bool,
    verbose: bool,
) -> tuple[Load, MissingFigures]:
    """Load with the options of the command and show the progress; return the finished load and the runs without figures."""
    from emr_usage.load import Request, run_load
    from emr_usage.load_summary import findings_of, problems_of
    from emr_usage.progress import live_display

    given: dict[str, Any] = {
        "region_ids": regions,
        "workspace_ids": workspaces,
        "endpoint": endpoint,
        "max_connections": max_connections,
        "initial_days": initial_days,
    }
    overrides = {name: value for name, value in given.items() if value not in (None, ())}
    log_to(errors())
    with report_errors(target, as_json=as_json, verbose=verbose), live_display(errors(), "loading") as display:
        target.database.parent.mkdir(parents=True, exist_ok=True)
        request = Request(now, as_of, backfill, forget_workspaces, overrides, target.wait, table_format)
        with monitor.step("load"):
            done = run_load(target, request, display)
        monitor.problems += problems_of(done)
        monitor.findings += findings_of(done)
        return done, _missing_figures(done, target)


def _missing_figures(done: Load, target: Target) -> MissingFigures:
    """Count the final runs without figures, after a load."""
    from emr_usage.missing_figures import MissingFigures, count_missing_figures
    from emr_usage.pipeline import open_reader

    if not done.stats.windows:
        return MissingFigures(0, 0, done.stats.settle_days)
    with open_reader(target) as pipeline, pipeline.sql_client() as client:
        return count_missing_figures(client, now(), done.stats.settle_days)

"""Commands that ask the API, and what they loaded."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.box import SIMPLE
from rich.table import Table

from emr_serverless import Backfill, Load
from emr_usage.demo import summary
from emr_usage.failures import FAILED, INCOMPLETE
from emr_usage.load import Request, Target, failure_of_all, open_pipeline, run_load
from emr_usage.progress import live_display
from emr_usage.status import Status, read_status

from .options import Moment, initial_days_option, source_options, target_options
from .terminal import ERRORS, OUTPUT, demand_database, explained, log_to, now, tell, wait_at_most

MAX_NAMED = 10


@click.command(short_help="Load what is new since the last load.")
@source_options
@initial_days_option
def load(**options: Any) -> None:
    """\b
    Examples:
      emr-usage load --region cn-hangzhou
      emr-usage load --region cn-hangzhou --region ap-southeast-1 --workspace w-1234abcd --json
      emr-usage load --region cn-hangzhou --destination postgres --wait 600

    Load every job run that is new or has changed, up to a minute ago. Safe to repeat and to interrupt: the next load
    goes on where the last committed package ended. Exits with 4 while another process uses the database.
    """
    _load(None, **options)


@click.command(short_help="Load a range of submit times again.")
@source_options
@click.option("--from", "first", type=Moment(), required=True, help="First submit time.")
@click.option("--to", "after", type=Moment(), required=True, help="End of the range; not part of it.")
@click.option("--force", is_flag=True, help="Read again what this backfill has certified already.")
def backfill(first: datetime, after: datetime, *, force: bool, **options: Any) -> None:
    """\b
    Examples:
      emr-usage backfill --from 2026-01-01 --to 2026-02-01 --region cn-hangzhou
      emr-usage backfill --from 2026-01-01 --to 2026-02-01 --region cn-hangzhou --force

    Load the runs submitted in a range, oldest first. The nightly cursors stay where they are. An interrupted backfill
    goes on where it stopped when the same range is given again. Exits with 4 while another process uses the database.
    """
    if first >= after:
        raise click.UsageError("--to must be later than --from.")
    _load(Backfill(first.astimezone(UTC), after.astimezone(UTC), force), **options)


@click.command(short_help="How far each workspace is certified, and what is missing.")
@target_options
def status(*, destination: str, database: Path, as_json: bool, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage status
      emr-usage status --database /data/emr.duckdb --json

    Show, for each workspace, how far both axes are certified, how many runs are open, and what the last load could not complete.
    Exits with 3 where the last load is incomplete.
    """
    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose):
        found = read_status(open_pipeline(target))
    if as_json:
        click.echo(json.dumps(_status_facts(found), default=str))
    else:
        _print_status(found, target)
    sys.exit(INCOMPLETE if found.incomplete else 0)


def _load(
    backfill: Backfill | None, *, destination: str, database: Path, wait_seconds: int, as_json: bool, **options: Any
) -> NoReturn:
    """Load, tell how it went, and exit with its code."""
    target = Target(destination, database, wait_at_most(wait_seconds))
    done = load_job_runs(target, backfill, as_json=as_json, **options)
    facts = load_facts(done, target)
    if as_json:
        click.echo(json.dumps(facts))
    else:
        print_load(done, target)
    print_failure(done)
    sys.exit(facts["exit_code"])


def load_job_runs(
    target: Target,
    backfill: Backfill | None,
    *,
    regions: tuple[str, ...],
    workspaces: tuple[str, ...],
    endpoint: str | None,
    as_of: datetime | None,
    max_connections: int | None,
    initial_days: float | None = None,
    as_json: bool,
    verbose: bool,
) -> Load:
    """Load with the options of the command, showing how far it is, and return the finished load."""
    given: dict[str, Any] = {
        "region_ids": regions,
        "workspace_ids": workspaces,
        "endpoint": endpoint,
        "max_connections": max_connections,
        "initial_days": initial_days,
    }
    overrides = {name: value for name, value in given.items() if value}
    log_to(ERRORS)
    with explained(target, as_json=as_json, verbose=verbose), live_display(ERRORS, "loading") as display:
        target.database.parent.mkdir(parents=True, exist_ok=True)
        return run_load(open_pipeline(target), Request(now, as_of, backfill, overrides, target.wait), display)


def load_facts(done: Load, target: Target) -> dict[str, Any]:
    """Return a finished load's summary for machines, with the exit code it calls for."""
    report = done.report
    exit_code = FAILED if failure_of_all(done) else INCOMPLETE if report.incomplete else 0
    seconds = (now() - done.terms.started_at).total_seconds()
    return {
        "status": {0: "complete", FAILED: "failed", INCOMPLETE: "incomplete"}[exit_code],
        "exit_code": exit_code,
        "mode": done.terms.mode,
        "load": done.terms.name,
        "horizon": datetime.fromtimestamp(done.terms.horizon_ms / 1000, UTC).isoformat(),
        "target": str(target),
        "workspaces": report.workspaces,
        "rows": report.rows,
        "packages": report.packages,
        "windows": dict(report.windows),
        "throttled": done.client.flow.throttlings if done.client else 0,
        "unknown_fields": dict(report.unknown_fields),
        "seconds": round(seconds, 3),
        "rows_per_second": round(report.rows / seconds) if seconds else 0,
        "incomplete": [
            {
                "workspace_id": outcome.task.window.workspace_id,
                "axis": outcome.task.window.axis,
                "asked": outcome.task.window.asked,
                "status": outcome.status,
                "total_count": outcome.total_count,
                "rows_distinct": outcome.rows_distinct,
                "error": str(outcome.error) if outcome.error else None,
            }
            for outcome in report.incomplete
        ],
    }


def print_load(done: Load, target: Target) -> None:
    """Tell how a load went, and what is missing."""
    report = done.report
    tell(f"{summary(done, now() - done.terms.started_at)}, into {target}.")
    if not report.workspaces and not report.incomplete:
        tell("No workspace is visible there: check --region, and the key's RAM rights.")
    if done.terms.backfill and report.workspaces and not report.windows:
        tell("This backfill is certified already; --force reads it again.")
    if report.unknown_fields:
        named = ", ".join(f"{name} ({times:,})" for name, times in report.unknown_fields.most_common(MAX_NAMED))
        tell(f"Fields without a column, kept in job_runs.extra: {named}.")
    for outcome in report.incomplete[:MAX_NAMED]:
        counts = f"{outcome.rows_distinct:,} of {outcome.total_count:,} runs" if outcome.total_count is not None else ""
        reason = str(outcome.error) if outcome.error else counts
        tell(f"Incomplete: {outcome.task.window}: {outcome.status}: {reason}")
    if len(report.incomplete) > MAX_NAMED:
        OUTPUT.print(f"and {len(report.incomplete) - MAX_NAMED} more: emr-usage status", highlight=False)


def print_failure(done: Load) -> None:
    """Say why nothing could be loaded, if so."""
    if error := failure_of_all(done):
        ERRORS.print(f"Error: {error}", highlight=False, soft_wrap=True)


def _status_facts(found: Status) -> dict[str, Any]:
    return {
        "last_load": found.last_load,
        "workspaces": [vars(workspace) for workspace in found.workspaces],
        "incomplete": found.incomplete,
    }


def _print_status(found: Status, target: Target) -> None:
    tell(f"{target}: last load {found.last_load or 'never'}; times are UTC")
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("workspace", "submitted until", "ended until", "runs open", "runs"):
        table.add_column(title, no_wrap=True)
    for workspace in found.workspaces:
        moments = (workspace.started_through, workspace.ended_through)
        certified = (f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in moments)
        table.add_row(workspace.workspace_id, *certified, f"{workspace.open_runs:,}", f"{workspace.job_runs:,}")
    if found.workspaces:
        OUTPUT.print(table)
    if found.incomplete:
        missing = Table(
            "workspace", "axis", "from", "to", "status", "error", "API counts", "received", title="Incomplete windows"
        )
        for row in found.incomplete:
            missing.add_row(*("-" if value is None else str(value) for value in row.values()))
        OUTPUT.print(missing)

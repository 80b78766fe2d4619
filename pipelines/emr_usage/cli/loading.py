"""Commands that ask the API, and what they loaded."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from emr_usage.exit_codes import FAILED, INCOMPLETE

from .options import Moment, forget_workspace_option, initial_days_option, source_options, target_options
from .terminal import demand_database, errors, explained, log_to, now, output, print_json, tell, wait_at_most

if TYPE_CHECKING:
    from emr_serverless import Backfill, Load
    from emr_usage.load import Target
    from emr_usage.missing_figures import MissingFigures
    from emr_usage.status import Status

MAX_NAMED = 10
RUNS_OF_AXIS = {
    "start": "submitted",
    "start_filtered": "submitted",
    "end": "ended",
    "end_filtered": "ended",
    "count": "submitted",
    "count_ends": "ended",
    "open": "open",
    "run": "one run",
}


@click.command(short_help="Load what is new since the last load.")
@source_options
@initial_days_option
@forget_workspace_option
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
    from emr_serverless import Backfill

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
    from emr_usage.load import Target
    from emr_usage.reader import open_reader
    from emr_usage.status import read_status

    target = Target(destination, database)
    demand_database(target, as_json=as_json)
    with explained(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
        found = read_status(pipeline, now())
    if as_json:
        print_json(_status_facts(found))
    else:
        _print_status(found, target)
    sys.exit(INCOMPLETE if found.incomplete else 0)


def _load(
    backfill: Backfill | None, *, destination: str, database: Path, wait_seconds: int, as_json: bool, **options: Any
) -> NoReturn:
    """Load, tell how it went, and exit with its code."""
    from emr_usage.load import Target

    target = Target(destination, database, wait_at_most(wait_seconds))
    done, missing = load_job_runs(target, backfill, as_json=as_json, **options)
    facts = load_facts(done, target, missing)
    if as_json:
        print_json(facts)
    else:
        print_load(done, target, missing)
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
    max_connections: str | None,
    initial_days: str | None = None,
    forget_workspaces: tuple[str, ...] = (),
    as_json: bool,
    verbose: bool,
) -> tuple[Load, MissingFigures]:
    """Load with the options of the command, showing how far it is; return the finished load, and what has no figures."""
    from emr_usage.load import Request, open_pipeline, run_load
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
    with explained(target, as_json=as_json, verbose=verbose), live_display(errors(), "loading") as display:
        target.database.parent.mkdir(parents=True, exist_ok=True)
        request = Request(now, as_of, backfill, forget_workspaces, overrides, target.wait)
        done = run_load(open_pipeline(target), request, display)
        return done, _missing_figures(done, target)


def load_facts(done: Load, target: Target, missing: MissingFigures) -> dict[str, Any]:
    """Return a finished load's summary for machines, with the exit code it calls for."""
    from emr_usage.load import failure_of_all

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
        "requests": report.requests,
        "packages": report.packages,
        "windows": dict(report.windows),
        "throttled": done.client.flow.throttlings if done.client else 0,
        "unknown_fields": dict(report.unknown_fields),
        "new_fields": report.new_fields,
        "hidden_defaults": report.hidden_defaults,
        "missing_figures": vars(missing),
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


def _hidden(workspace_id: str, parameters: list[str]) -> str:
    return f"The API leaves out runs of {workspace_id} where {', '.join(parameters)} is not given; it is asked with and without."


def _missing_figures(done: Load, target: Target) -> MissingFigures:
    """Count the final runs whose figures have not come, after a load."""
    from emr_usage.missing_figures import MissingFigures, count_missing_figures
    from emr_usage.reader import open_reader

    if not done.report.windows:
        return MissingFigures(0, 0, done.report.settle_days)
    with open_reader(target) as pipeline, pipeline.sql_client() as client:
        return count_missing_figures(client, now(), done.report.settle_days)


def print_load(done: Load, target: Target, missing: MissingFigures) -> None:
    """Print how a load went, and what is missing."""
    from emr_usage.demo import summary

    report = done.report
    tell(f"{summary(done, now() - done.terms.started_at)}, into {target}.")
    if report.certified_before:
        before = sorted(report.certified_before)
        of_some = "" if before == report.workspaces else f" for {', '.join(before)}"
        tell(f"An earlier run of this backfill has certified it already{of_some}; --force reads it again.")
    if report.redact == "off":
        tell('Nothing was masked: redact = "off". Secrets in configurations, arguments and messages are in the tables.')
    if report.new_fields:
        named = ", ".join(report.new_fields[:MAX_NAMED])
        more = f" and {len(report.new_fields) - MAX_NAMED:,} more" if len(report.new_fields) > MAX_NAMED else ""
        tell(f"New fields without a column, kept in the column extra and listed in emr_raw.unknown_fields: {named}{more}.")
    if missing.runs:
        tell(f"Without figures: {missing}")
    for workspace_id, parameters in report.hidden_defaults.items():
        tell(_hidden(workspace_id, parameters))
    for outcome in report.incomplete[:MAX_NAMED]:
        tell(f"Incomplete: {outcome}")
    if len(report.incomplete) > MAX_NAMED:
        output().print(f"and {len(report.incomplete) - MAX_NAMED} more: emr-usage status", highlight=False)


def print_failure(done: Load) -> None:
    """Say why nothing could be loaded, if so."""
    from emr_usage.load import failure_of_all

    if error := failure_of_all(done):
        errors().print(f"Error: {error}", highlight=False, soft_wrap=True)


def _status_facts(found: Status) -> dict[str, Any]:
    return {
        "last_load": found.last_load,
        "workspaces": [vars(workspace) for workspace in found.workspaces],
        "incomplete": found.incomplete,
        "missing_figures": vars(found.missing_figures),
    }


def _print_status(found: Status, target: Target) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    tell(f"{target}: last load {found.last_load}; times are UTC")
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("workspace", "submitted until", "ended until", "runs open", "runs"):
        table.add_column(title, no_wrap=True)
    for workspace in found.workspaces:
        moments = (workspace.started_through, workspace.ended_through)
        certified = (f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in moments)
        table.add_row(workspace.workspace_id, *certified, f"{workspace.open_runs:,}", f"{workspace.job_runs:,}")
    if found.workspaces:
        output().print(table)
    if found.missing_figures.runs:
        tell(f"Without figures: {found.missing_figures}")
    for workspace in found.workspaces:
        if workspace.hidden_defaults:
            tell(_hidden(workspace.workspace_id, workspace.hidden_defaults))
    if found.incomplete:
        missing = Table(title="Incomplete windows", box=SIMPLE, pad_edge=False)
        for title in ("workspace", "runs", "from", "to", "status", "error", "API counts", "received"):
            missing.add_column(title, overflow="fold")
        for row in found.incomplete:
            told = row | {"axis": RUNS_OF_AXIS.get(row["axis"], "-")}
            missing.add_row(*(_cell(value) for value in told.values()))
        output().print(missing)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "-" if value is None else str(value)

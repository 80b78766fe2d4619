"""`emr-usage status`: how far each workspace is certified, and what is missing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from emr_usage.exit_codes import INCOMPLETE

from .monitoring import MonitoringOptions, metrics_option, monitored
from .options import target_options
from .report_errors import report_errors
from .require import require_database
from .terminal import echo, now, output, print_json

if TYPE_CHECKING:
    from emr_usage.status import Status
    from emr_usage.target import Target

RUNS_OF_AXIS: Final = {
    "start": "submitted",
    "start_filtered": "submitted",
    "end": "ended",
    "end_filtered": "ended",
    "count": "submitted",
    "count_ends": "ended",
    "open": "open",
    "run": "one run",
}


@click.command("status", short_help="Show how far each workspace is certified, and what is missing.")
@target_options
@metrics_option
def command(*, metrics: Path | None, destination: str, database: Path, as_json: bool, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage status
      emr-usage status --database /data/emr.duckdb --json

    Show how far each workspace is certified by start and by end time, how many of its runs are open, and what is incomplete.
    Exits with 3 if the last load is incomplete.
    """
    from emr_usage.pipeline import open_reader
    from emr_usage.status import read_status
    from emr_usage.target import Target

    target = Target(destination, database)
    with monitored("status", target, MonitoringOptions(metrics), as_json=as_json, verbose=verbose) as monitor:
        require_database(target, as_json=as_json)
        with report_errors(target, as_json=as_json, verbose=verbose), open_reader(target) as pipeline:
            found = monitor.status = read_status(pipeline, now())
        if as_json:
            print_json(_status_facts(found))
        else:
            _print_status(found, target)
        sys.exit(INCOMPLETE if found.incomplete else 0)


def _status_facts(found: Status) -> dict[str, Any]:
    return {
        "last_load": found.last_load,
        "workspaces": [vars(workspace) for workspace in found.workspaces],
        "incomplete": found.incomplete,
        "missing_figures": vars(found.missing_figures),
        "windows": found.windows,
        "table_rows": found.table_rows,
        "requests": found.requests,
        "throttled": found.throttled,
    }


def _print_status(found: Status, target: Target) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from emr_usage.load_summary import hidden_default_sentence

    echo(f"{target}: last load {found.last_load}; times are UTC")
    table = Table(box=SIMPLE, pad_edge=False)
    for title in ("workspace", "submitted until", "ended until", "runs open", "runs"):
        table.add_column(title, no_wrap=True)
    for workspace in found.workspaces:
        moments = (workspace.started_through, workspace.ended_through)
        certified = (f"{moment:%Y-%m-%d %H:%M}" if moment else "-" for moment in moments)
        table.add_row(workspace.workspace_id, *certified, f"{workspace.open_runs:,}", f"{workspace.job_runs:,}")
    if found.workspaces:
        output().print(table)
    if found.lag_seconds is not None:
        echo(f"Lag: {found.lag_seconds / 3_600:,.1f} hours in the workspace that is furthest behind")
    echo(f"Rows: {', '.join(f'{name} {rows:,}' for name, rows in found.table_rows.items())}")
    windows = ", ".join(f"{count:,} {status}" for status, count in found.windows.items())
    echo(f"Windows of the last load, counts and lists included: {windows}")
    echo(f"Requests of all loads: {found.requests:,}, {found.throttled:,} of them throttled")
    if found.missing_figures.runs:
        echo(f"Missing figures: {found.missing_figures}")
    for workspace in found.workspaces:
        if workspace.hidden_defaults:
            echo(hidden_default_sentence(workspace.workspace_id, workspace.hidden_defaults))
    if found.incomplete:
        _print_incomplete(found)


def _print_incomplete(found: Status) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    missing = Table(title="Incomplete windows", box=SIMPLE, pad_edge=False)
    for title in ("workspace", "runs", "from", "to", "status", "error", "API counts", "received"):
        missing.add_column(title, overflow="fold")
    for row in found.incomplete:
        cells = row | {"axis": RUNS_OF_AXIS.get(row["axis"], "-")}
        missing.add_row(*(_cell(value) for value in cells.values()))
    output().print(missing)


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    return "-" if value is None else str(value)

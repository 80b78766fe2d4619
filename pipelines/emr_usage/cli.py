"""The command `emr-usage`. Only here is the clock read and anything printed."""

from __future__ import annotations

import json
import logging
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from emr_serverless import Backfill, Load

from . import demo as demo_story
from .build import DEFAULT_TIME_ZONE, Built
from .build import build as build_marts
from .emulator import DEFAULT_KEY, Emulator, serve_forever
from .explanation import Explanation, explain_run, explanation_lines
from .failures import FAILED, INCOMPLETE, STOPPED, explain
from .inputs import default_folder, load_inputs, write_examples
from .load import Request, Target, failure_of_all, open_pipeline, run_load, set_dlt_defaults
from .progress import live_display
from .status import Status, read_status

# Without markup: brackets in a path or in what the API said are just that.
ERRORS = Console(stderr=True, markup=False)
OUTPUT = Console(markup=False)
MAX_NAMED = 10
NO_INPUTS = "There is no folder {folder}: rates and owners stay as they are. emr-usage init-inputs makes it."
Command = Callable[..., None]


def now() -> datetime:
    """Return the real time, UTC."""
    return datetime.now(UTC)


class Moment(click.ParamType[datetime]):
    """A time as RFC 3339, or a date, which is its midnight; without a zone it is UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time, with a zone."""
        try:
            when = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time; write it as 2026-01-31 or 2026-01-31T08:00:00Z", param, ctx)
        return when if when.tzinfo else when.replace(tzinfo=UTC)


database_option = click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("emr.duckdb"),
    show_default=True,
    help="DuckDB file.",
)
inputs_option = click.option(
    "--inputs",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of rates.csv, owners.csv and list_prices.csv.  [default: inputs, beside the database]",
)


def target_options(command: Command) -> Command:
    """Add the options that say where the tables are."""
    for option in (
        click.option("--verbose", is_flag=True, help="Print tracebacks and requests' details on errors."),
        click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead of text."),
        database_option,
        click.option("--destination", default="duckdb", show_default=True, help="A dlt destination, such as postgres."),
    ):
        command = option(command)
    return command


def source_options(command: Command) -> Command:
    """Add the options that override the source's settings."""
    for option in (
        click.option("--max-connections", type=click.IntRange(1, 256), help="Requests in flight at most.  [default: 8]"),
        click.option("--as-of", type=Moment(), help="Horizon: load what was submitted until then.  [default: a minute ago]"),
        click.option("--endpoint", help="Host or URL; {region_id} is filled in.  [default: the public endpoint]"),
        click.option("--workspace", "workspaces", multiple=True, help="Workspace id; repeatable.  [default: all visible]"),
        click.option("--region", "regions", multiple=True, help="Region id, such as cn-hangzhou; repeatable."),
    ):
        command = option(command)
    return target_options(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="emr-usage")
def main() -> None:
    """\b
    Examples:
      emr-usage demo                          a month of an emulated company, loaded in seconds
      emr-usage load --region cn-hangzhou     load what is new into emr.duckdb
      emr-usage status                        how far each workspace is certified
      emr-usage build                         the marts: costs, owners, reliability

    Loads the job-run history of Alibaba Cloud EMR Serverless Spark into DuckDB or a warehouse, completely and provably.

    \b
    Exit codes: 0 complete; 1 failed; 2 wrong use or settings; 3 loaded, but a window or workspace named is incomplete.
    """
    set_dlt_defaults()


@main.command(short_help="Load what is new since the last load.")
@source_options
@click.option("--initial-days", type=click.FloatRange(min=0, min_open=True), help="Reach of the first load.  [default: 30]")
def load(initial_days: float | None, **options: Any) -> None:
    """\b
    Examples:
      emr-usage load --region cn-hangzhou
      emr-usage load --region cn-hangzhou --region ap-southeast-1 --workspace w-1234abcd --json
      emr-usage load --region cn-hangzhou --destination postgres

    Load every job run that is new or has changed, up to a minute ago. Safe to repeat and to interrupt: the next load
    goes on where the last committed package ended.
    """
    overrides = {"initial_days": initial_days} if initial_days else {}
    _load(None, overrides, **options)


@main.command(short_help="Load a range of submit times again.")
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
    goes on where it stopped when the same range is given again.
    """
    if first >= after:
        raise click.UsageError("--to must be later than --from.")
    _load(Backfill(first.astimezone(UTC), after.astimezone(UTC), force), {}, **options)


@main.command(short_help="How far each workspace is certified, and what is missing.")
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
    _demand_database(target, as_json=as_json)
    with _explained(target, as_json=as_json, verbose=verbose):
        found = read_status(open_pipeline(target))
    if as_json:
        click.echo(json.dumps(_status_facts(found), default=str))
    else:
        _print_status(found, target)
    sys.exit(INCOMPLETE if found.incomplete else 0)


@main.command("init-inputs", short_help="Make the files for prices and owners, with examples.")
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
        _fail(f"{folder} cannot be written ({error.strerror}). Give another folder with --inputs.", "NoFolder", as_json=False)
    for name, is_new in made.items():
        _tell(f"{folder / name}: {'made' if is_new else 'is there already'}")


@main.command(short_help="Make the marts from what is loaded: costs, owners, reliability.")
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
    _demand_database(target, as_json=as_json)
    folder = inputs or default_folder(database)
    if inputs and not inputs.is_dir():
        raise click.UsageError(f"There is no folder {inputs}. Make it with: emr-usage init-inputs --inputs {inputs}")
    began = now()
    with _explained(target, as_json=as_json, verbose=verbose):
        # Without a folder nothing is taken in, and nothing taken away.
        taken = load_inputs(target, folder).sentence if folder.is_dir() else NO_INPUTS.format(folder=folder)
        built = build_marts(target, full_refresh=full_refresh, billing_time_zone=billing_time_zone)
    seconds = (now() - began).total_seconds()
    if as_json:
        click.echo(json.dumps(_build_facts(built, target, seconds)))
    else:
        _tell(taken)
        told = f"{built.models} models made and {built.checks} checks kept in {seconds:.1f} s, in {target}."
        _tell(told)


def _build_facts(built: Built, target: Target, seconds: float) -> dict[str, Any]:
    return {
        "status": "complete",
        "exit_code": 0,
        "target": str(target),
        "models": built.models,
        "checks": built.checks,
        "seconds": round(seconds, 3),
    }


@main.command("explain", short_help="Where a run's cost and owner come from.")
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
    _demand_database(target, as_json=as_json)
    with _explained(target, as_json=as_json, verbose=verbose):
        explanations = explain_run(open_pipeline(target), job_run_id)
    if not explanations:
        _fail(f"There is no job run {job_run_id} in the marts of {target}.", "NoSuchRun", as_json=as_json)
    if as_json:
        click.echo(json.dumps([vars(explanation) for explanation in explanations], default=str))
    else:
        for explanation in explanations:
            _print_explanation(explanation)


def _print_explanation(explanation: Explanation) -> None:
    run = explanation.run
    for line in explanation_lines(explanation):
        _tell(line)
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
        _tell(told)


@main.command(short_help="Answer as the API would, for trials and tests.")
@click.option("--port", type=click.IntRange(0, 65535), default=8600, show_default=True, help="Port; 0 takes a free one.")
@click.option("--seed", default=2026, show_default=True, help="Which made-up company.")
@click.option("--days", default=30, show_default=True, help="Days of its history.")
@click.option("--runs-per-day", default=400, show_default=True, help="Its job runs a day.")
def emulator(port: int, seed: int, days: int, runs_per_day: int) -> None:
    """\b
    Examples:
      emr-usage emulator --port 8600
      emr-usage load --region cn-hangzhou --endpoint http://127.0.0.1:8600

    Serve the history of a made-up company as the API would, over HTTP on this machine, until Ctrl-C.
    """
    try:
        serve_forever(now(), port=port, seed=seed, days=days, runs_per_day=runs_per_day, announce=_announce)
    except OSError as error:
        _fail(f"Port {port} cannot be used ({error.strerror}). Give another one with --port.", "PortTaken", as_json=False)
    OUTPUT.print("Stopped.")


def _announce(served: Emulator) -> None:
    lines = (
        f"The emulator answers at {served.url} until Ctrl-C. In another terminal:",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_ID={DEFAULT_KEY.id}",
        f"  export ALIBABA_CLOUD_ACCESS_KEY_SECRET={DEFAULT_KEY.secret}",
        f"  emr-usage load --region cn-hangzhou --endpoint {served.url}",
    )
    for line in lines:
        _tell(line)


@main.command(short_help="A month of an emulated company, three nights and a backfill, in seconds.")
@click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=Path("demo"), show_default=True, help="Its files."
)
@click.option("--verbose", is_flag=True, help="Print tracebacks.")
def demo(*, folder: Path, verbose: bool) -> None:
    """\b
    Examples:
      emr-usage demo
      emr-usage demo --folder /tmp/emr-demo

    Start the emulator, load a first month, move its clock and load three nights, backfill an older week, and answer three
    questions in SQL.
    """
    target = Target(database=folder / "emr.duckdb")
    with _explained(target, as_json=False, verbose=verbose), live_display(ERRORS, "demo") as display:
        for step in demo_story.run_demo(folder, now, display):
            OUTPUT.print(step, highlight=False)
    _tell(f"Ask more:  duckdb {target.database}")
    python = f"""python -c "import duckdb; duckdb.connect('{target.database}').sql('FROM emr_raw.job_runs').show()\""""
    _tell(f"      or:  {python}")


def _load(
    backfill: Backfill | None,
    overrides: dict[str, Any],
    *,
    regions: tuple[str, ...],
    workspaces: tuple[str, ...],
    endpoint: str | None,
    as_of: datetime | None,
    max_connections: int | None,
    destination: str,
    database: Path,
    as_json: bool,
    verbose: bool,
) -> NoReturn:
    """Load, tell how it went, and exit with its code."""
    given = {"region_ids": regions, "workspace_ids": workspaces, "endpoint": endpoint, "max_connections": max_connections}
    overrides |= {name: value for name, value in given.items() if value}
    target = Target(destination, database)
    _log_to(ERRORS)
    with _explained(target, as_json=as_json, verbose=verbose), live_display(ERRORS, "loading") as display:
        database.parent.mkdir(parents=True, exist_ok=True)
        done = run_load(open_pipeline(target), Request(now, as_of, backfill, overrides), display)
    error = failure_of_all(done)
    code = FAILED if error else INCOMPLETE if done.report.incomplete else 0
    if as_json:
        click.echo(json.dumps(load_facts(done, target, code)))
    else:
        _print_summary(done, target)
    if error:
        ERRORS.print(f"Error: {error}", highlight=False, soft_wrap=True)
    sys.exit(code)


def load_facts(done: Load, target: Target, exit_code: int) -> dict[str, Any]:
    """Return a finished load's summary for machines."""
    report = done.report
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


def _print_summary(done: Load, target: Target) -> None:
    report = done.report
    _tell(f"{demo_story.summary(done, now())}, into {target}.")
    if not report.workspaces and not report.incomplete:
        _tell("No workspace is visible there: check --region, and the key's RAM rights.")
    if done.terms.backfill and report.workspaces and not report.windows:
        _tell("This backfill is certified already; --force reads it again.")
    if report.unknown_fields:
        named = ", ".join(f"{name} ({times:,})" for name, times in report.unknown_fields.most_common(MAX_NAMED))
        _tell(f"Fields without a column, kept in job_runs.extra: {named}.")
    for outcome in report.incomplete[:MAX_NAMED]:
        counts = f"{outcome.rows_distinct:,} of {outcome.total_count:,} runs" if outcome.total_count is not None else ""
        reason = str(outcome.error) if outcome.error else counts
        _tell(f"Incomplete: {outcome.task.window}: {outcome.status}: {reason}")
    if len(report.incomplete) > MAX_NAMED:
        OUTPUT.print(f"and {len(report.incomplete) - MAX_NAMED} more: emr-usage status", highlight=False)


def _status_facts(found: Status) -> dict[str, Any]:
    return {
        "last_load": found.last_load,
        "workspaces": [vars(workspace) for workspace in found.workspaces],
        "incomplete": found.incomplete,
    }


def _print_status(found: Status, target: Target) -> None:
    _tell(f"{target}: last load {found.last_load or 'never'}; times are UTC")
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


def _demand_database(target: Target, *, as_json: bool) -> None:
    if target.is_duckdb and not target.database.exists():
        sentence = f"There is no database {target.database}. Load it first: emr-usage load --region REGION"
        _fail(sentence, "NoDatabase", as_json=as_json)


@contextmanager
def _explained(target: Target, *, as_json: bool, verbose: bool) -> Iterator[None]:
    # Schedulers and containers end a command by SIGTERM: it is told and ends like Ctrl-C.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the one place where every failure ends
        if verbose:
            traceback.print_exc()
        failure = explain(error, str(target))
        if failure.code == STOPPED:
            # The process waits for a merge that is under way; a second Ctrl-C does not.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        _fail(failure.sentence, failure.code, as_json=as_json, exit_code=failure.exit_code)
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(line: str) -> None:
    """Print a line as it is: no part of it is coloured, and the terminal wraps it."""
    OUTPUT.print(line, highlight=False, soft_wrap=True)


def _fail(sentence: str, code: str, *, as_json: bool, exit_code: int = FAILED) -> NoReturn:
    ERRORS.print(f"Error: {sentence}", highlight=False, soft_wrap=True)
    if as_json:
        click.echo(json.dumps({"status": "failed", "exit_code": exit_code, "error": {"code": code, "sentence": sentence}}))
    sys.exit(exit_code)


def _log_to(console: Console) -> None:
    """Send the source's warnings to the console that also draws the progress, so that neither garbles the other."""
    logger = logging.getLogger("emr_serverless")
    logger.handlers = [_ConsoleHandler(console)]
    logger.propagate = False


class _ConsoleHandler(logging.Handler):
    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"{record.levelname.lower()}: {record.getMessage()}", highlight=False, soft_wrap=True)

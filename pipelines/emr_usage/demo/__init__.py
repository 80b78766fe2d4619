"""The demo with an emulated company: first month, nights, backfills, marts, report, and three questions in SQL."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, Final

import duckdb
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table

from emr_serverless import Backfill
from emr_usage.build import build
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, Variants, company
from emr_usage.inputs import default_folder, load_inputs
from emr_usage.load import Request, run_load
from emr_usage.load_summary import summary
from emr_usage.pipeline import open_pipeline
from emr_usage.progress import Display
from emr_usage.report import Month, headline, write_page
from emr_usage.report import default_folder as default_reports
from emr_usage.target import Target

# Fixed, so that documents can quote the output: the same seed and day give the same company.
SEED: Final = 2026
TODAY: Final = datetime(2026, 11, 1, 2, tzinfo=UTC)
DAYS_OF_HISTORY: Final = 62
# Reaches back to the first day of October in the billing time zone.
FIRST_DAYS: Final = 32
MONTH: Final = Month(date(2026, 10, 1))
# The report compares with September, whose runs may have been submitted weeks before.
OLDEST: Final = datetime(2026, 8, 1, tzinfo=UTC)
# A day before the company's first run, which remains incomplete.
REFUSED_DAY: Final = Backfill(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC))
RUNS_PER_DAY: Final = 300
REGION: Final = "cn-hangzhou"
BAR: Final = 16

# The width of tables and of the SQL: terminals have at least 80 columns.
QUESTIONS: Final = {
    "Who spent how much in October?": """
SELECT owner, round(sum(cu_hours)) AS cu_hours,
  round(sum(estimated_cost), 2) AS usd
FROM emr_marts.chargeback_monthly WHERE billing_month = DATE '2026-10-01'
GROUP BY owner ORDER BY usd DESC NULLS LAST""",
    "On which days did runs fail, and what did that cost?": """
SELECT billing_date, sum(job_runs) AS runs, sum(failed) AS failed,
  round(sum(estimated_cost_wasted), 2) AS usd_wasted
FROM emr_marts.job_reliability_daily
GROUP BY billing_date ORDER BY usd_wasted DESC NULLS LAST LIMIT 6""",
    "Is anything missing?": """
SELECT mode, axis, status, count(*) AS windows,
  sum(total_count)::BIGINT AS counted, sum(rows_distinct)::BIGINT AS received
FROM emr_raw.extraction_windows GROUP BY ALL ORDER BY ALL""",
}


def run_demo(
    folder: Path, clock: Callable[[], datetime], display: Callable[[str], AbstractContextManager[Display]]
) -> Iterator[RenderableType]:
    """Create the demo's database in a folder, and yield the output, step by step.

    Args:
        folder: for `emr.duckdb`, `inputs` and `reports`; those of an earlier demo are removed.
        clock: the real time, UTC.
        display: shows the progress of a load while it runs.
    """
    target = Target(database=folder / "emr.duckdb")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("emr.duckdb*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    today = Clock(int(TODAY.timestamp() * 1000))
    history = company(SEED, TODAY, days=DAYS_OF_HISTORY, runs_per_day=RUNS_PER_DAY, region_ids=(REGION,))
    with Emulator(history, today, variants=Variants(list_details=True)) as emulator:
        yield f"The emulator is running at {emulator.url}; its clock is set to {TODAY:%Y-%m-%d %H:%M} UTC."
        overrides: dict[str, Any] = {
            "region_ids": [REGION],
            "initial_days": FIRST_DAYS,
            "endpoint": emulator.url,
            "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
        }
        pipeline = open_pipeline(target)

        def load(backfill: Backfill | None = None) -> str:
            began = clock()
            # Both sides use the demo's time, so that the figures of open runs are always the same. No
            # two loads begin in the same minute.
            today.advance(minutes=1)
            emulator.faults.clock_skew_seconds = (today.now() - began).total_seconds()
            with display("loading") as on_progress:
                request = Request(today.now, backfill=backfill, overrides=overrides)
                done = run_load(target, request, on_progress)
            return summary(done, clock() - began)

        yield f"First load of {FIRST_DAYS} days: {load()}"
        emulator.faults.denied = {history.workspaces()[-1]["workspaceId"]: (403, "NoPermission")}
        yield f"Backfill of a day in July, denied by one workspace: {load(REFUSED_DAY)}"
        emulator.faults.denied = {}
        for _ in range(3):
            today.advance(days=1)
            yield f"Night of {today.now():%b %d}: {load()}"
        # Overlaps by an hour, because the first load begins after the first millisecond of its range.
        after = TODAY - timedelta(days=FIRST_DAYS) + timedelta(hours=1)
        week = Backfill(after - timedelta(days=7), after)
        yield f"Backfill of an older week: {load(week)}"
        yield f"Backfill of the weeks before it: {load(Backfill(OLDEST, week.first))}"
    began = clock()
    inputs = write_inputs(target.database)
    load_inputs(target, inputs)
    built = build(target)
    seconds = (clock() - began).total_seconds()
    yield f"Build with {inputs}: {built.models} models built, {built.checks} data tests passed in {seconds:.1f} s"
    page, figures = write_page(pipeline, MONTH, default_reports(target.database), today.now())
    for question, sql in QUESTIONS.items():
        yield answer(target.database, question, sql)
    yield from hints(target.database)
    yield f"{headline(figures)}."
    yield f"Report: {page}"


def write_inputs(database: Path) -> Path:
    """Write the prices and owners of the generated company into the inputs folder of a database, and return that folder."""
    inputs = default_folder(database)
    inputs.mkdir(exist_ok=True)
    for file in resources.files(__package__).joinpath("inputs").iterdir():
        (inputs / file.name).write_bytes(file.read_bytes())
    return inputs


@dataclass(frozen=True)
class Bar:
    """A bar in a table, in characters that the terminal supports.

    Attributes:
        share: of the longest bar.
    """

    share: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[str]:
        yield ("#" if options.ascii_only else "█") * round(BAR * self.share)


def answer(database: Path, question: str, sql: str) -> RenderableType:
    """Return the result of a question as a table above its SQL; if the last column is an amount, with bars."""
    with duckdb.connect(str(database), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        rows = result.fetchall()
    last = [row[-1] for row in rows]
    has_bars = any(isinstance(value, Decimal) for value in last)
    most = max((float(value or 0) for value in last), default=0) or 1
    table = Table(title=question, title_justify="left")
    for name, value in zip(names, rows[0] if rows else names, strict=True):
        table.add_column(name, justify="right" if isinstance(value, (int, float, Decimal)) else "left", overflow="fold")
    if has_bars:
        table.add_column("", width=BAR)
    for row in rows:
        bar = [Bar(float(row[-1] or 0) / most)] if has_bars else []
        table.add_row(*(_text(value) for value in row), *bar)
    return Group(table, f"{sql.strip()}\n")


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, (int, float, Decimal)) else str(value)


def hints(database: Path) -> Iterator[str]:
    """Yield commands to try next, which run as they are in the current folder."""
    sql = "SELECT job_run_id FROM emr_marts.job_run_costs WHERE estimated_cost > 0 ORDER BY estimated_cost DESC LIMIT 1"
    with duckdb.connect(str(database), read_only=True) as connection:
        dearest = connection.execute(sql).fetchone()
    emr_usage, name = _program("emr-usage"), shlex.quote(str(database))
    ask = f"""
import duckdb
emr = duckdb.connect({json.dumps(str(database), ensure_ascii=False)}, read_only=True)
emr.sql("FROM emr_marts.chargeback_monthly SELECT owner, currency, sum(estimated_cost) GROUP BY ALL ORDER BY ALL").show()"""
    yield "Next steps:"
    yield f"{emr_usage} status --database {name}"
    if dearest:
        yield f"{emr_usage} explain {dearest[0]} --database {name}"
    yield from f"{_program(Path(sys.executable).name)} -c {shlex.quote(ask)}".splitlines()
    yield ""


def _program(name: str) -> str:
    """Return how to run a program of this Python environment from the current folder."""
    path = Path(sys.executable).with_name(name)
    if (found := shutil.which(name)) and Path(found).absolute() == path:
        return name
    here = Path.cwd()
    return shlex.quote(f"./{path.relative_to(here)}" if path.is_relative_to(here) else str(path))

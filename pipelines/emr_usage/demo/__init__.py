"""The whole story against an emulated company: first month, nights, backfills, marts, three answers in SQL, and the report."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

import duckdb
from rich.console import RenderableType
from rich.table import Table

from emr_serverless import Backfill, Load
from emr_usage.build import build
from emr_usage.emulator import DEFAULT_KEY, Clock, Emulator, company
from emr_usage.inputs import default_folder, load_inputs
from emr_usage.load import Request, Target, open_pipeline, run_load
from emr_usage.report import Month, headline, write_page
from emr_usage.report import default_folder as default_reports

# A fixed story: the same seed and the same day give the same company, so that documents can quote it.
SEED: Final = 2026
TODAY: Final = datetime(2026, 11, 1, 2, tzinfo=UTC)
DAYS_OF_HISTORY: Final = 62
# Reaches from the first day of October by the bill's calendar.
FIRST_DAYS: Final = 32
MONTH: Final = Month(date(2026, 10, 1))
# September is compared with: what ran in it may have been submitted weeks before.
OLDEST: Final = datetime(2026, 8, 1, tzinfo=UTC)
RUNS_PER_DAY: Final = 300
REGION: Final = "cn-hangzhou"
BAR: Final = 20

QUESTIONS: Final = {
    "Who spent how much in October?": """
SELECT owner, sum(cu_hours) AS cu_hours, sum(cu_hours_unpriced) AS cu_hours_unpriced, sum(estimated_cost) AS estimated_usd
FROM emr_marts.chargeback_monthly WHERE billing_month = DATE '2026-10-01'
GROUP BY ALL ORDER BY estimated_usd DESC""",
    "On which days did runs fail, and what did that cost?": """
SELECT billing_date, sum(job_runs) AS runs, sum(failed) AS failed, sum(estimated_cost_wasted) AS estimated_usd_wasted
FROM emr_marts.job_reliability_daily GROUP BY ALL ORDER BY estimated_usd_wasted DESC LIMIT 6""",
    "Is anything missing?": """
SELECT mode, axis, status, count(*) AS windows, sum(total_count) AS api_counts, sum(rows_distinct) AS rows_seen
FROM emr_raw.extraction_windows GROUP BY ALL ORDER BY ALL""",
}


def run_demo(folder: Path, clock: Callable[[], datetime], on_progress: Callable[[Load], None]) -> Iterator[RenderableType]:
    """Make the demo's database anew in a folder, and yield what happened, step by step, to be printed.

    Args:
        folder: is emptied of an earlier demo and then holds `emr.duckdb`, `inputs` and `reports`.
        clock: the real time, UTC.
        on_progress: shows the loads while they run.
    """
    target = Target(database=folder / "emr.duckdb")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("emr.duckdb*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    today = Clock(int(TODAY.timestamp() * 1000))
    history = company(SEED, TODAY, days=DAYS_OF_HISTORY, runs_per_day=RUNS_PER_DAY, region_ids=(REGION,))
    with Emulator(history, today) as emulator:
        yield f"An emulator answers at {emulator.url}, as Alibaba Cloud would; its clock stands at {TODAY:%Y-%m-%d %H:%M} UTC."
        overrides: dict[str, Any] = {
            "region_ids": [REGION],
            "initial_days": FIRST_DAYS,
            "endpoint": emulator.url,
            "credentials": {"access_key_id": DEFAULT_KEY.id, "access_key_secret": DEFAULT_KEY.secret},
        }
        pipeline = open_pipeline(target)

        def load(backfill: Backfill | None = None) -> str:
            began = clock()
            # Both sides live in the story's time: what a run used until it was seen is the same whenever the story is told. No
            # two loads begin in the same minute.
            today.advance(minutes=1)
            emulator.faults.clock_skew_seconds = (today.now() - began).total_seconds()
            done = run_load(pipeline, Request(today.now, backfill=backfill, overrides=overrides), on_progress)
            return summary(done, clock() - began)

        yield f"First load, {FIRST_DAYS} days back: {load()}"
        for _ in range(3):
            today.advance(days=1)
            yield f"The night of {today.now():%b %d}: {load()}"
        # An hour of overlap: the first load begins after the first millisecond of its reach.
        after = TODAY - timedelta(days=FIRST_DAYS) + timedelta(hours=1)
        week = Backfill(after - timedelta(days=7), after)
        yield f"Backfill of an older week: {load(week)}"
        yield f"And of the weeks before it: {load(Backfill(OLDEST, week.first))}"
    began = clock()
    inputs = write_inputs(target.database)
    load_inputs(target, inputs)
    built = build(target)
    seconds = (clock() - began).total_seconds()
    yield f"Prices and owners of {inputs}: {built.models} models made and {built.checks} checks kept in {seconds:.1f} s"
    page, figures = write_page(pipeline, MONTH, default_reports(target.database), today.now())
    for question, sql in QUESTIONS.items():
        yield answer(target.database, question, sql)
    ask = f"import duckdb; duckdb.connect('{target.database}').sql('FROM emr_marts.chargeback_monthly').show()"
    yield f"Ask more:  duckdb {target.database}"
    yield f'      or:  python -c "{ask}"'
    yield f"{headline(figures)}."
    yield f"Report: {page}"


def write_inputs(database: Path) -> Path:
    """Write the made-up company's prices and owners into the folder of inputs beside a database, and return that."""
    inputs = default_folder(database)
    inputs.mkdir(exist_ok=True)
    for file in resources.files(__package__).joinpath("inputs").iterdir():
        (inputs / file.name).write_bytes(file.read_bytes())
    return inputs


def summary(load: Load, took: timedelta) -> str:
    """Return what a finished load did, as one line."""
    report = load.report
    complete, total = report.windows["complete"], sum(report.windows.values())
    return f"{report.rows:,} rows in {took.total_seconds():.1f} s, {complete} of {total} windows certified"


def answer(database: Path, question: str, sql: str) -> RenderableType:
    """Return the answer to one question as a table, with bars on its last column."""
    with duckdb.connect(str(database), read_only=True) as connection:
        result = connection.execute(sql)
        names = [column[0] for column in result.description or []]
        rows = result.fetchall()
    table = Table(title=question, title_justify="left", caption=sql.strip(), caption_justify="left")
    for name in names:
        table.add_column(name)
    table.add_column("")
    most = max((float(row[-1] or 0) for row in rows), default=0)
    for row in rows:
        bar = "█" * round(BAR * float(row[-1] or 0) / most) if most else ""
        table.add_row(*(f"{value:,}" if isinstance(value, (int, float)) else str(value) for value in row), bar)
    return table

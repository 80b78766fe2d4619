"""How long the marts take: a first build of a million runs, fifty of them streams of thirty days, and a night of 10,000 changes.

python benchmarks/marts.py                                    a million runs, about two minutes
python benchmarks/marts.py --write docs/benchmarks-marts.md   the page of the documents too
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from document import describe_machine
from emr_usage.build import BuildResult, build
from emr_usage.defaults import set_environment_defaults
from emr_usage.target import Target

RUNS = 1_000_000
CHANGED = 10_000
STREAMS = 50
HISTORY = """
CREATE SCHEMA emr_raw;
CREATE TABLE emr_raw.job_runs AS
SELECT 'w-' || i % 10 AS workspace_id, 'jr-' || i AS job_run_id, 'cn-hangzhou' AS region_id, 'ods_' || i % 2000 || '_df' AS name,
  CASE WHEN i % 20 = 0 THEN 'Failed' ELSE 'Success' END AS state, 'ERR-1' AS state_change_code,
  CASE WHEN i % 20 = 0 THEN 'No file oss://bucket/' || i || ' in ' || i % 7 || ' s' END AS state_change_message,
  TIMESTAMPTZ '2026-09-01 00:00Z' + INTERVAL (i * 5184000 // $runs) SECOND AS submit_time,
  submit_time + CASE WHEN i < $streams THEN INTERVAL 30 DAY ELSE INTERVAL (60 + hash(i) % 7000) SECOND END AS end_time,
  '1' || i % 50 AS creator, 'queue-' || i % 7 AS resource_queue_id, 3600 AS execution_timeout_seconds,
  'd' || i % 2000 AS arguments_digest,
  (1 + hash(i) % 9000000)::DECIMAL(18, 6) / 1000000 AS cu_hours, TIMESTAMPTZ '2026-11-01 02:00Z' AS observed_at
FROM range($runs) AS numbers(i);
CREATE TABLE emr_raw.job_run_tags AS
SELECT workspace_id, job_run_id, 0 AS tag_index, 'Team' AS tag_key, 'team ' || hash(job_run_id) % 12 AS tag_value, observed_at
FROM emr_raw.job_runs;
CREATE TABLE emr_raw.rates AS
SELECT row_number, 'cn-hangzhou' AS region_id, NULL::VARCHAR AS workspace_id, NULL::VARCHAR AS resource_queue_id,
  'USD' AS currency, 0.050302::DECIMAL(18, 6) AS price_per_cu_hour,
  'list' AS price_kind, DATE '2026-01-01' AS valid_from, NULL::DATE AS valid_to,
  '' AS source
FROM range(1, 2) AS numbers(row_number);
CREATE TABLE emr_raw.owners AS
SELECT rule_number, 'group/team-' || rule_number AS owner, 'team' AS tag_key, 'team ' || rule_number AS tag_value,
  NULL::VARCHAR AS creator, NULL::VARCHAR AS resource_queue_id, NULL::VARCHAR AS workspace_id,
  CASE WHEN rule_number > 8 THEN 'ods_1*' END AS job_name,
  NULL::DATE AS valid_from, NULL::DATE AS valid_to
FROM range(1, 21) AS numbers(rule_number);
"""
NIGHT = """
UPDATE emr_raw.job_runs SET cu_hours = cu_hours + 1, observed_at = TIMESTAMPTZ '2026-11-02 02:00Z'
WHERE hash(job_run_id) % ($runs // $changed) = 0;
UPDATE emr_raw.job_run_tags SET observed_at = TIMESTAMPTZ '2026-11-02 02:00Z' WHERE hash(job_run_id) % ($runs // $changed) = 0;
"""

STEPS = {
    "first build": (HISTORY, "whole build under 20 s and 2,000 MB"),
    "nothing changed": ("SELECT 1", ""),
    f"{CHANGED:,} runs changed": (NIGHT, "models under 5 s"),
}
PAGE = """# Benchmarks of the marts

<!-- Written by benchmarks/marts.py; change it, not this file. -->

    .venv/bin/python benchmarks/marts.py

A generated history in DuckDB: a million runs of two months, fifty of them streams of thirty days, a tag each, twenty owner rules.
Each build is a process of its own. "models" and "checks" are dbt's own account of them; the process is all of it, with the start
of Python and dbt, in which nothing is computed yet. The targets were set by the design beforehand, on a machine about 2.6 times
as fast (see [benchmarks.md](benchmarks.md)).

{machine}

{table}
"""


def write(database: Path, sql: str, runs: int) -> None:
    """Run statements that make or change the raw tables."""
    for name, value in {"$runs": runs, "$streams": STREAMS, "$changed": CHANGED}.items():
        sql = sql.replace(name, str(value))
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET enable_progress_bar = false")
        connection.execute(sql)


def measure(database: Path) -> tuple[BuildResult, float]:
    """Build the marts; returns what that took, and the peak memory in MB of the process, which is to do nothing else."""
    set_environment_defaults()
    return build(Target(database=database)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure each build in a process of its own; print a table, and write it into a document where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="?", type=int, default=RUNS)
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page of the documents too")
    given = parser.parse_args()
    load_average = os.getloadavg()[0]
    rows = []
    with TemporaryDirectory() as folder:
        database = Path(folder, "emr.duckdb")
        for name, (sql, target) in STEPS.items():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                process.submit(write, database, sql, given.runs).result()
            began = time.perf_counter()
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                built, peak = process.submit(measure, database).result()
            seconds = time.perf_counter() - began
            rows.append(
                f"| {name} | {built.model_seconds:.1f} | {built.check_seconds:.1f} | {seconds:.1f} | {peak:,.0f} | {target} |"
            )
    table = "\n".join(
        [f"| {given.runs:,} runs | models s | checks s | process s | peak MB | target |", "|---|--:|--:|--:|--:|---|", *rows]
    )
    print(table)
    if given.write:
        given.write.write_text(PAGE.format(machine=describe_machine(load_average), table=table), encoding="utf-8")


if __name__ == "__main__":
    main()

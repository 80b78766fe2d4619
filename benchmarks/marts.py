"""How long the marts take: a first build of a million runs, fifty of them streams of thirty days, and a night of 10,000 changes.

python benchmarks/marts.py [runs]

The process's time has Python's and dbt's start in it, and the closing of the database.
"""

from __future__ import annotations

import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from emr_usage.build import Built, build
from emr_usage.load import Target, set_dlt_defaults

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


def write(database: Path, sql: str, runs: int) -> None:
    """Run statements that make or change the raw tables."""
    for name, value in {"$runs": runs, "$streams": STREAMS, "$changed": CHANGED}.items():
        sql = sql.replace(name, str(value))
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET memory_limit = '1GB'; SET enable_progress_bar = false")
        connection.execute(sql)


def measure(database: Path) -> tuple[Built, float]:
    """Build the marts; returns what that took, and the peak memory in MB of the process, which is to do nothing else."""
    set_dlt_defaults()
    return build(Target(database=database)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print one line for each build."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    steps = {"first build": HISTORY, "nothing changed": "SELECT 1", f"{CHANGED:,} runs changed": NIGHT}
    print(f"{'':20}{'models s':>10}{'checks s':>10}{'process s':>11}{'peak MB':>9}")
    with TemporaryDirectory() as folder:
        database = Path(folder, "emr.duckdb")
        for name, sql in steps.items():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                process.submit(write, database, sql, runs).result()
            began = time.perf_counter()
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                built, peak = process.submit(measure, database).result()
            seconds = time.perf_counter() - began
            print(f"{name:20}{built.model_seconds:10.1f}{built.check_seconds:10.1f}{seconds:11.1f}{peak:9,.0f}")


if __name__ == "__main__":
    main()

"""Shared by the tests of killed and failed builds: two runs, a changed price, steps to be killed at, and sums."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from mart_fixtures import Row, job_run, number, utc
from process_pool import FaultInjection

RUN = job_run("run", utc("2026-11-18 06:00"), utc("2026-11-18 08:30"), 5)
CROSSING = job_run("crossing", utc("2026-11-18 15:00"), utc("2026-11-18 17:00"), 4)
RATE = {"region_id": "cn-hangzhou", "currency": "USD", "price_per_cu_hour": "0.05", "valid_from": date(2026, 1, 1)}
QUERY = "dbt.adapters.sql.connections:SQLConnectionManager.add_query"
# A build runs some 200 statements, the last of them checks.
MOMENTS = {
    "before its first statement": FaultInjection(QUERY),
    "with the staging views made": FaultInjection(QUERY, nth=100),
    "with some marts made": FaultInjection(QUERY, nth=150),
    "with all data tests passed": FaultInjection("emr_usage.build:record_build"),
    "with its row written": FaultInjection("emr_usage.build:record_build", "after"),
    "before the commit": FaultInjection("emr_usage.destinations.duckdb:_DuckDbBuild.commit"),
}
SUMS = """
SELECT (SELECT sum(cu_hours) FROM job_run_hours), (SELECT sum(cu_hours) FROM job_run_costs),
  (SELECT sum(cu_hours) FROM chargeback_daily), (SELECT sum(cu_hours) FROM chargeback_monthly),
  (SELECT sum(estimated_cost) FROM job_run_hours), (SELECT sum(estimated_cost) FROM job_run_costs),
  (SELECT sum(estimated_cost) FROM chargeback_daily), (SELECT sum(estimated_cost) FROM chargeback_monthly)
"""


def sums(cu_hours: object, cost: str) -> list[tuple[Decimal, ...]]:
    return [(Decimal(str(cu_hours)),) * 4 + (Decimal(cost),) * 4]


def rates(price: str = "0.05") -> list[Row]:
    return number([RATE | {"price_per_cu_hour": price}], "row_number")

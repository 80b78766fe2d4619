"""The table of builds: one row for each build whose data tests passed, written in the transaction that publishes its marts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

# Its columns, in the order of the attributes of `BuildRecord`.
_CREATE: Final = """
CREATE TABLE IF NOT EXISTS {marts}.builds (
  build_number BIGINT, built_at TIMESTAMPTZ, billing_time_zone VARCHAR, horizon TIMESTAMPTZ,
  rates BIGINT, owners BIGINT, list_prices BIGINT, inputs_version VARCHAR, job_runs BIGINT, checks BIGINT, version VARCHAR
)
"""
_CURRENT_BUILD: Final = """
SELECT build_number, built_at, billing_time_zone, horizon, rates, owners, list_prices, inputs_version, job_runs, checks, version
FROM {marts}.builds ORDER BY build_number DESC LIMIT 1
"""
_MADE_FROM: Final = """
SELECT CURRENT_TIMESTAMP, (SELECT max(certified_until) FROM {marts}.certified_ranges WHERE axis = 'start'),
  (SELECT count(*) FROM {marts}.stg_rates), (SELECT count(*) FROM {marts}.int_owner_rules),
  (SELECT count(*) FROM {marts}.stg_list_prices), (SELECT charging_version FROM {marts}.int_input_versions),
  (SELECT count(*) FROM {marts}.job_run_costs)
"""
_EXISTS: Final = "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND table_name = 'builds'"

Ask = Callable[..., list[Any]]


@dataclass(frozen=True)
class BuildRecord:
    """A build, as its row of `emr_marts.builds`.

    Attributes:
        build_number: from 1; the highest is the current one.
        built_at: when its transaction began, by the database's clock; it contains what was loaded by then.
        billing_time_zone: time zone of its billing days and months.
        horizon: time up to which submitted runs are certified in the most recent workspace, UTC; None where none is.
        rates, owners, list_prices: rows of its inputs.
        inputs_version: digest of rates, owner rules, time zone and models.
        job_runs: in job_run_costs.
        checks: data tests that passed.
        version: of emr-usage.
    """

    build_number: int
    built_at: datetime
    billing_time_zone: str
    horizon: datetime | None
    rates: int
    owners: int
    list_prices: int
    inputs_version: str
    job_runs: int
    checks: int
    version: str


def current_build(ask: Ask, marts: str) -> BuildRecord | None:
    """Return the last build whose data tests passed, or None before the first.

    Args:
        ask: runs a statement with values for each `%s`, and returns rows.
        marts: the dataset.
    """
    if not ask(_EXISTS, marts)[0][0]:
        return None
    rows = ask(_CURRENT_BUILD.format(marts=marts))
    return BuildRecord(*rows[0]) if rows else None


def record_build(ask: Ask, marts: str, before: BuildRecord | None, billing_time_zone: str, checks: int) -> BuildRecord:
    """Add the row of a build, in its transaction, and return it."""
    began, *made_from = ask(_MADE_FROM.format(marts=marts))[0]
    number = before.build_number + 1 if before else 1
    values = (number, began, billing_time_zone, *made_from, checks, version("emr-usage"))
    ask(_CREATE.format(marts=marts))
    ask(f"INSERT INTO {marts}.builds VALUES ({', '.join(['%s'] * len(values))})", *values)  # noqa: S608  # names of ours
    return BuildRecord(*values)
